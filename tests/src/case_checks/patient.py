"""A patient of one ellipse with round organs of a chosen volume, small enough to check many of."""

import numpy as np
import SimpleITK as sitk

from src.case_checks.finding import Finding

SIZE_XYZ, SPACING_MM = (48, 40, 30), (6.0, 6.0, 5.0)
# From the middle of the CT, in mm: x to the patient's left, y to the back, z to the head.
PLACES_MM = {
    "Brainstem": (0, 20, 20),
    "SpinalCord": (0, 20, -25),
    "Parotid_L": (55, 10, 0),
    "Parotid_R": (-55, 10, 0),
    "Bone_Mandible": (0, -40, 0),
    "Liver": (-40, 0, 0),
}
VOLUMES_CM3 = {"Brainstem": 27, "SpinalCord": 20, "Parotid_L": 27, "Parotid_R": 27, "Bone_Mandible": 60, "Liver": 1500}
SOFT_HU, BONE_HU = 40, 700


def image(array_ZYX: np.ndarray, spacing_mm=SPACING_MM) -> sitk.Image:
    made = sitk.GetImageFromArray(array_ZYX)
    made.SetSpacing(spacing_mm)
    made.SetOrigin([-(size - 1) / 2 * spacing for size, spacing in zip(made.GetSize(), spacing_mm, strict=True)])
    return made


def _grid_mm() -> tuple[np.ndarray, ...]:
    axes = [(np.arange(size) - (size - 1) / 2) * spacing for size, spacing in zip(SIZE_XYZ, SPACING_MM, strict=True)]
    z, y, x = np.meshgrid(*reversed(axes), indexing="ij", sparse=True)
    return x, y, z


def body_ct() -> sitk.Image:
    """Soft tissue in air, 240 × 180 mm."""
    x, y, z = _grid_mm()
    inside = (x / 120) ** 2 + (y / 90) ** 2 + 0 * z < 1
    return image(np.where(inside, SOFT_HU, -1000).astype(np.int16))


def ball(volume_cm3: float, centre_mm: tuple[float, float, float]) -> sitk.Image:
    """A mask of about that volume, centred as ``PLACES_MM`` counts."""
    x, y, z = (axis - centre for axis, centre in zip(_grid_mm(), centre_mm, strict=True))
    distance = x**2 + y**2 + z**2
    voxels = max(1, round(volume_cm3 * 1000 / np.prod(SPACING_MM)))
    nearest = np.argsort(distance, axis=None, kind="stable")[:voxels]
    mask = np.zeros(distance.size, np.uint8)
    mask[nearest] = 1
    return image(mask.reshape(distance.shape))


def organ(name: str, *, volume_cm3: float | None = None, moved_mm=(0, 0, 0)) -> sitk.Image:
    """A structure in its place, or moved from it."""
    centre = tuple(place + by for place, by in zip(PLACES_MM[name], moved_mm, strict=True))
    return ball(volume_cm3 or VOLUMES_CM3[name], centre)


def head_neck() -> tuple[sitk.Image, dict[str, sitk.Image]]:
    """A sound patient: its CT, and masks in which nothing is odd."""
    ct, masks = body_ct(), {name: organ(name) for name in PLACES_MM if name != "Liver"}
    return sitk.Cast(ct + (BONE_HU - SOFT_HU) * sitk.Cast(masks["Bone_Mandible"], sitk.sitkInt16), sitk.sitkInt16), masks


def said(findings: list[Finding], part: str) -> list[Finding]:
    """The findings that say something."""
    return [finding for finding in findings if part in finding.what]
