"""Preprocessed cases on disk, keyed by content and settings.

A case is prepared once: its key is the SHA-256 of the bytes of its CT and masks, of the preprocessing constants and of the
structures in order. Change one of them and it is prepared again; an old entry is never wrong, only unused. Arrays are memory
mapped, so worker processes share them and a patch reads only its own pages.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from src.data.dataset import CaseRecord, Dataset
from src.data.preprocessing import GridGeometry, Preprocessing, array_XYZ, mask_on_grid, to_working_grid
from src.errors import PlanSettingError
from src.machine_fault import writing

# Raised whenever what is stored, or how it is computed, changes.
_CACHE_VERSION = 1
# Enough to draw patch centres from without repeating oneself, and small on disk.
_CENTRES_PER_STRUCTURE = 4096
MAX_STRUCTURES = 31


@dataclass(frozen=True, kw_only=True)
class PreparedCase:
    """One case on the working grid.

    Attributes:
        name: the case's pseudonym.
        key: its cache key, which covers content and settings.
        entry: its folder in the cache.
        grid: where the working grid lies in the patient.
        contoured_C: bool, structure c is contoured in this case.
        centres: per structure channel, int32 (N, 3) voxels of it; N is 0 where it is absent or not contoured.
    """

    name: str
    key: str
    entry: Path
    grid: GridGeometry
    contoured_C: np.ndarray
    centres: tuple[np.ndarray, ...]

    @property
    def hu_XYZ(self) -> np.ndarray:
        """int16 HU, memory mapped anew at each call: a mapping that is sent to a worker process would be copied whole."""
        return np.load(self.entry / "hu.npy", mmap_mode="r", allow_pickle=False)

    @property
    def bits_XYZ(self) -> np.ndarray:
        """int32, memory mapped; bit c is set where the voxel belongs to structure c."""
        return np.load(self.entry / "bits.npy", mmap_mode="r", allow_pickle=False)


class CaseCache:
    """Prepares cases and keeps them.

    Args:
        folder: where; made if it is not there. It may be deleted at any time between runs.
        preprocessing: constants of the working grid.
        structures: TG-263 names in channel order, at most 31.
    """

    def __init__(self, folder: Path, preprocessing: Preprocessing, structures: Sequence[str]) -> None:
        if len(structures) > MAX_STRUCTURES:
            raise PlanSettingError(f"structures: expected at most {MAX_STRUCTURES}, found {len(structures)}")
        self.folder = Path(folder)
        self.preprocessing = preprocessing
        self.structures = tuple(structures)

    def prepare(self, dataset: Dataset, record: CaseRecord) -> PreparedCase:
        """The prepared case, from the cache if it is there.

        Raises:
            CaseError: a file of the case is missing, unreadable or on another grid.
            DiskError: the cache's disk is full or refuses.
        """
        contoured = [structure for structure in self.structures if structure in record.structures]
        key = self._key(dataset, record.name, contoured)
        entry = self.folder / key
        if not entry.is_dir():
            self._write(entry, *self._compute(dataset, record.name, contoured))
        with np.load(entry / "centres.npz", allow_pickle=False) as stored:
            centres = tuple(stored[str(channel)] for channel in range(len(self.structures)))
        geometry = {name: tuple(values) for name, values in json.loads((entry / "grid.json").read_text()).items()}
        return PreparedCase(
            name=record.name,
            key=key,
            entry=entry,
            grid=GridGeometry(**geometry),
            contoured_C=np.array([structure in contoured for structure in self.structures]),
            centres=centres,
        )

    def _key(self, dataset: Dataset, case: str, contoured: Sequence[str]) -> str:
        settings = {"version": _CACHE_VERSION, "preprocessing": asdict(self.preprocessing), "structures": self.structures}
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for name, path in [
            ("ct", dataset.ct_path(case)),
            *((structure, dataset.mask_path(case, structure)) for structure in contoured),
        ]:
            digest.update(name.encode())
            digest.update(path.read_bytes() if path.is_file() else b"")
        return digest.hexdigest()[:40]

    def _compute(
        self, dataset: Dataset, case: str, contoured: Sequence[str]
    ) -> tuple[GridGeometry, np.ndarray, np.ndarray, dict]:
        grid = to_working_grid(dataset.read_ct(case), self.preprocessing)
        hu_XYZ = array_XYZ(grid)
        bits_XYZ = np.zeros(hu_XYZ.shape, dtype=np.int32)
        centres = {}
        generator = np.random.default_rng(0)
        for channel, structure in enumerate(self.structures):
            voxels = np.zeros((0, 3), dtype=np.int32)
            if structure in contoured:
                mask_XYZ = mask_on_grid(dataset.read_mask(case, structure), grid)
                bits_XYZ |= mask_XYZ.astype(np.int32) << channel
                voxels = np.argwhere(mask_XYZ).astype(np.int32)
                if len(voxels) > _CENTRES_PER_STRUCTURE:
                    voxels = voxels[np.sort(generator.choice(len(voxels), _CENTRES_PER_STRUCTURE, replace=False))]
            centres[str(channel)] = voxels
        return GridGeometry.of(grid), hu_XYZ, bits_XYZ, centres

    def _write(self, entry: Path, grid: GridGeometry, hu_XYZ: np.ndarray, bits_XYZ: np.ndarray, centres: dict) -> None:
        partial = entry.with_name(f".{entry.name}.{os.getpid()}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            with writing(entry):
                partial.mkdir(parents=True)
                (partial / "grid.json").write_text(json.dumps(asdict(grid)))
                np.save(partial / "hu.npy", np.ascontiguousarray(hu_XYZ))
                np.save(partial / "bits.npy", np.ascontiguousarray(bits_XYZ))
                np.savez(partial / "centres.npz", **centres)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        try:
            partial.rename(entry)
        except OSError:
            # Another process prepared the same case meanwhile; equal keys mean equal content.
            shutil.rmtree(partial, ignore_errors=True)
            if not entry.is_dir():
                raise
