"""An export folder: whose files are in it, and which of them are CT series and structure sets."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from data_prep.dicom.header import Header, read_header
from data_prep.dicom.labels import listed
from data_prep.dicom.listing import EMPTY, ListedFile, list_files
from data_prep.dicom.objects import CTSeries, CTSlice, DicomFile, Export, ExportedPatient, Skipped, StructureSetFile
from data_prep.dicom.open_file import NotDicom
from data_prep.dicom.patients import PatientFiles, group_patients, name_notes
from data_prep.dicom.series import group_series, with_broken
from src.errors import DicomError

_TWO_PATIENTS = "carries the series' UIDs under another PatientID"
_NEIGHBOUR = "lies in the same folder and is damaged: it may be a slice of the series; export it again or take it away"


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
    damaged = _damaged(headers)
    lost = {header.file.label for header in damaged}
    objects = [header for header in headers if header.kind != "directory" and header.file.label not in lost]
    skipped += [_skip(header) for header in headers if header.kind == "directory"]
    groups, left_over = group_patients(objects)
    if not groups:
        raise DicomError(f"expected DICOM files in the export, found none among {len(files)} files; check the path")
    patients = _refuse_shared_series([_patient(group) for group in groups])
    patients, unclaimed = _attribute([*damaged, *(header for header in left_over if header.kind == "ct")], patients)
    skipped += [_skip(header) for header in [*unclaimed, *(header for header in left_over if header.kind != "ct")]]
    patients = [_with_empty(patient, skipped) for patient in patients]
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
                skipped.append(Skipped(file=item.file, why=item.why))
            else:
                headers.append(read_header(item.file))
        except NotDicom:
            skipped.append(Skipped(file=item.file, why="no DICOM"))
    return headers, skipped


def _damaged(headers: Sequence[Header]) -> list[Header]:
    """Files that may have been slices of any series: broken, and not whole or without UIDs, and of no series of the export."""
    series_uids = {header.series_uid for header in headers if isinstance(header.found, CTSlice)} - {""}

    def may_be_any(header: Header) -> bool:
        nameless = header.kind == "ct" and not header.series_uid and not header.study_uid
        return header.found is None and (nameless or not header.whole) and header.series_uid not in series_uids

    return [header for header in headers if header.kind == "damaged" or may_be_any(header)]


def _skip(header: Header) -> Skipped:
    return Skipped(file=header.file, why=header.why or "names no patient, study, series or frame of reference")


def _patient(group: PatientFiles) -> ExportedPatient:
    series, skipped = group_series(group.headers)
    broken = {item.file.label for one in series for item in one.broken}
    skipped += [
        _skip(header)
        for header in group.headers
        if header.found is None and header.kind != "ct" and header.file.label not in broken
    ]
    return ExportedPatient(
        key=group.key,
        identifiers=frozenset().union(*(header.identifiers for header in group.headers)),
        series=series,
        structure_sets=tuple(header.found for header in group.headers if isinstance(header.found, StructureSetFile)),
        skipped=tuple(sorted(skipped, key=lambda item: item.file.label)),
        notes=(*group.notes, *name_notes(group.headers)),
    )


def _refuse_shared_series(patients: Sequence[ExportedPatient]) -> list[ExportedPatient]:
    """One series under two PatientIDs: one of them is wrong, and each patient's slices are broken for the other."""
    owners: Mapping[tuple[str, str], dict[int, CTSeries]] = defaultdict(dict)
    for number, patient in enumerate(patients):
        for series in patient.series:
            if series.series_uid:
                owners[series.study_uid, series.series_uid][number] = series

    def shared(number: int, series: CTSeries) -> Iterable[Skipped]:
        for other, theirs in owners[series.study_uid, series.series_uid].items() if series.series_uid else ():
            if other != number:
                yield from (Skipped(file=image.file, why=_TWO_PATIENTS) for image in theirs.slices)

    return [
        replace(patient, series=tuple(with_broken(series, shared(number, series)) for series in patient.series))
        for number, patient in enumerate(patients)
    ]


def _attribute(lost: Sequence[Header], patients: Sequence[ExportedPatient]) -> tuple[list[ExportedPatient], list[Header]]:
    """Damaged files to the patient whose CT lies in the same folder; where that is several, each is told."""
    homes = [{image.file.path.parent for series in patient.series for image in series.slices} for patient in patients]
    owners = {header.file.label: _neighbours(header.file, homes) for header in lost}
    attributed = []
    for number, patient in enumerate(patients):
        mine = [header for header in lost if owners[header.file.label] == [number]]
        doubtful = [header for header in lost if number in owners[header.file.label] and header not in mine]
        attributed.append(_with_damaged(patient, mine, doubtful))
    return attributed, [header for header in lost if len(owners[header.file.label]) != 1]


def _neighbours(file: DicomFile, homes: Sequence[set[Path]]) -> list[int]:
    return [number for number, folders in enumerate(homes) if file.path.parent in folders]


def _with_damaged(patient: ExportedPatient, mine: Sequence[Header], doubtful: Sequence[Header]) -> ExportedPatient:
    notes = [f"{header.file.label} in the same folder is damaged: it may be a slice of this patient" for header in doubtful]
    series = tuple(
        with_broken(one, [Skipped(file=header.file, why=_NEIGHBOUR) for header in mine if _beside(header, one)])
        for one in patient.series
    )
    return replace(patient, series=series, notes=(*patient.notes, *notes))


def _with_empty(patient: ExportedPatient, skipped: Sequence[Skipped]) -> ExportedPatient:
    """An empty file may be a slice that was never written, or a mark that some program left."""
    folders = {image.file.path.parent for series in patient.series for image in series.slices}
    empty = [item.file for item in skipped if item.why == EMPTY and item.file.path.parent in folders]
    notes = [f"{listed(empty)} in the same folder: empty, and may have been slices of this patient"] if empty else []
    return replace(patient, notes=(*patient.notes, *notes))


def _beside(header: Header, series: CTSeries) -> bool:
    return any(image.file.path.parent == header.file.path.parent for image in series.slices)
