"""Files that may be slices of a series and cannot be used as such: the series they may belong to is not whole without them.

Left unsaid, a lost slice at the end of a volume would shorten it without a hole.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from src.dicom.header import Header
from src.dicom.labels import listed
from src.dicom.listing import EMPTY
from src.dicom.objects import CTSeries, CTSlice, DicomFile, ExportedPatient, Skipped
from src.dicom.patients import PatientFiles
from src.dicom.series import with_broken

_TWO_PATIENTS = "carries the series' UIDs under another PatientID"
_NEIGHBOUR = "lies in the same folder and is damaged: it may be a slice of the series; export it again or take it away"


def find_damaged(headers: Sequence[Header]) -> list[Header]:
    """Files that may have been slices of any series: broken, and not whole or without UIDs, and of no series of the export."""
    series_uids = {header.series_uid for header in headers if isinstance(header.found, CTSlice)} - {""}

    def may_be_any(header: Header) -> bool:
        nameless = header.kind == "ct" and not header.series_uid and not header.study_uid
        return header.found is None and (nameless or not header.whole) and header.series_uid not in series_uids

    return [header for header in headers if header.kind == "damaged" or may_be_any(header)]


def refuse_shared_series(groups: Sequence[PatientFiles], patients: Sequence[ExportedPatient]) -> list[ExportedPatient]:
    """One series under two PatientIDs: one of them is wrong, and each patient's images are broken for the other."""
    owners: dict[tuple[str, str], list[tuple[int, Header]]] = defaultdict(list)
    for number, group in enumerate(groups):
        for header in group.headers:
            if header.kind == "ct" and header.series_uid:
                owners[header.study_uid, header.series_uid].append((number, header))

    def shared(number: int, series: CTSeries) -> list[Skipped]:
        found = owners.get((series.study_uid, series.series_uid), ())
        return [header.skipped(_TWO_PATIENTS) for other, header in found if other != number]

    return [
        replace(patient, series=tuple(with_broken(series, shared(number, series)) for series in patient.series))
        for number, patient in enumerate(patients)
    ]


def attribute_damaged(
    lost: Sequence[Header], patients: Sequence[ExportedPatient]
) -> tuple[list[ExportedPatient], list[Header]]:
    """Damaged files to the patient whose CT lies in the same folder; where that is several, each is told."""
    homes = [{image.file.path.parent for series in patient.series for image in series.slices} for patient in patients]
    owners = {header.file.label: _neighbours(header.file, homes) for header in lost}
    attributed = []
    for number, patient in enumerate(patients):
        mine = [header for header in lost if owners[header.file.label] == [number]]
        doubtful = [header for header in lost if number in owners[header.file.label] and len(owners[header.file.label]) > 1]
        attributed.append(_with_damaged(patient, mine, doubtful))
    return attributed, [header for header in lost if len(owners[header.file.label]) != 1]


def _neighbours(file: DicomFile, homes: Sequence[set[Path]]) -> list[int]:
    return [number for number, folders in enumerate(homes) if file.path.parent in folders]


def _with_damaged(patient: ExportedPatient, mine: Sequence[Header], doubtful: Sequence[Header]) -> ExportedPatient:
    notes = []
    if doubtful:
        files = listed(header.file for header in doubtful)
        notes = [f"{files} in the same folder: damaged, and may be slices of this patient"]
    series = tuple(
        with_broken(one, [header.skipped(_NEIGHBOUR) for header in mine if _beside(header, one)]) for one in patient.series
    )
    return replace(patient, series=series, notes=(*patient.notes, *notes))


def note_empty(patient: ExportedPatient, skipped: Sequence[Skipped]) -> ExportedPatient:
    """An empty file may be a slice that was never written, or a mark that some program left."""
    folders = {image.file.path.parent for series in patient.series for image in series.slices}
    empty = [item.file for item in skipped if item.why == EMPTY and item.file.path.parent in folders]
    notes = [f"{listed(empty)} in the same folder: empty, and may have been slices of this patient"] if empty else []
    return replace(patient, notes=(*patient.notes, *notes))


def _beside(header: Header, series: CTSeries) -> bool:
    return any(image.file.path.parent == header.file.path.parent for image in series.slices)
