"""CTs in NIfTI files; a file's name may be a patient's, so it is told to nobody."""

from pathlib import Path

from src.data.case_image import as_int16
from src.data.nifti_file import native_name, read_volume
from src.predict.labels import Who, label_cts
from src.predict.planning_ct import PlanningCT, WaitingCT


def find_nifti_cts(path: Path, private: Path) -> list[WaitingCT]:
    """The CT of one file, or of each NIfTI file that lies in a folder itself.

    Args:
        path: file or folder.
        private: folder of the key and the listing.
    """
    files = sorted(entry for entry in path.iterdir() if entry.is_file() and native_name(entry)) if path.is_dir() else [path]
    labels = label_cts(private, {str(file): Who(patient=str(file.resolve())) for file in files})
    return [WaitingCT(label=labels[str(file)], read=_reader(labels[str(file)], file)) for file in files]


def _reader(label: str, file: Path):
    return lambda: PlanningCT(label=label, image=as_int16(label, read_volume(label, file, "CT")))
