"""Which of a patient's RTSTRUCTs can be converted on which CT, and which of them is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from data_prep.conversion.redaction import Redactor
from data_prep.conversion.redactors import native_names, redactor_of
from data_prep.naming.decide import decide_names
from data_prep.naming.decision import NameDecision
from src.dicom.choice import Candidate, choose
from src.dicom.ct_series import stack_slices
from src.dicom.frames import check_frames
from src.dicom.objects import CTSeries, ExportedPatient, Roi, SliceStack, StructureSet
from src.dicom.pairing import find_series
from src.dicom.structure_set import read_structure_set
from src.errors import DicomError


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """An RTSTRUCT with its CT, read and named.

    Attributes:
        candidate: the pair.
        stack: the CT as one regular grid.
        rois: its ROIs.
        decisions: what each ROI's name means, in the order of ``rois``.
        notes: what a person should know.
    """

    candidate: Candidate
    stack: SliceStack
    rois: tuple[Roi, ...]
    decisions: tuple[NameDecision, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Readable:
    """What of a patient can be converted.

    Attributes:
        patient: whose it is.
        candidates: RTSTRUCTs that have a CT and passed every check before the voxels.
        stacks: label -> every CT series that is one regular grid.
        refusals: why others cannot, one line each.
    """

    patient: ExportedPatient
    candidates: tuple[Chosen, ...] = ()
    stacks: Mapping[str, SliceStack] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()

    def choose(self) -> tuple[Chosen, tuple[str, ...]]:
        """The one that is converted, and a note on each other one."""
        candidate, notes = choose(self.patient, [chosen.candidate for chosen in self.candidates])
        return next(chosen for chosen in self.candidates if chosen.candidate is candidate), notes


def find_candidates(
    patient: ExportedPatient,
    *,
    anatomy: str,
    names: Mapping[str, str | None],
    allow_frame_mismatch: bool,
    everybody: Redactor,
) -> Readable:
    """Reads every RTSTRUCT of a patient and stacks every CT series; no pixels but those of slices at one place.

    Args:
        patient: what the export holds.
        anatomy, names: for the names of the ROIs; see ``decide_names``.
        allow_frame_mismatch: the user's ``--allow-frame-mismatch``.
        everybody: takes out the identifiers of all patients of the export.
    """
    stacks, problems = _stack_all(patient.series)
    if not patient.structure_sets or not patient.series:
        return Readable(patient=patient, stacks=stacks, refusals=(*_missing(patient), *problems.values()))
    own = redactor_of(patient)
    candidates, refusals = [], []
    for header in patient.structure_sets:
        try:
            pairing = find_series(header, patient, allow_frame_mismatch=allow_frame_mismatch)
            if pairing.series.label in problems:
                raise DicomError(problems[pairing.series.label])
            structures = read_structure_set(header)
            natives = native_names(structures.rois, own, everybody)
            drawn = [roi.drawn for roi in structures.rois]
            decisions = tuple(decide_names(natives, anatomy, names, drawn=drawn))
            mapped = _mapped(structures, decisions)
            frame_notes = check_frames(mapped, pairing.series, allow_mismatch=allow_frame_mismatch)
        except DicomError as error:
            refusals.append(str(error))
            continue
        stack = stacks[pairing.series.label]
        candidate = Candidate(pairing=pairing, num_masks=sum(bool(roi.contours and not roi.damage) for roi in mapped.rois))
        notes = (*pairing.notes, *stack.notes, *structures.notes, *frame_notes)
        candidates.append(Chosen(candidate=candidate, stack=stack, rois=structures.rois, decisions=decisions, notes=notes))
    return Readable(patient=patient, candidates=tuple(candidates), stacks=stacks, refusals=tuple(dict.fromkeys(refusals)))


def _stack_all(all_series: tuple[CTSeries, ...]) -> tuple[dict[str, SliceStack], dict[str, str]]:
    stacks, problems = {}, {}
    for series in all_series:
        try:
            stacks[series.label] = stack_slices(series)
        except DicomError as error:
            problems[series.label] = str(error)
    return stacks, problems


def _mapped(structures: StructureSet, decisions: tuple[NameDecision, ...]) -> StructureSet:
    pairs = zip(structures.rois, decisions, strict=True)
    return replace(structures, rois=tuple(roi for roi, decision in pairs if decision.structure))


def _missing(patient: ExportedPatient) -> tuple[str, ...]:
    refusals = []
    if not patient.structure_sets:
        refusals.append("expected an RTSTRUCT of this patient, found none; export it together with the CT")
    if not patient.series:
        refusals.append("expected a CT series of this patient, found none; export it together with the RTSTRUCT")
    return tuple(refusals)
