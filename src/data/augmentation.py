"""Random changes of a training patch that a CT could really have shown.

Never a mirror image unless the partner channels are swapped with it, and only where both partners of every pair are contoured
or neither is: otherwise a left parotid would teach the right one's channel at a site that never contoured it.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from src.data.preprocessing import AIR_HU
from src.setting_range import check_number


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How much a patch is changed; 0 switches a change off.

    Attributes:
        spatial_probability: share of patches that are rotated and scaled, 0 to 1.
        rotation_degrees: largest rotation around each axis, 0 to 45.
        scaling: largest relative change of size, 0 to 0.5.
        mirror_probability: share of patches mirrored left to right with the partner channels swapped, 0 to 1.
        brightness: largest shift, in units of half the window, 0 to 1.
        contrast: largest relative change of contrast, 0 to 0.9.
        noise: largest standard deviation of added noise, in units of half the window, 0 to 1.
    """

    spatial_probability: float = 0.0
    rotation_degrees: float = 0.0
    scaling: float = 0.0
    mirror_probability: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        limits = {"rotation_degrees": 45, "scaling": 0.5, "contrast": 0.9}
        for name, value in asdict(self).items():
            check_number(f"augmentation.{name}", value, 0, limits.get(name, 1))


def cut_patch(
    hu_XYZ: np.ndarray,
    bits_XYZ: np.ndarray,
    start_XYZ: Sequence[int],
    patch_voxels: Sequence[int],
    spacing_mm: Sequence[float],
    settings: Augmentation,
    generator: np.random.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cuts one patch, rotated and scaled around its own centre or as it is.

    Args:
        hu_XYZ, bits_XYZ: HU and structure bits of a whole case, one shape.
        start_XYZ: first voxel; may lie outside.
        patch_voxels: patch size in X, Y, Z.
        spacing_mm: voxel size in X, Y, Z; rotations are rotations of the patient, in millimetres.
        settings, generator: how much, and from what randomness.

    Returns:
        HU float32 (X, Y, Z), air beyond the volume, and structure bits int32 (X, Y, Z), 0 beyond it.
    """
    if generator.random() < settings.spatial_probability:
        matrix = _random_matrix(spacing_mm, settings, generator)
        return _cut_transformed(hu_XYZ, bits_XYZ, start_XYZ, patch_voxels, matrix)
    stop_XYZ = [start + voxels for start, voxels in zip(start_XYZ, patch_voxels, strict=True)]
    hu = _cut_box(hu_XYZ, start_XYZ, stop_XYZ, AIR_HU).astype(np.float32)
    return torch.from_numpy(hu), torch.from_numpy(_cut_box(bits_XYZ, start_XYZ, stop_XYZ, 0))


def change_intensity(image_XYZ: torch.Tensor, settings: Augmentation, generator: np.random.Generator) -> torch.Tensor:
    """Contrast, brightness and noise of a window-scaled patch, float32; clipped to −1 … 1 again."""
    contrast = 1.0 + settings.contrast * generator.uniform(-1, 1)
    brightness = settings.brightness * generator.uniform(-1, 1)
    changed = image_XYZ * contrast + brightness
    if settings.noise:
        noise = generator.standard_normal(image_XYZ.shape, dtype=np.float32)
        changed = changed + torch.from_numpy(noise) * (settings.noise * generator.uniform())
    return changed.clamp_(-1.0, 1.0)


def mirror(image_XYZ: torch.Tensor, bits_XYZ: torch.Tensor, partner_C: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """A patch seen in a mirror: x reversed, and every structure's voxels given to its partner's channel.

    Args:
        image_XYZ, bits_XYZ: the patch.
        partner_C: channel of the partner of each channel; its own channel for an unpaired organ.
    """
    swapped = torch.zeros_like(bits_XYZ)
    for channel, partner in enumerate(partner_C):
        swapped |= ((bits_XYZ >> channel) & 1) << partner
    return image_XYZ.flip(0), swapped.flip(0)


def may_be_mirrored(contoured_C: np.ndarray, partner_C: Sequence[int]) -> bool:
    """Whether a mirrored copy of a case teaches no channel that the case itself does not teach."""
    return all(contoured_C[channel] == contoured_C[partner] for channel, partner in enumerate(partner_C))


def _cut_box(volume_XYZ: np.ndarray, start_XYZ, stop_XYZ, outside: int) -> np.ndarray:
    inside = tuple(
        slice(max(0, start), max(0, min(size, stop)))
        for start, stop, size in zip(start_XYZ, stop_XYZ, volume_XYZ.shape, strict=True)
    )
    box = np.array(volume_XYZ[inside])
    padding = [
        (min(max(0, -start), stop - start), min(max(0, stop - size), stop - start))
        for start, stop, size in zip(start_XYZ, stop_XYZ, volume_XYZ.shape, strict=True)
    ]
    return np.pad(box, padding, constant_values=outside) if any(map(any, padding)) else box


def _random_matrix(spacing_mm: Sequence[float], settings: Augmentation, generator: np.random.Generator) -> np.ndarray:
    """Rotation around each axis and one scaling for all; (3, 3), from voxel offsets in the patch to those in the volume."""
    matrix = np.eye(3) * (1.0 + settings.scaling * generator.uniform(-1, 1))
    for axis in range(3):
        angle = math.radians(settings.rotation_degrees * generator.uniform(-1, 1))
        first, second = (axis + 1) % 3, (axis + 2) % 3
        rotation = np.eye(3)
        rotation[first, first] = rotation[second, second] = math.cos(angle)
        rotation[first, second], rotation[second, first] = -math.sin(angle), math.sin(angle)
        matrix = matrix @ rotation
    return matrix * np.array(spacing_mm)[None, :] / np.array(spacing_mm)[:, None]


def _cut_transformed(hu_XYZ, bits_XYZ, start_XYZ, patch_voxels, matrix: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Trilinear HU and nearest bits on the transformed patch grid."""
    half_XYZ = (np.array(patch_voxels) - 1) / 2
    reach_XYZ = np.abs(matrix) @ half_XYZ
    centre_XYZ = np.array(start_XYZ) + half_XYZ
    low_XYZ = np.floor(centre_XYZ - reach_XYZ).astype(int)
    high_XYZ = np.ceil(centre_XYZ + reach_XYZ).astype(int) + 2
    hu = torch.from_numpy(_cut_box(hu_XYZ, low_XYZ, high_XYZ, AIR_HU).astype(np.float32))
    bits = torch.from_numpy(_cut_box(bits_XYZ, low_XYZ, high_XYZ, 0))
    axes = [
        torch.arange(voxels, dtype=torch.float32) - float(half) for voxels, half in zip(patch_voxels, half_XYZ, strict=True)
    ]
    offset_XYZ = centre_XYZ - low_XYZ
    place = [
        float(matrix[row, 0]) * axes[0][:, None, None]
        + float(matrix[row, 1]) * axes[1][None, :, None]
        + float(matrix[row, 2]) * axes[2][None, None, :]
        + float(offset_XYZ[row])
        for row in range(3)
    ]
    nearest = [(axis + 0.5).long().clamp_(0, size - 1) for axis, size in zip(place, bits.shape, strict=True)]
    # grid_sample wants the last axis first, scaled to −1 … 1 over the voxel centres.
    grid = torch.stack([2 * place[axis] / (hu.shape[axis] - 1) - 1 for axis in (2, 1, 0)], dim=-1)
    moved = torch.nn.functional.grid_sample(hu[None, None], grid[None], align_corners=True, padding_mode="border")
    return moved[0, 0], bits[nearest[0], nearest[1], nearest[2]]
