"""Which patch comes next: balanced over structures, and a pure function of (seed, site, round, step, item).

A structure is drawn with a weight that grows with the square root of its number of cases (a rare one is seen more often than
its share, without showing the same one or two patients all the time), then a case that has it, then one of its voxels, which
the patch contains somewhere around its centre. A set share of patches is drawn anywhere in any case, so that the network also
sees what is not an organ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from src.data.cache import PreparedCase
from src.errors import DatasetError


@dataclass(frozen=True, kw_only=True)
class PatchPlace:
    """Where a patch lies.

    Attributes:
        case: index of the case.
        start_XYZ: first voxel; may lie outside the volume, what is outside is air.
    """

    case: int
    start_XYZ: tuple[int, int, int]


def patch_generator(seed: int, site: str, round_number: int, step: int, item: int) -> np.random.Generator:
    """The generator of one patch; nothing else feeds it, so worker processes and restarts change nothing."""
    return np.random.default_rng([seed, crc32(site.encode()), round_number, step, item])


class PatchSampler:
    """Draws patch places.

    Args:
        cases: the training cases.
        patch_voxels: patch size in X, Y, Z.
        background_share: share of patches drawn anywhere, 0 to 1.

    Raises:
        DatasetError: there is no case, or no structure contoured in any of them has a voxel.
    """

    def __init__(self, cases: Sequence[PreparedCase], patch_voxels: Sequence[int], background_share: float) -> None:
        if not cases:
            raise DatasetError("expected at least one training case, found none; run 'python -m data_prep split' first")
        self.cases = cases
        self.patch_voxels = np.array(patch_voxels)
        self.background_share = background_share
        num_structures = len(cases[0].contoured_C)
        self.cases_with = [
            [index for index, case in enumerate(cases) if len(case.centres[channel])] for channel in range(num_structures)
        ]
        counts_C = np.array([len(indices) for indices in self.cases_with], dtype=float)
        if not counts_C.any():
            raise DatasetError("no structure of the plan has a voxel in any training case; compare the plan's structures with "
                               "'python -m data_prep check'")  # fmt: skip
        self.weights_C = np.sqrt(counts_C) / np.sqrt(counts_C).sum()

    def draw(self, generator: np.random.Generator) -> PatchPlace:
        """One patch place."""
        if generator.random() < self.background_share:
            case = int(generator.integers(len(self.cases)))
            centre_XYZ = generator.integers(self.cases[case].grid.size)
        else:
            channel = int(generator.choice(len(self.weights_C), p=self.weights_C))
            case = int(generator.choice(self.cases_with[channel]))
            voxels = self.cases[case].centres[channel]
            centre_XYZ = voxels[generator.integers(len(voxels))]
        return PatchPlace(case=case, start_XYZ=self._start(centre_XYZ, self.cases[case].grid.size, generator))

    def _start(self, centre_XYZ, volume_XYZ, generator: np.random.Generator) -> tuple[int, int, int]:
        """The patch around a voxel, shifted by up to a quarter of its size and kept inside the volume where it fits."""
        shift_XYZ = generator.integers(-(self.patch_voxels // 4), self.patch_voxels // 4 + 1)
        start_XYZ = np.asarray(centre_XYZ) + shift_XYZ - self.patch_voxels // 2
        room_XYZ = np.asarray(volume_XYZ) - self.patch_voxels
        inside_XYZ = np.clip(start_XYZ, 0, np.maximum(room_XYZ, 0))
        # A volume thinner than the patch is centred in it.
        return tuple(int(value) for value in np.where(room_XYZ >= 0, inside_XYZ, room_XYZ // 2))
