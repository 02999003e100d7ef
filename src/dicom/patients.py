"""Which files are of one patient."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from src.dicom.header import Header
from src.dicom.identifiers import folded_name


@dataclass
class PatientFiles:
    """The headers of one patient.

    Attributes:
        key: PatientID or the UID that stands in for it; private.
        headers: in the order of their files.
        notes: how files without PatientID came to it.
    """

    key: str = field(repr=False)
    headers: list[Header] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def group_patients(headers: Sequence[Header]) -> tuple[list[PatientFiles], list[Header]]:
    """Files by patient: by PatientID; without one, by the studies and series they share; without these, by frame of reference.

    Args:
        headers: of DICOM objects, in the order of their files.

    Returns:
        The patients in the order of their first file; and the headers that name neither patient, study, series nor frame.
    """
    patients = _by_id(header for header in headers if header.patient_id)
    patients = _add_by_study(patients, [header for header in headers if not header.patient_id and _uids(header)])
    bare = [header for header in headers if not header.patient_id and not _uids(header)]
    patients = _add_by_frame(patients, [header for header in bare if header.frame_uid])
    for patient in patients:
        patient.headers.sort(key=lambda header: header.file.label)
    return sorted(patients, key=lambda patient: patient.headers[0].file.label), [
        header for header in bare if not header.frame_uid
    ]


def name_notes(headers: Iterable[Header]) -> list[str]:
    """Whether one PatientID stands for two people."""
    names = {folded_name(name) for name in {header.name for header in headers}} - {""}
    return [f"{len(names)} different names under one PatientID: is it one patient?"] if len(names) > 1 else []


def notes_on_namesakes(groups: Sequence[PatientFiles]) -> list[list[str]]:
    """Per patient, whether one person seems to stand under two PatientIDs: as two cases, one could train and one test."""
    written = [{(one.name, one.birth_date) for one in group.headers if one.name and one.birth_date} for group in groups]
    people = [{(folded_name(name), date) for name, date in persons} for persons in written]
    counts = Counter(person for persons in people for person in persons)
    what = "another PatientID has the same name and date of birth: if that is one person, both cases belong in one split"
    return [[what] if any(counts[person] > 1 for person in persons) else [] for persons in people]


def _uids(header: Header) -> list[str]:
    return [uid for uid in (header.study_uid, header.series_uid) if uid]


def _by_id(headers: Iterable[Header]) -> list[PatientFiles]:
    patients: dict[str, PatientFiles] = {}
    for header in headers:
        patients.setdefault(header.patient_id, PatientFiles(key=header.patient_id)).headers.append(header)
    return list(patients.values())


def _add_by_study(patients: list[PatientFiles], headers: Sequence[Header]) -> list[PatientFiles]:
    known = defaultdict(dict)
    for patient in patients:
        for header in patient.headers:
            for uid in _uids(header):
                known[uid][patient.key] = patient
    added = []
    for group in _connected(headers):
        owners = {key: patient for header in group for uid in _uids(header) for key, patient in known.get(uid, {}).items()}
        if len(owners) == 1:
            owner = next(iter(owners.values()))
            owner.headers += group
            owner.notes.append("files without PatientID belong to it by their StudyInstanceUID or SeriesInstanceUID")
        else:
            added.append(PatientFiles(key=_uids(group[0])[0], headers=group, notes=[_empty_id("StudyInstanceUID")]))
    return patients + added


def _add_by_frame(patients: list[PatientFiles], headers: Sequence[Header]) -> list[PatientFiles]:
    known = defaultdict(dict)
    for patient in patients:
        for header in patient.headers:
            known[header.frame_uid][id(patient)] = patient
    added: dict[str, PatientFiles] = {}
    for header in headers:
        owners = list(known.get(header.frame_uid, {}).values())
        note = _empty_id("FrameOfReferenceUID")
        if len(owners) == 1:
            owner, note = owners[0], "files without PatientID belong to it by their FrameOfReferenceUID"
        else:
            owner = added.setdefault(header.frame_uid, PatientFiles(key=header.frame_uid))
        owner.headers.append(header)
        if note not in owner.notes:
            owner.notes.append(note)
    return patients + list(added.values())


def _empty_id(stands_in: str) -> str:
    return f"PatientID is empty: it is told apart by its {stands_in}"


def _connected(headers: Sequence[Header]) -> list[list[Header]]:
    """Headers that share a study or a series, or are linked by others that do."""
    group_of: dict[str, list[Header]] = {}
    for header in headers:
        touched = {id(group): group for uid in _uids(header) if (group := group_of.get(uid)) is not None}
        merged = max(touched.values(), key=len, default=[])
        for group in touched.values():
            if group is not merged:
                merged += group
                group_of.update({uid: merged for moved in group for uid in _uids(moved)})
        merged.append(header)
        group_of.update({uid: merged for uid in _uids(header)})
    return list({id(group): group for group in group_of.values()}.values())
