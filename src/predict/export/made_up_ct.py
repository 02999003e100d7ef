"""A CT that nobody has: an ellipsoid of cloudy tissue, for who exports where no CT is."""

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from src.data.preprocessing import AIR_HU

# Neither the working grid's spacing nor a multiple of it, so that resampling is verified too.
_FINER = np.array([0.8, 0.8, 1.1])
_WINDOWS = 1.2  # so that windows overlap along every axis
_CLOUD_VOXELS, _CLOUD_HU, _TISSUE_HU = 3.0, 150.0, 40.0


def made_up_ct(spacing_mm: Sequence[float], patch_voxels: Sequence[int]) -> sitk.Image:
    """The same int16 HU every time.

    Args:
        spacing_mm: of the working grid, x, y, z.
        patch_voxels: of a window; the CT is larger.
    """
    native_mm = np.asarray(spacing_mm) * _FINER
    size = np.ceil(np.asarray(patch_voxels) * _WINDOWS / _FINER).astype(int)
    noise_ZYX = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal(size[::-1]), _CLOUD_VOXELS)
    hu_ZYX = _TISSUE_HU + _CLOUD_HU * noise_ZYX / noise_ZYX.std()
    z, y, x = (np.linspace(-1, 1, length) for length in size[::-1])
    outside_ZYX = x**2 + y[:, None] ** 2 + (z[:, None, None] / 2) ** 2 > 0.95
    hu_ZYX[outside_ZYX] = AIR_HU
    image = sitk.GetImageFromArray(np.round(hu_ZYX).astype(np.int16))
    image.SetSpacing(native_mm.tolist())
    return image
