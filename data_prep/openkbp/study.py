"""The study's patients: which public patient is which case, of which site, in which split, and the digest of its voxels."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from data_prep.case_table import CaseRow
from data_prep.csv_file import read_csv
from data_prep.openkbp.patient import Patient, read_patient
from src.data.case_image import to_mask
from src.errors import CaseError, DatasetError

MAPS = Path(__file__).resolve().parents[1] / "maps"
STUDY_TABLE = MAPS / "openkbp_cases.csv"
LABEL_TABLE = MAPS / "openkbp.csv"
DIGEST_COLUMN = "voxels_sha256"


def voxel_digest(ct_ZYX: np.ndarray, labels_ZYX: np.ndarray) -> str:
    """SHA-256 over the shape, the CT (int16 HU, little-endian) and the label map (uint8) of a case, all (Z, Y, X)."""
    digest = hashlib.sha256(repr(tuple(map(int, ct_ZYX.shape))).encode())
    digest.update(np.ascontiguousarray(ct_ZYX, "<i2").tobytes())
    digest.update(np.ascontiguousarray(labels_ZYX, np.uint8).tobytes())
    return digest.hexdigest()


def read_digests(table: Path) -> dict[str, str]:
    """Case -> digest of its voxels, from the table's column ``voxels_sha256``; empty where it has none."""
    return {row["case"]: row[DIGEST_COLUMN] for row in read_csv(table, ("case",)) if row.get(DIGEST_COLUMN)}


def read_labels() -> dict[str, int]:
    """Native name -> number in the label maps of the study."""
    return {row["name"]: int(row["label"]) for row in read_csv(LABEL_TABLE, ("label", "name"))}


def find_patients(root: Path, rows: Iterable[CaseRow]) -> dict[str, Path]:
    """Case -> folder of its patient, anywhere one level below ``root`` (``train-pats/pt_4``, ``validation-pats/pt_201``).

    Raises:
        DatasetError: not a folder, or patients that are not there or there twice.
    """
    if not root.is_dir():
        raise DatasetError(f"expected a folder at --input '{root.name}', found none; check the path")
    rows = list(rows)
    groups = [path for path in sorted(root.iterdir()) if path.is_dir()]
    found = {row.case: [group / row.source for group in groups if (group / row.source).is_dir()] for row in rows}
    if wrong := [row.source for row in rows if len(found[row.case]) != 1]:
        raise DatasetError(
            f"expected each patient once below --input '{root.name}', found {len(wrong)} of {len(rows)} missing or there twice "
            f"({', '.join(wrong[:5])}); give the folder 'provided-data' of a whole clone of github.com/ababier/open-kbp"
        )
    return {case: paths[0] for case, paths in found.items()}


class PublicPatients:
    """The source of cases of an import, as ``import_passes`` reads it; may be read from several threads at once.

    Args:
        folders: case -> folder of its patient.
        matched: native name -> TG-263 name.
        digests: case -> expected digest of its voxels; a case that is not in it is not compared.
    """

    def __init__(self, folders: Mapping[str, Path], matched: Mapping[str, str], digests: Mapping[str, str]) -> None:
        self._folders = folders
        self._matched = matched
        self._digests = digests
        self._label_of = read_labels()

    def read(self, row: CaseRow) -> tuple[sitk.Image, dict[str, sitk.Image]]:
        """One case: its CT in HU, and TG-263 name -> uint8 mask on the same grid.

        Raises:
            CaseError: a file that cannot be used, or voxels that are not those of the study.
        """
        patient = read_patient(row.case, self._folders[row.case], self._label_of)
        self._compare(row, patient)
        masks = {
            self._matched[name]: to_mask(patient.labels_ZYX == self._label_of[name], patient.ct) for name in patient.contoured
        }
        return patient.ct, masks

    def _compare(self, row: CaseRow, patient: Patient) -> None:
        if row.contoured is not None and set(row.contoured) != set(patient.contoured):
            raise CaseError(
                row.case,
                f"expected {' '.join(sorted(row.contoured))} contoured in {row.source}, "
                f"found {' '.join(sorted(patient.contoured))}; the repository changed, or the table is of other patients",
            )
        expected = self._digests.get(row.case)
        if expected and voxel_digest(sitk.GetArrayViewFromImage(patient.ct), patient.labels_ZYX) != expected:
            raise CaseError(
                row.case,
                f"expected the voxels of the study in {row.source}, found others; clone the repository again, or give a "
                f"--table without the column {DIGEST_COLUMN} to take them as they are",
            )
