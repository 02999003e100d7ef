"""Writes patients in the form of the public repository: sparse text files on the challenge's grid of 128×128×128 voxels."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

GRID_SIZE = 128


def flat_indices(mask_ZYX: np.ndarray, head_slice: int) -> np.ndarray:
    """Indices as the challenge counts them: rows, columns, and slices from the head down.

    Args:
        mask_ZYX: voxels at the grid's front right corner; the last slice is the one nearest the head.
        head_slice: the challenge's number of that slice.
    """
    z, y, x = np.nonzero(mask_ZYX)
    return np.sort(y * GRID_SIZE**2 + x * GRID_SIZE + (head_slice + len(mask_ZYX) - 1 - z))


def write_mask(path: Path, indices: np.ndarray) -> None:
    path.write_text(",data\n" + "".join(f"{index},\n" for index in indices))


def write_patient(
    folder: Path,
    stored_ZYX: np.ndarray,
    region_ZYX: np.ndarray,
    structures: Mapping[str, np.ndarray],
    *,
    spacing_mm=(3.906, 3.906, 2.5),
    head_slice: int = 17,
) -> None:
    """One patient.

    Args:
        folder: ``pt_<number>``; made here.
        stored_ZYX: the challenge's CT, HU + 1000; what is 0 is not listed.
        region_ZYX: where the whole CT is given.
        structures: native name -> mask.
        spacing_mm: size of a voxel (x, y, z).
        head_slice: the challenge's number of the slice nearest the head.
    """
    folder.mkdir(parents=True)
    z, y, x = np.nonzero(stored_ZYX)
    flat = y * GRID_SIZE**2 + x * GRID_SIZE + (head_slice + len(stored_ZYX) - 1 - z)
    order = np.argsort(flat)
    values = stored_ZYX[z, y, x][order]
    lines = "".join(f"{index},{float(value)}\n" for index, value in zip(flat[order], values, strict=True))
    (folder / "ct.csv").write_text(",data\n" + lines)
    (folder / "voxel_dimensions.csv").write_text("".join(f"{size:.18e}\n" for size in spacing_mm))
    write_mask(folder / "possible_dose_mask.csv", flat_indices(region_ZYX, head_slice))
    for name, mask_ZYX in structures.items():
        write_mask(folder / f"{name}.csv", flat_indices(mask_ZYX, head_slice))


def small_patient(seed: int = 0) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """A body of 14×16 voxels in ten slices, in a block of 12: CT + 1000, region, structures.

    The region has one stray voxel in each outer slice; outside it the CT is blank but for the spinal cord, which goes on.
    """
    generator = np.random.default_rng(seed)
    region = np.zeros((12, 20, 24), bool)
    region[1:11, 3:17, 4:20] = True
    region[0, 5, 5] = region[11, 6, 6] = True
    boxes = {
        "Brainstem": np.s_[7:11, 8:11, 10:14],
        "SpinalCord": np.s_[0:8, 9:12, 11:13],
        "LeftParotid": np.s_[6:9, 8:11, 15:19],
        "RightParotid": np.s_[6:9, 8:11, 5:9],
    }
    structures = {name: np.zeros_like(region) for name in boxes}
    for name, box in boxes.items():
        structures[name][box] = True
    stored = np.where(region | structures["SpinalCord"], generator.integers(900, 1100, region.shape), 0)
    return stored, region, structures
