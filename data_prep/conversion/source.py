"""What a patient's outcome was made from, as a keyed digest: the same one makes the same outcome, so it is not made again."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from data_prep.conversion.outcome import CaseOutcome
from src.data.structures import load_structures
from src.dicom.objects import DicomFile, Export, ExportedPatient
from src.pseudonyms.pseudonym import Pseudonyms

ROOT = Path(__file__).resolve().parents[2]
_LABEL = re.compile(r"\bfile_[0-9]+\b")
LIBRARIES = ("numpy", "SimpleITK", "pydicom", "scipy", "matplotlib")


def source_digest(pseudonyms: Pseudonyms, patient: ExportedPatient, options: Mapping[str, object]) -> str:
    """Keyed digest of a patient's files (UID, size, time of change), the options and the code that converts.

    Args:
        pseudonyms: for the key; without it the digest tells nothing about the files.
        patient: what the export holds of the patient.
        options: what else the outcome depends on.
    """
    in_order = sorted(_files_of(patient), key=lambda found: found[2].label)  # which is not in it: labels move
    files = [f"{kind}|{uid}|{_state(file)}" for kind, uid, file in in_order]
    parts = [*files, *patient.notes, repr(sorted(options.items())), rules_digest()]
    return pseudonyms.digest("\n".join(parts).encode("utf-8", "surrogatepass"))


def _files_of(patient: ExportedPatient) -> Iterator[tuple[str, str, DicomFile]]:
    """Every file of a patient, with what it was taken for and its UID ("" where it was not used)."""
    for series in patient.series:
        yield from ((series.label, image.sop_uid, image.file) for image in series.slices)
        yield from ((f"{series.label} {item.why}", "", item.file) for item in series.broken)
    yield from (("RTSTRUCT", header.sop_uid, header.file) for header in patient.structure_sets)
    yield from ((item.why, "", item.file) for item in patient.skipped)


def label_digests(pseudonyms: Pseudonyms, export: Export, folder: Path) -> dict[str, str]:
    """Label of every file -> keyed digest of its path in the export."""

    def path_of(file: DicomFile) -> bytes:
        return str(file.path.relative_to(folder)).encode("utf-8", "surrogatepass")

    return {file.label: pseudonyms.digest(path_of(file)) for file in export.files}


def labels_in(outcome: CaseOutcome) -> set[str]:
    """The labels of files that an outcome names."""
    return set(_LABEL.findall(outcome.to_json()))


def with_labels(outcome: CaseOutcome, new: Mapping[str, str]) -> CaseOutcome:
    """An outcome that names its files by other labels, ``new`` for old."""
    return CaseOutcome.from_json(_LABEL.sub(lambda found: new.get(found[0], found[0]), outcome.to_json()))


@lru_cache(maxsize=1)
def rules_digest() -> str:
    """SHA-256 of this project's code and tables that make a dataset, and the versions of the libraries below."""
    digest = hashlib.sha256(load_structures().digest.encode())
    for folder in ("data_prep", "src/data"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".yaml", ".csv"):
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    for name in LIBRARIES:
        digest.update(f"{name} {version(name)}".encode())
    return digest.hexdigest()


def _state(file: DicomFile) -> str:
    try:
        status = file.path.stat()
    except OSError:
        return "gone"
    return f"{status.st_size}|{status.st_mtime_ns}"
