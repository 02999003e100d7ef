"""An export folder: whose files are in it, and which of them are CT series and structure sets."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from data_prep.dicom.header import Header, read_header
from data_prep.dicom.listing import ListedFile, list_files
from data_prep.dicom.objects import CTSeries, DicomFile, Export, ExportedPatient, Skipped, StructureSetFile
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
    listed = list_files(Path(folder))
    headers, skipped = _read_headers(listed)
    damaged = [header for header in headers if header.kind == "damaged"]
    objects = [header for header in headers if header.kind not in ("damaged", "directory")]
    skipped += [_skip(header) for header in headers if header.kind == "directory"]
    groups, left_over = group_patients(objects)
    if not groups:
        raise DicomError(f"expected DICOM files in the export, found none among {len(listed)} files; check the path")
    skipped += [Skipped(file=header.file, why="names no patient, study, series or frame of reference") for header in left_over]
    patients = _refuse_shared_series([_patient(group) for group in groups])
    patients, unclaimed = _attribute([*damaged, *left_over], patients)
    left_over_labels = {header.file.label for header in left_over}
    skipped += [_skip(header) for header in unclaimed if header.file.label not in left_over_labels]
    return Export(
        files=tuple(item.file for item in listed),
        patients=tuple(patients),
        skipped=tuple(sorted(skipped, key=lambda item: item.file.label)),
    )


def _read_headers(listed: Sequence[ListedFile]) -> tuple[list[Header], list[Skipped]]:
    headers, skipped = [], []
    for item in tqdm(listed, desc="reading headers", unit="file", disable=None):
        try:
            if item.why:
                skipped.append(Skipped(file=item.file, why=item.why))
            else:
                headers.append(read_header(item.file))
        except NotDicom:
            skipped.append(Skipped(file=item.file, why="no DICOM"))
    return headers, skipped


def _skip(header: Header) -> Skipped:
    return Skipped(file=header.file, why=header.why)


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


def _beside(header: Header, series: CTSeries) -> bool:
    return any(image.file.path.parent == header.file.path.parent for image in series.slices)
