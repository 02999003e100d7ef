"""Every ROI name of an export with what is decided of it, over all its patients."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tqdm import tqdm

from data_prep.conversion.redaction import Redactor
from data_prep.conversion.redactors import native_names, redactor_of, redactor_of_everybody
from data_prep.naming.decide import decide_name, decide_names
from data_prep.naming.decision import NameDecision
from data_prep.naming.names_file import UNDECIDED
from data_prep.naming.spelling import own_name
from src.data.structures import ANATOMIES
from src.dicom.objects import Export, ExportedPatient, Skipped
from src.dicom.structure_set import read_structure_set
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


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The names of an export.

    Attributes:
        names: those with contours, what needs a decision first.
        without_contours: native names that are empty or points in every patient: never converted, so nobody need decide.
        unreadable: files that are or may be an RTSTRUCT and could not be read.
    """

    names: tuple[SurveyedName, ...]
    without_contours: tuple[str, ...]
    unreadable: tuple[Skipped, ...]


def survey_names(export: Export, anatomy: str, names: Mapping[str, str | None]) -> Survey:
    """All ROI names of an export's structure sets, without what identifies a patient.

    Args:
        export: what ``scan_export`` found.
        anatomy: one of ``ANATOMIES``.
        names: what ``read_names`` gave.
    """
    found: dict[str, list[NameDecision]] = defaultdict(list)
    empty: dict[str, str] = {}
    unreadable = _unreadable(export)
    everybody = redactor_of_everybody(export)
    for patient in tqdm(export.patients, desc="reading names", unit="patient", disable=None):
        for decision in _of_patient(patient, anatomy, names, empty, unreadable, everybody):
            found[own_name(decision.native)].append(decision)
    rows = [_summed(decisions, anatomy, names) for decisions in found.values()]
    rows.sort(key=lambda row: (ORDER.index(row.decision.confidence), -row.patients, row.decision.native.casefold()))
    return Survey(
        names=tuple(rows),
        without_contours=tuple(sorted(native for key, native in empty.items() if key not in found)),
        unreadable=tuple(sorted(unreadable, key=lambda item: item.file.label)),
    )


def _of_patient(
    patient: ExportedPatient,
    anatomy: str,
    names: Mapping[str, str | None],
    empty: dict[str, str],
    unreadable: list[Skipped],
    everybody: Redactor,
) -> Iterable[NameDecision]:
    """One decision per name with contours, that which needs a person most; what has none, or failed, goes to the last two."""
    own = redactor_of(patient)
    found: dict[str, NameDecision] = {}
    for header in patient.structure_sets:
        try:
            rois = read_structure_set(header).rois
        except DicomError as error:
            unreadable.append(Skipped(file=header.file, why=str(error).removeprefix(f"{header.file.label}: ")))
            continue
        drawn = [roi.drawn for roi in rois]
        decisions = decide_names(native_names(rois, own, everybody), anatomy, names, drawn=drawn)
        for decision, has_contours in zip(decisions, drawn, strict=True):
            key = own_name(decision.native)
            if has_contours:
                found[key] = _first((found.get(key, decision), decision))
            else:
                empty.setdefault(key, decision.native)
    return found.values()


def _first(decisions: Iterable[NameDecision]) -> NameDecision:
    return min(decisions, key=lambda decision: (ORDER.index(decision.confidence), decision.native))


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
    skipped = [*export.skipped, *(item for patient in export.patients for item in _left_out(patient))]
    return list({item.file.label: item for item in skipped if item.may_be_rtstruct}.values())


def _left_out(patient: ExportedPatient) -> list[Skipped]:
    return [*patient.skipped, *(item for series in patient.series for item in series.broken)]
