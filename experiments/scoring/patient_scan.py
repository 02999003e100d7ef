"""One patient for many models: the CT is read and resampled once, and so are the contours."""

from functools import cached_property

import numpy as np
import SimpleITK as sitk

from src.data.dataset import Dataset
from src.data.preprocessing import GridGeometry, Preprocessing, array_XYZ, to_working_grid
from src.data.truth import Truth, read_truth


class PatientScan:
    """A case of a dataset, kept in memory while it is scored.

    Args:
        dataset: where it lies.
        case: its pseudonym.
    """

    def __init__(self, dataset: Dataset, case: str) -> None:
        self.dataset, self.case = dataset, case
        self.contoured = dataset.cases[case].structures
        self._grids: dict[Preprocessing, tuple[np.ndarray, GridGeometry]] = {}
        self._truths: dict[tuple[str, ...], Truth] = {}

    @cached_property
    def native(self) -> GridGeometry:
        """Where the CT's own grid lies."""
        return GridGeometry.of(self.dataset.read_geometry(self.case))

    @cached_property
    def _ct(self) -> sitk.Image:
        return self.dataset.read_ct(self.case)

    def on_working_grid(self, preprocessing: Preprocessing) -> tuple[np.ndarray, GridGeometry]:
        """The CT, int16 HU (X, Y, Z), and where its voxels lie."""
        if preprocessing not in self._grids:
            grid = to_working_grid(self._ct, preprocessing)
            self._grids[preprocessing] = array_XYZ(grid), GridGeometry.of(grid)
        return self._grids[preprocessing]

    def truth(self, structures: tuple[str, ...]) -> Truth:
        """The contours by channel of ``structures``."""
        if structures not in self._truths:
            self._truths[structures] = read_truth(self.dataset, self.dataset.cases[self.case], structures)
        return self._truths[structures]

    def truth_mask(self, structures: tuple[str, ...], channel: int) -> np.ndarray:
        """The drawn mask of a contoured channel: bool (x, y, z) on the CT's own grid; all false where nothing is drawn."""
        truth = self.truth(structures)
        mask_XYZ = np.zeros(self.native.size, bool)
        box = tuple(slice(start, start + size) for start, size in zip(truth.offset_XYZ, truth.bits_XYZ.shape, strict=True))
        mask_XYZ[box] = (truth.bits_XYZ >> channel) & 1 == 1
        return mask_XYZ
