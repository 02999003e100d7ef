"""Is the CT a CT? Geometry, spacing and the range of its HU."""

from collections.abc import Iterator

import numpy as np
import SimpleITK as sitk

from src.case_checks.finding import Finding, refused, warning
from src.data.dataset import CaseRecord

SPACING_MM = (0.2, 8.0)  # what planning CTs have, coarse research grids included
MIN_VOXELS = 8
AXIS_ALIGNED = 0.99
AIR_HU = -300
TISSUE_HU = (-200, 300)
MIN_TISSUE_SHARE = 0.005
OFFSET_HU = 1024
MIN_SPAN_HU = 200
HU_FLOOR = -1100  # below it lies only padding outside the field of view


def check_record(record: CaseRecord, ct: sitk.Image) -> Iterator[Finding]:
    """Whether one CT is still the one that its record tells of, stored as a dataset stores it."""
    if not np.allclose(ct.GetSpacing(), record.spacing_mm, atol=1e-3):
        yield refused(
            record.name, "the CT's spacing is not the one in dataset.json: the file was replaced; convert the case again"
        )
    if ct.GetPixelID() != sitk.sitkInt16:
        yield refused(record.name, "the CT is not stored as int16 HU; convert the case again")


def check_grid(case: str, ct: sitk.Image) -> Iterator[Finding]:
    """Size, spacing and direction of one CT."""
    spacing_mm, direction = ct.GetSpacing(), np.reshape(ct.GetDirection(), (3, 3))
    if min(spacing_mm) < SPACING_MM[0] or max(spacing_mm) > SPACING_MM[1]:
        yield warning(case, f"voxels outside {SPACING_MM[0]:g} to {SPACING_MM[1]:g} mm; is its unit the millimetre?")
    if min(ct.GetSize()) < MIN_VOXELS:
        yield warning(case, f"fewer than {MIN_VOXELS} voxels along one axis")
    if np.abs(direction).max(axis=0).min() < AXIS_ALIGNED:
        yield warning(case, "the grid is oblique to the patient; gantry tilt?")


def check_hu(case: str, ct: sitk.Image) -> Iterator[Finding]:
    """Whether the voxels of one CT can be HU: one value, an offset of 1024, another scale, no air, padding."""
    hu_ZYX = sitk.GetArrayViewFromImage(ct)
    low, high = float(hu_ZYX.min()), float(hu_ZYX.max())
    if not np.isfinite([low, high]).all():
        yield refused(case, "the CT holds NaN or infinite voxels; convert from the original files")
    elif low == high:
        yield refused(case, f"every voxel of the CT is {low:g}")
    elif _share(hu_ZYX, OFFSET_HU + TISSUE_HU[0], OFFSET_HU + TISSUE_HU[1]) > MIN_TISSUE_SHARE and low > AIR_HU:
        yield refused(case, "HU look 1024 too high: the rescale intercept was lost; convert from the original files")
    elif high - low < MIN_SPAN_HU:
        yield refused(case, f"the CT spans less than {MIN_SPAN_HU} HU: it was rescaled; convert from the original files")
    elif _share(hu_ZYX, *TISSUE_HU) < MIN_TISSUE_SHARE:
        yield refused(case, "the CT holds next to no soft tissue (-200 to 300 HU): its voxels are no HU")
    elif low > AIR_HU:
        yield warning(case, f"no air (nothing below {AIR_HU} HU); was the CT cropped to the body?")
    elif low < HU_FLOOR:
        yield warning(case, f"voxels below {HU_FLOOR} HU: padding outside the scanner's field of view")


def _share(hu_ZYX: np.ndarray, low: float, high: float) -> float:
    return float(((hu_ZYX >= low) & (hu_ZYX <= high)).mean())
