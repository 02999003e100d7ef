"""What is to be drawn on: a DICOM export, NIfTI files or a dataset; its CTs, each read when its turn comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from src.data.dataset import Dataset
from src.data.nifti_file import native_name
from src.errors import DatasetError, ModelCardError
from src.predict.dicom_inputs import find_dicom_cts
from src.predict.nifti_inputs import find_nifti_cts
from src.predict.planning_ct import PlanningCT, WaitingCT

Kind = Literal["dicom", "nifti", "dataset"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the CTs lie.

    Attributes:
        kind: what was found there.
        path: file or folder; private.
    """

    kind: Kind
    path: Path

    def check_anatomy(self, anatomy: str) -> None:
        """Refuses a dataset of another anatomy than the models'; other CTs do not say what they show.

        Raises:
            ModelCardError: it is of another one.
        """
        if self.kind == "dataset" and (found := Dataset.open(self.path).anatomy) != anatomy:
            raise ModelCardError(f"expected a dataset of {anatomy}, for which the models were made, found one of {found}")

    def find_cts(self, private: Path, series: str | None) -> list[WaitingCT]:
        """The CTs, in the order of their labels.

        Args:
            private: folder of the key and the listings; nothing is written there for a dataset, whose cases have pseudonyms.
            series: of a DICOM export: which CT series of a patient, see ``find_dicom_cts``.

        Raises:
            DatasetError: none is there, or ``series`` was given for what has no series.
        """
        if series is not None and self.kind != "dicom":
            raise DatasetError("expected --series with a DICOM export alone, found other files at --input; leave it out")
        match self.kind:
            case "dicom":
                found = find_dicom_cts(self.path, private, series)
            case "nifti":
                found = find_nifti_cts(self.path, private)
            case "dataset":
                found = _of_dataset(self.path)
        return sorted(found, key=lambda ct: ct.label)


def find_source(path: Path) -> Source:
    """What lies at a path: a dataset, NIfTI files (a folder's own, not those below it), or else a DICOM export.

    Raises:
        DatasetError: nothing is there, or one file that is no NIfTI.
    """
    if path.is_file():
        if native_name(path) is None:
            raise DatasetError("expected a folder or a NIfTI file at --input, found another file; give the export's folder")
        return Source(kind="nifti", path=path)
    if not path.is_dir():
        raise DatasetError("expected a folder or a NIfTI file at --input, found nothing there; check the path")
    if (path / "dataset.json").is_file():
        return Source(kind="dataset", path=path)
    is_nifti = any(native_name(entry) for entry in path.iterdir() if entry.is_file())
    return Source(kind="nifti" if is_nifti else "dicom", path=path)


def choose_cts(found: Sequence[WaitingCT], only: Sequence[str]) -> list[WaitingCT]:
    """The CTs that were asked for; all where none was.

    Raises:
        DatasetError: one is not there.
    """
    labels = [ct.label for ct in found]
    if missing := [label for label in only if label not in labels]:
        raise DatasetError(
            f"expected labels of CTs at --only, found '{missing[0]}'; there are {', '.join(labels[:8])}"
            f"{f' and {len(labels) - 8} more' if len(labels) > 8 else ''}"
        )
    return [ct for ct in found if not only or ct.label in only]


def _of_dataset(path: Path) -> list[WaitingCT]:
    dataset = Dataset.open(path)

    def reader(case: str):
        return lambda: PlanningCT(label=case, image=dataset.read_ct(case))

    return [WaitingCT(label=case, read=reader(case)) for case in dataset.cases]
