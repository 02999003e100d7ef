"""The dataset contract: how prepared CTs and masks lie on a site's disk.

::

    <dataset>/
      dataset.json                                  schema version, anatomy, site, tool version and one record per case
      cases/<case>/ct.nii.gz                        int16 HU on the planning CT's own grid
      cases/<case>/structures/<TG-263 name>.nii.gz  uint8 mask, 0 or 1, on the same grid

A mask file that is there means "contoured"; one that is not there means "unknown", never "empty". An all-zero mask means
"looked for, not present". Structures may overlap.

Axis order, for the whole project: SimpleITK sizes are (x, y, z) and its arrays (z, y, x); our arrays and tensors are
(X, Y, Z) in RAS: the axes point to the patient's right, front and head.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from src.data.case_image import check_same_grid, read_image
from src.data.structures import ANATOMIES, load_structures
from src.errors import CaseError, DatasetError

SCHEMA_VERSION = 1
SPLITS = ("train", "valid", "test")
TOOL = "openfl-oar 0.1.0"
_NAME = re.compile(r"[a-z0-9][a-z0-9_\-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class CaseRecord:
    """What ``dataset.json`` says of one case.

    Attributes:
        name: pseudonym; lower-case letters, digits, ``_`` and ``-``.
        split: one of ``SPLITS``, or None before ``data_prep split`` has run.
        spacing_mm: voxel size in x, y, z of the CT's own grid.
        structures: the TG-263 names contoured in this case, sorted.
        checks: warnings of the conversion, in plain words.
    """

    name: str
    split: str | None
    spacing_mm: tuple[float, float, float]
    structures: tuple[str, ...]
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A prepared dataset, opened for reading.

    Attributes:
        path: its folder.
        anatomy: one of ``ANATOMIES``.
        site: the site that made it.
        cases: every recorded case by name, sorted.
        provenance: free facts about where it came from (a phantom's settings, an import's table).
    """

    path: Path
    anatomy: str
    site: str
    cases: dict[str, CaseRecord] = field(default_factory=dict)
    provenance: dict = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path | str) -> "Dataset":
        """Reads ``dataset.json``; voxels are read later, case by case.

        Raises:
            DatasetError: the folder is none, is not a dataset, or is of another schema version.
        """
        path = Path(path)
        index = path / "dataset.json"
        if not index.is_file():
            raise DatasetError(
                f"expected a dataset at '{path.name}', found no dataset.json in it; make one with "
                "'python -m data_prep convert', 'import-nifti' or 'phantom'"
            )
        try:
            content = json.loads(index.read_text(encoding="utf-8"))
            version = content["schema_version"]
            if version != SCHEMA_VERSION:
                raise DatasetError(
                    f"'{path.name}' has dataset schema {version}, this version reads {SCHEMA_VERSION}; convert it again"
                )
            cases = {name: _record_from_json(name, row) for name, row in sorted(content["cases"].items())}
            provenance = content.get("provenance", {})
            opened = cls(path=path, anatomy=content["anatomy"], site=content["site"], cases=cases, provenance=provenance)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DatasetError(
                f"'{path.name}/dataset.json' cannot be read ({error!r}); restore it or convert the data again"
            ) from error
        check_anatomy(opened.anatomy)
        return opened

    def cases_of(self, split: str) -> list[CaseRecord]:
        """The cases of one split, sorted by name; empty when there are none."""
        return [record for record in self.cases.values() if record.split == split]

    def ct_path(self, case: str) -> Path:
        """Where the CT of a case lies."""
        return self.path / "cases" / case / "ct.nii.gz"

    def mask_path(self, case: str, structure: str) -> Path:
        """Where the mask of a structure lies, if it is contoured."""
        return self.path / "cases" / case / "structures" / f"{structure}.nii.gz"

    def read_ct(self, case: str) -> sitk.Image:
        """The CT of a case: int16 HU on its own grid.

        Raises:
            CaseError: the file is missing or unreadable.
        """
        return read_image(case, self.ct_path(case))

    def read_mask(self, case: str, structure: str) -> sitk.Image:
        """The mask of one contoured structure: uint8, 0 or 1, on the CT's grid.

        Raises:
            CaseError: the file is missing, unreadable, on another grid, or not 0 and 1.
        """
        mask = read_image(case, self.mask_path(case, structure))
        check_same_grid(case, structure, mask, self.read_geometry(case))
        if not np.isin(np.unique(sitk.GetArrayViewFromImage(mask)), (0, 1)).all():
            raise CaseError(case, f"the mask of {structure} must hold 0 and 1 only; convert the case again")
        return mask

    def read_geometry(self, case: str) -> sitk.ImageFileReader:
        """Size, spacing, origin and direction of a case's CT, from its header alone."""
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(self.ct_path(case)))
        try:
            reader.ReadImageInformation()
        except RuntimeError as error:
            raise CaseError(case, "ct.nii.gz is missing or not a NIfTI file; convert the case again") from error
        return reader


def check_name(kind: str, name: str) -> None:
    """Refuses a case or site name that could not be a file name everywhere.

    Raises:
        DatasetError: it is not 1 to 64 lower-case letters, digits, ``_`` or ``-``.
    """
    if not _NAME.fullmatch(name):
        raise DatasetError(f"expected a {kind} name of 1 to 64 lower-case letters, digits, '_' or '-', found '{name}'")


def _record_from_json(name: str, row: dict) -> CaseRecord:
    check_name("case", name)
    table = load_structures()
    if row["split"] not in (*SPLITS, None):
        raise ValueError(f"case {name} has split {row['split']!r}, expected one of {SPLITS} or null")
    return CaseRecord(
        name=name,
        split=row["split"],
        spacing_mm=tuple(row["spacing_mm"]),
        structures=tuple(table[structure].name for structure in row["structures"]),
        checks=tuple(row.get("checks", ())),
    )


def check_anatomy(anatomy: str) -> None:
    """Refuses an anatomy that no plan knows.

    Raises:
        DatasetError: it is not one of ``ANATOMIES``.
    """
    if anatomy not in ANATOMIES:
        raise DatasetError(f"expected anatomy {' or '.join(ANATOMIES)}, found '{anatomy}'")
