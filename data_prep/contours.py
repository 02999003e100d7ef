"""Where an import's contours come from: one label map per case, or one mask file per structure.

Both answer the same two questions: which native names exist at all, and which contours does this case have.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import SimpleITK as sitk

from data_prep.case_table import CaseRow
from data_prep.csv_file import read_csv
from data_prep.naming.import_names import one_native_each
from src.data.case_image import check_same_grid, to_mask
from src.data.nifti_file import find_nifti, native_name, read_header, read_volume
from src.errors import CaseError, DatasetError


class Contours(Protocol):
    """A source of contours; its methods may be called from several threads at once."""

    def native_names(self, rows: list[CaseRow]) -> set[str]:
        """Every native name that the cases may hold; checks that the files are there."""

    def read(self, row: CaseRow, ct: sitk.Image, matched: Mapping[str, str]) -> dict[str, sitk.Image]:
        """TG-263 name -> uint8 mask on the CT's grid, of what is contoured in one case.

        Args:
            row: the case.
            ct: its CT.
            matched: native name -> TG-263 name, of the names to import.

        Raises:
            CaseError: a file that cannot be used.
        """


class LabelMaps:
    """``<folder>/<source>.nii.gz``: one volume of label numbers per case; 0 is background.

    Without a list of what is contoured in a case, a name whose labels have voxels is contoured and one without is unknown. A
    name with several labels is all of them together: many public sets cut the tumour out of the organ.

    Args:
        folder: where the label maps lie.
        label_map: csv with the columns ``label`` and ``name``.

    Raises:
        DatasetError: the csv is unreadable, or a number stands twice in it.
    """

    def __init__(self, folder: Path, label_map: Path) -> None:
        self._folder = folder
        self._labels_of = _read_label_map(label_map)

    def native_names(self, rows: list[CaseRow]) -> set[str]:
        for row in rows:
            find_nifti(row.case, self._folder, row.source, "label map")
            if unknown := sorted(set(row.contoured or ()) - set(self._labels_of)):
                raise CaseError(
                    row.case, f"expected contoured names of the label map's csv, found {', '.join(unknown)}; add them there"
                )
        return set(self._labels_of)

    def read(self, row: CaseRow, ct: sitk.Image, matched: Mapping[str, str]) -> dict[str, sitk.Image]:
        image = read_volume(row.case, find_nifti(row.case, self._folder, row.source, "label map"), "label map")
        check_same_grid(row.case, "the label map", image, ct)
        labels_ZYX = sitk.GetArrayViewFromImage(image)
        present = {float(label) for label in np.unique(labels_ZYX)}
        named = {float(label) for labels in self._labels_of.values() for label in labels}
        if unknown := sorted(present - {0.0, *named}):
            values = ", ".join(f"{value:g}" for value in unknown[:8])
            raise CaseError(row.case, f"its label map holds {values}, which the label map's csv does not name; add it there")
        drawn = row.contoured
        if drawn is None:
            drawn = tuple(name for name, labels in self._labels_of.items() if present.intersection(map(float, labels)))
        chosen = one_native_each(row.case, drawn, matched)
        return {name: to_mask(np.isin(labels_ZYX, self._labels_of[native]), ct) for name, native in chosen.items()}


class MaskFiles:
    """``<folder>/<source>/<native name>.nii.gz``: one file per structure; every voxel above 0 belongs to it.

    A file that is there is contoured, also an empty one, unless the table lists what is contoured and leaves it out.

    Args:
        folder: where the cases' folders lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def native_names(self, rows: list[CaseRow]) -> set[str]:
        return {native for row in rows for native in self._files(row)}

    def read(self, row: CaseRow, ct: sitk.Image, matched: Mapping[str, str]) -> dict[str, sitk.Image]:
        files = self._files(row)
        chosen = one_native_each(row.case, files, matched)
        masks = {}
        for name, native in chosen.items():
            check_same_grid(row.case, name, read_header(row.case, files[native], f"mask of {name}"), ct)
            image = read_volume(row.case, files[native], f"mask of {name}")
            masks[name] = to_mask(sitk.GetArrayViewFromImage(image) > 0, ct)
        return masks

    def _files(self, row: CaseRow) -> dict[str, Path]:
        folder = self._folder / row.source
        if row.contoured is not None:
            return {native: find_nifti(row.case, folder, native, f"mask '{native}'") for native in row.contoured}
        if not folder.is_dir():
            raise CaseError(
                row.case, f"expected a folder with its masks in '{self._folder.name}', found none; add it or drop the row"
            )
        return {native: path for path in sorted(folder.iterdir()) if (native := native_name(path))}


def _read_label_map(path: Path) -> dict[str, list[int]]:
    labels_of: dict[str, list[int]] = {}
    for line, row in enumerate(read_csv(path, ("label", "name")), start=2):
        if not row["label"].isdecimal() or int(row["label"]) == 0 or not row["name"]:
            raise DatasetError(
                f"{path.name}, line {line}: expected a label number above 0 and a name, found '{row['label']},{row['name']}'"
            )
        if any(int(row["label"]) in labels for labels in labels_of.values()):
            raise DatasetError(f"{path.name}, line {line}: label {row['label']} stands twice; give it one name")
        labels_of.setdefault(row["name"], []).append(int(row["label"]))
    return labels_of
