"""Every ROI name of an export with what is decided of it, over all its patients."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tqdm import tqdm

from data_prep.conversion.redaction import Redactor
from data_prep.dicom.header import read_header
from data_prep.dicom.objects import Export, ExportedPatient, Skipped
from data_prep.dicom.open_file import NotDicom
from data_prep.dicom.structure_set import read_structure_set
from data_prep.naming.decide import decide_name, decide_names
from data_prep.naming.decision import NameDecision
from data_prep.naming.names_file import UNDECIDED
from data_prep.naming.spelling import own_name
from src.data.structures import ANATOMIES
from src.errors import DicomError

# What needs a person comes first, then what a person should look over.
ORDER = ("ambiguous", "suggestion", "unknown", "rewritten", "synonym", "exact", "override", "other_anatomy", "planning")


@dataclass(frozen=True, kw_only=True)
class SurveyedName:
    """One name of an export; spellings that are one row of names.csv are one name.

    Attributes:
        decision: of the patient in which it needs a person most.
        patients: how many patients have it.
        written: what the column ``tg263`` of a names.csv says that keeps the decision, in every anatomy.
    """

    decision: NameDecision
    patients: int
    written: str


def survey_names(export: Export, anatomy: str, names: Mapping[str, str | None]) -> tuple[list[SurveyedName], list[Skipped]]:
    """All ROI names of an export's structure sets, without what identifies a patient.

    Args:
        export: what ``scan_export`` found.
        anatomy: one of ``ANATOMIES``.
        names: what ``read_names`` gave.

    Returns:
        The names, those that need a decision first; and the files that are or may be an RTSTRUCT and could not be read.
    """
    found: dict[str, list[NameDecision]] = defaultdict(list)
    unreadable = _unreadable(export)
    for patient in tqdm(export.patients, desc="reading names", unit="patient", disable=None):
        decisions, failed = _of_patient(patient, anatomy, names)
        unreadable += failed
        for key, decision in decisions.items():
            found[key].append(decision)
    rows = [_summed(decisions, anatomy, names) for decisions in found.values()]
    rows.sort(key=lambda row: (ORDER.index(row.decision.confidence), -row.patients, row.decision.native.casefold()))
    return rows, sorted(unreadable, key=lambda item: item.file.label)


def _of_patient(
    patient: ExportedPatient, anatomy: str, names: Mapping[str, str | None]
) -> tuple[dict[str, NameDecision], list[Skipped]]:
    """Key of names.csv -> the decision that needs a person most, over the patient's structure sets; and what failed."""
    redactor = Redactor(patient.identifiers)
    found: dict[str, NameDecision] = {}
    failed = []
    for header in patient.structure_sets:
        try:
            structures = read_structure_set(header)
        except DicomError as error:
            failed.append(Skipped(file=header.file, why=str(error).removeprefix(f"{header.file.label}: ")))
            continue
        for decision in decide_names([redactor.redact(roi.name) for roi in structures.rois], anatomy, names):
            key = own_name(decision.native)
            found[key] = _first((found.get(key, decision), decision))
    return found, failed


def _first(decisions: Iterable[NameDecision]) -> NameDecision:
    return min(decisions, key=lambda decision: ORDER.index(decision.confidence))


def _summed(decisions: list[NameDecision], anatomy: str, names: Mapping[str, str | None]) -> SurveyedName:
    first = _first(decisions)
    alike = Counter(decision.confidence for decision in decisions)[first.confidence]
    if alike < len(decisions):
        first = replace(first, why=f"{first.why} (in {alike} of {len(decisions)} patients)")
    return SurveyedName(decision=first, patients=len(decisions), written=_written(first, anatomy, names))


def _written(decision: NameDecision, anatomy: str, names: Mapping[str, str | None]) -> str:
    """An organ of another anatomy keeps its name, so that a file made for one anatomy does not leave it out of the other."""
    if decision.open:
        return UNDECIDED
    if decision.confidence == "other_anatomy":
        elsewhere = (decide_name(decision.native, other, names).structure for other in ANATOMIES if other != anatomy)
        return next((structure for structure in elsewhere if structure), "")
    return decision.structure or ""


def _unreadable(export: Export) -> list[Skipped]:
    """Files that are an RTSTRUCT, or too damaged to say what they are."""
    listed = [*export.skipped, *(item for patient in export.patients for item in _left_out(patient))]
    return [item for item in {item.file.label: item for item in listed}.values() if _may_be_rtstruct(item)]


def _left_out(patient: ExportedPatient) -> list[Skipped]:
    return [*patient.skipped, *(item for series in patient.series for item in series.broken)]


def _may_be_rtstruct(item: Skipped) -> bool:
    try:
        return read_header(item.file).kind in ("rtstruct", "damaged")
    except (NotDicom, OSError):
        return False
