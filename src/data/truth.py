"""What validation compares with: the contoured masks of a case on the CT's own grid, kept compactly.

Only the box around all contours is stored, as structure bits; outside it every mask is empty.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.data.dataset import CaseRecord, Dataset
from src.data.preprocessing import array_XYZ
from src.evaluation.dice import dice_from_counts


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The contoured masks of one case.

    Attributes:
        channels: the contoured channels.
        offset_XYZ: where the stored box begins on the CT's own grid.
        bits_XYZ: int32; bit c is set where the voxel belongs to structure c.
    """

    channels: tuple[int, ...]
    offset_XYZ: tuple[int, int, int]
    bits_XYZ: np.ndarray

    def dice(self, channel: int, pred_XYZ: np.ndarray) -> float:
        """Dice of a predicted mask (bool, on the CT's own grid) for one contoured channel; empty cases as in ``dice``."""
        box = tuple(slice(start, start + size) for start, size in zip(self.offset_XYZ, self.bits_XYZ.shape, strict=True))
        truth_XYZ = (self.bits_XYZ >> channel) & 1 == 1
        return dice_from_counts(int((pred_XYZ[box] & truth_XYZ).sum()), int(pred_XYZ.sum()), int(truth_XYZ.sum()))


def read_truth(dataset: Dataset, record: CaseRecord, structures: Sequence[str]) -> Truth:
    """Reads the masks of one case.

    Args:
        dataset, record: the case.
        structures: TG-263 names in channel order; those that the case does not contour are left out.

    Raises:
        CaseError: a mask is missing, unreadable or on another grid.
    """
    channels = tuple(channel for channel, structure in enumerate(structures) if structure in record.structures)
    bits_XYZ = np.zeros(dataset.read_geometry(record.name).GetSize(), dtype=np.int32)
    for channel in channels:
        bits_XYZ |= array_XYZ(dataset.read_mask(record.name, structures[channel])).astype(np.int32) << channel
    offset, box = [], []
    for axis in range(3):
        occupied = np.flatnonzero(bits_XYZ.any(axis=tuple(other for other in range(3) if other != axis)))
        first, last = (int(occupied[0]), int(occupied[-1]) + 1) if len(occupied) else (0, 0)
        offset.append(first)
        box.append(slice(first, last))
    return Truth(channels=channels, offset_XYZ=tuple(offset), bits_XYZ=bits_XYZ[tuple(box)].copy())


def cached_truth(folder: Path, key: str, dataset: Dataset, record: CaseRecord, structures: Sequence[str]) -> Truth:
    """``read_truth`` once per content; ``key`` is the cache key of the prepared case, which covers all that matters."""
    path = folder / f"{key}.truth.npz"
    if not path.is_file():
        truth = read_truth(dataset, record, structures)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial.npz")
        np.savez_compressed(partial, channels=truth.channels, offset=truth.offset_XYZ, bits=truth.bits_XYZ)
        partial.replace(path)
    with np.load(path, allow_pickle=False) as stored:
        return Truth(
            channels=tuple(int(value) for value in stored["channels"]),
            offset_XYZ=tuple(int(value) for value in stored["offset"]),
            bits_XYZ=stored["bits"],
        )
