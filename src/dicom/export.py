"""An export folder: whose files are in it, and which of them are CT series and structure sets."""

from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from src.dicom.header import Header, read_header
from src.dicom.listing import EMPTY, OUT_OF_REACH, ListedFile, list_files
from src.dicom.lost_files import attribute_damaged, find_damaged, note_empty, refuse_shared_series
from src.dicom.objects import Export, ExportedPatient, Skipped, StructureSetFile
from src.dicom.open_file import NotDicom
from src.dicom.patients import PatientFiles, group_patients, name_notes, notes_on_namesakes
from src.dicom.series import group_series
from src.errors import DicomError


def scan_export(folder: Path) -> Export:
    """What a folder holds, from the headers of its files.

    Args:
        folder: files of any name at any depth.

    Returns:
        The export. Every file is in ``files``; each that is not used stands, with its reason, in ``skipped`` of its patient or
        of the export, or in ``broken`` of the CT series that is incomplete without it.

    Raises:
        DicomError: no such folder, unreadable folders in it, or no DICOM object in any of its files.
    """
    files = list_files(Path(folder))
    headers, skipped = _read_headers(files)
    damaged = find_damaged(headers)
    lost = {header.file.label for header in damaged}
    objects = [header for header in headers if header.kind != "directory" and header.file.label not in lost]
    skipped += [_skip(header) for header in headers if header.kind == "directory"]
    groups, left_over = group_patients(objects)
    if not groups:
        raise DicomError(f"expected DICOM files in the export, found none among {len(files)} files; check the path")
    patients = refuse_shared_series(groups, _patients(groups))
    patients, unclaimed = attribute_damaged([*damaged, *(header for header in left_over if header.kind == "ct")], patients)
    skipped += [_skip(header) for header in [*unclaimed, *(header for header in left_over if header.kind != "ct")]]
    patients = [note_empty(patient, skipped) for patient in patients]
    return Export(
        files=tuple(item.file for item in files),
        patients=tuple(patients),
        skipped=tuple(sorted(skipped, key=lambda item: item.file.label)),
    )


def _read_headers(files: Sequence[ListedFile]) -> tuple[list[Header], list[Skipped]]:
    headers, skipped = [], []
    for item in tqdm(files, desc="reading headers", unit="file", disable=None):
        try:
            if item.why:
                skipped.append(Skipped(file=item.file, why=item.why, may_be_rtstruct=item.why in (EMPTY, OUT_OF_REACH)))
            else:
                headers.append(read_header(item.file))
        except NotDicom:
            skipped.append(Skipped(file=item.file, why="no DICOM"))
    return headers, skipped


def _skip(header: Header) -> Skipped:
    return header.skipped(header.why or "names no patient, study, series or frame of reference")


def _patients(groups: Sequence[PatientFiles]) -> list[ExportedPatient]:
    return [_patient(group, notes) for group, notes in zip(groups, notes_on_namesakes(groups), strict=True)]


def _patient(group: PatientFiles, notes: Sequence[str]) -> ExportedPatient:
    series, skipped = group_series(group.headers)
    broken = {item.file.label for one in series for item in one.broken}
    skipped += [
        _skip(header)
        for header in group.headers
        if header.found is None and header.kind != "ct" and header.file.label not in broken
    ]
    return ExportedPatient(
        key=group.key,
        name=next((header.name for header in group.headers if header.name), ""),
        identifiers=frozenset().union(*(header.identifiers for header in group.headers)),
        series=series,
        structure_sets=tuple(header.found for header in group.headers if isinstance(header.found, StructureSetFile)),
        skipped=tuple(sorted(skipped, key=lambda item: item.file.label)),
        notes=(*group.notes, *name_notes(group.headers), *notes),
    )
