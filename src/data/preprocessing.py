"""From a planning CT to what the network sees, and back to the planning CT's own grid.

The working grid is RAS-oriented, has the plan's spacing, and is cut to the body. Its constants stand in the plan and are the
same at every site; nothing is fitted to one site's data (per-site intensity fits differ, and break averaging).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from src.errors import PlanSettingError

if TYPE_CHECKING:  # who predicts without PyTorch needs this file too
    import torch

AIR_HU = -1000
# A logit this low is a probability of 0.00005: what lies outside the body is no organ.
OUTSIDE_LOGIT = -10.0
# Between air and fat; a couch top is cut off because it does not belong to the largest connected piece.
BODY_HU = -400


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """The constants of the working grid.

    Attributes:
        spacing_mm: voxel size in x, y, z.
        window_hu: HU that become −1 and 1; what lies outside is clipped.
        body_margin_mm: how far beyond the body the working grid reaches.
    """

    spacing_mm: tuple[float, float, float]
    window_hu: tuple[float, float]
    body_margin_mm: float

    def __post_init__(self) -> None:
        if len(self.spacing_mm) != 3 or not all(0.1 <= value <= 20 for value in self.spacing_mm):
            raise PlanSettingError(f"spacing_mm: expected three numbers from 0.1 to 20 mm, found {list(self.spacing_mm)}")
        if len(self.window_hu) != 2 or not self.window_hu[0] < self.window_hu[1]:
            raise PlanSettingError(f"window_hu: expected a lower and a higher HU, found {list(self.window_hu)}")
        if self.body_margin_mm < 0:
            raise PlanSettingError(f"body_margin_mm: expected at least 0 mm, found {self.body_margin_mm}")

    def to_json(self) -> dict:
        """The constants in plain JSON types, as they stand in a plan and on a model's card."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, settings: Mapping) -> "Preprocessing":
        """The constants from what ``to_json`` gave, as a model's card has them."""
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()})


def to_working_grid(ct: sitk.Image, settings: Preprocessing) -> sitk.Image:
    """A CT on the working grid: RAS, the plan's spacing, cut to the body plus margin; int16 HU.

    A CT without any body (all air) is returned uncut.
    """
    return _cut_to_body(uncut_working_grid(ct, settings), settings)


def uncut_working_grid(ct: sitk.Image, settings: Preprocessing) -> sitk.Image:
    """``to_working_grid`` of the whole CT."""
    oriented = sitk.DICOMOrient(ct, "RAS")
    size = [
        max(1, math.ceil(voxels * spacing / wanted - 1e-6))
        for voxels, spacing, wanted in zip(oriented.GetSize(), oriented.GetSpacing(), settings.spacing_mm, strict=True)
    ]
    grid = sitk.Image(size, sitk.sitkInt16)
    grid.SetSpacing([float(value) for value in settings.spacing_mm])
    grid.SetDirection(oriented.GetDirection())
    grid.SetOrigin(oriented.GetOrigin())
    return sitk.Resample(oriented, grid, sitk.Transform(), sitk.sitkLinear, AIR_HU, sitk.sitkInt16)


def _cut_to_body(ct: sitk.Image, settings: Preprocessing) -> sitk.Image:
    pieces = sitk.ConnectedComponent(sitk.BinaryMorphologicalOpening(ct > BODY_HU, [1, 1, 1]))
    shapes = sitk.LabelShapeStatisticsImageFilter()
    shapes.Execute(pieces)
    if not shapes.GetLabels():
        return ct
    body = max(shapes.GetLabels(), key=shapes.GetNumberOfPixels)
    box = shapes.GetBoundingBox(body)
    start, stop = [], []
    for axis, spacing in enumerate(settings.spacing_mm):
        margin = round(settings.body_margin_mm / spacing)
        start.append(max(0, box[axis] - margin))
        stop.append(min(ct.GetSize()[axis], box[axis] + box[axis + 3] + margin))
    return ct[start[0] : stop[0], start[1] : stop[1], start[2] : stop[2]]


def mask_on_grid(mask: sitk.Image, grid: sitk.Image) -> np.ndarray:
    """A mask on a working grid: bool (X, Y, Z), where at least half of the voxel's centre neighbourhood belongs to it."""
    share = sitk.Resample(sitk.Cast(mask, sitk.sitkFloat32), grid, sitk.Transform(), sitk.sitkLinear, 0.0)
    return array_XYZ(share) >= 0.5


def scale_hu(hu: "torch.Tensor", window_hu: Sequence[float]) -> "torch.Tensor":
    """HU clipped to the window and scaled to −1 … 1, float32."""
    low, high = window_hu
    return ((hu.float() - low) * (2.0 / (high - low)) - 1.0).clamp_(-1.0, 1.0)


def array_XYZ(image: sitk.Image) -> np.ndarray:
    """The voxels of an image in SimpleITK's own axis order x, y, z (its arrays are z, y, x)."""
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0)


@dataclass(frozen=True, kw_only=True)
class GridGeometry:
    """Where a grid lies in the patient, as SimpleITK counts it; plain numbers, so it can be stored and sent.

    Attributes:
        size: voxels in x, y, z.
        spacing, origin, direction: millimetres, and the direction cosines row by row.
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]

    @classmethod
    def of(cls, image: sitk.Image | sitk.ImageFileReader) -> "GridGeometry":
        """The geometry of an image, or of a reader that holds its header."""
        return cls(size=image.GetSize(), spacing=image.GetSpacing(), origin=image.GetOrigin(), direction=image.GetDirection())


def on_grid(values_XYZ: np.ndarray, grid: GridGeometry, wanted: GridGeometry, *, outside: float) -> np.ndarray:
    """Values of one grid, linearly interpolated on another.

    Args:
        values_XYZ: float32 on ``grid``.
        grid: where they lie.
        wanted: the grid that is wanted, such as the CT's own.
        outside: value beyond ``grid``.

    Returns:
        float32 array in the axis order (x, y, z) of ``wanted``.
    """
    image = sitk.GetImageFromArray(np.ascontiguousarray(values_XYZ.transpose(2, 1, 0)))
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(wanted.size)
    resampler.SetOutputSpacing(wanted.spacing)
    resampler.SetOutputOrigin(wanted.origin)
    resampler.SetOutputDirection(wanted.direction)
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetDefaultPixelValue(outside)
    return array_XYZ(resampler.Execute(image))
