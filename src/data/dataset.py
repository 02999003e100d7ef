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
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from src.data.nifti_bytes import find_damage
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
                "'python -m data_prep import-nifti' or 'python -m data_prep phantom'"
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
        _check_anatomy(opened.anatomy)
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
        return _read_image(case, self.ct_path(case))

    def read_mask(self, case: str, structure: str) -> sitk.Image:
        """The mask of one contoured structure: uint8, 0 or 1, on the CT's grid.

        Raises:
            CaseError: the file is missing, unreadable, on another grid, or not 0 and 1.
        """
        mask = _read_image(case, self.mask_path(case, structure))
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


class DatasetWriter:
    """Makes a dataset case by case; whatever moment it is stopped at, what is on disk is a valid dataset.

    A case is written beside its final place and renamed into it, and only then recorded in ``dataset.json``, which is itself
    replaced as a whole.

    Args:
        path: the folder; made if it is not there. An existing dataset of the same anatomy and site is continued.
        anatomy: one of ``ANATOMIES``.
        site: the site's name.
        provenance: free facts written into ``dataset.json``; nothing that identifies a patient.

    Raises:
        DatasetError: the folder holds something else, or a dataset of another anatomy or site.
    """

    def __init__(self, path: Path | str, *, anatomy: str, site: str, provenance: Mapping | None = None) -> None:
        _check_anatomy(anatomy)
        check_name("site", site)
        path = Path(path)
        if (path / "dataset.json").exists():
            self.dataset = Dataset.open(path)
            if (self.dataset.anatomy, self.dataset.site) != (anatomy, site):
                raise DatasetError(
                    f"'{path.name}' already holds {self.dataset.anatomy} data of site {self.dataset.site}, "
                    f"not {anatomy} of {site}; choose another folder"
                )
        elif path.exists() and any(path.iterdir()):
            raise DatasetError(f"'{path.name}' is not empty and not a dataset; choose another folder")
        else:
            self.dataset = Dataset(path=path, anatomy=anatomy, site=site, provenance=dict(provenance or {}))
            (path / "cases").mkdir(parents=True, exist_ok=True)
            self._write_index()

    def add_case(
        self,
        name: str,
        ct: sitk.Image,
        masks: Mapping[str, sitk.Image],
        *,
        split: str | None = None,
        checks: tuple[str, ...] = (),
    ) -> CaseRecord:
        """Checks and writes one case; a case of the same name is replaced.

        Args:
            name: pseudonym of the case.
            ct: HU on the planning CT's grid; written as int16, values beyond its range are refused.
            masks: TG-263 name -> mask on the same grid; every voxel above 0 belongs to it. One that is missing here is unknown.
            split: one of ``SPLITS`` or None.
            checks: warnings to record.

        Raises:
            CaseError: NaN or values beyond int16 in the CT, a mask on another grid.
            StructureError: a name that is not in the table.
        """
        check_name("case", name)
        if split is not None and split not in SPLITS:
            raise CaseError(name, f"expected split {', '.join(SPLITS)} or none, found '{split}'")
        table = load_structures()
        for structure, mask in masks.items():
            check_same_grid(name, table[structure].name, mask, ct)
        final = self.dataset.path / "cases" / name
        partial = final.with_name(f".{name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        (partial / "structures").mkdir(parents=True)
        sitk.WriteImage(as_int16(name, ct), str(partial / "ct.nii.gz"), useCompression=True)
        for structure, mask in masks.items():
            binary = sitk.Cast(mask > 0, sitk.sitkUInt8)
            sitk.WriteImage(binary, str(partial / "structures" / f"{structure}.nii.gz"), useCompression=True)
        if self.dataset.cases.pop(name, None):
            self._write_index()  # a stop between the next steps must not leave a record of files that are gone
        shutil.rmtree(final, ignore_errors=True)
        partial.replace(final)
        record = CaseRecord(
            name=name,
            split=split,
            spacing_mm=tuple(round(float(value), 4) for value in ct.GetSpacing()),
            structures=tuple(sorted(masks)),
            checks=tuple(checks),
        )
        self.record_case(record)
        return record

    def record_case(self, record: CaseRecord) -> None:
        """Writes a case into ``dataset.json`` whose folder is already in place, as ``data_prep pool`` does after linking it."""
        self.dataset.cases[record.name] = record
        self._write_index()

    def set_splits(self, splits: Mapping[str, str]) -> None:
        """Records the split of the named cases, all at once."""
        for case, split in splits.items():
            self.dataset.cases[case] = replace(self.dataset.cases[case], split=split)
        self._write_index()

    def _write_index(self) -> None:
        content = {
            "schema_version": SCHEMA_VERSION,
            "tool": TOOL,
            "anatomy": self.dataset.anatomy,
            "site": self.dataset.site,
            "provenance": self.dataset.provenance,
            "cases": {
                name: {key: value for key, value in asdict(record).items() if key != "name"}
                for name, record in sorted(self.dataset.cases.items())
            },
        }
        partial = self.dataset.path / ".dataset.json.partial"
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        partial.replace(self.dataset.path / "dataset.json")


def check_name(kind: str, name: str) -> None:
    """Refuses a case or site name that could not be a file name everywhere.

    Raises:
        DatasetError: it is not 1 to 64 lower-case letters, digits, ``_`` or ``-``.
    """
    if not _NAME.fullmatch(name):
        raise DatasetError(f"expected a {kind} name of 1 to 64 lower-case letters, digits, '_' or '-', found '{name}'")


def check_same_grid(case: str, structure: str, mask, ct) -> None:
    """Refuses a mask that does not lie on its CT's grid (size; spacing, origin and direction to 1e-3).

    Args:
        case, structure: names for the message.
        mask, ct: SimpleITK images, or readers that hold their header.

    Raises:
        CaseError: they differ.
    """
    for what, tolerance in (("Size", 0), ("Spacing", 1e-3), ("Origin", 1e-2), ("Direction", 1e-3)):
        found, expected = getattr(mask, f"Get{what}")(), getattr(ct, f"Get{what}")()
        if len(found) != len(expected) or not np.allclose(found, expected, rtol=0, atol=tolerance):
            raise CaseError(
                case,
                f"the mask of {structure} lies on another grid than its CT: expected {what.lower()} "
                f"{_short(expected)}, found {_short(found)}; export both from the same series",
            )


def _short(values) -> str:
    return "(" + ", ".join(f"{value:.4g}" for value in values) + ")"


def as_int16(case: str, ct: sitk.Image) -> sitk.Image:
    """The CT in the type datasets hold: int16 HU, fractions rounded.

    Raises:
        CaseError: NaN, infinite or beyond int16.
    """
    hu_ZYX = sitk.GetArrayViewFromImage(ct)
    if not np.isfinite(hu_ZYX).all():
        raise CaseError(case, "the CT holds NaN or infinite voxels; export it again")
    if hu_ZYX.min() < -32768 or hu_ZYX.max() > 32767:
        raise CaseError(
            case, f"expected HU within int16, found {hu_ZYX.min():.0f} to {hu_ZYX.max():.0f}; check slope and intercept"
        )
    if ct.GetPixelID() == sitk.sitkInt16:
        return ct
    if hu_ZYX.dtype.kind == "f":
        ct = sitk.Round(ct)
    return sitk.Cast(ct, sitk.sitkInt16)


def _read_image(case: str, path: Path) -> sitk.Image:
    if not path.is_file():
        raise CaseError(case, f"expected the file {path.name}, found none; convert the case again")
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise CaseError(case, f"{path.name} is not a readable NIfTI file; convert the case again") from error
    if damage := find_damage(path):
        raise CaseError(case, f"{path.name} {damage}; convert the case again")
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise CaseError(case, f"expected one 3D volume in {path.name}, found {image.GetDimension()} dimensions")
    return image


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


def _check_anatomy(anatomy: str) -> None:
    if anatomy not in ANATOMIES:
        raise DatasetError(f"expected anatomy {' or '.join(ANATOMIES)}, found '{anatomy}'")
