"""Which of a patient's RTSTRUCTs is converted: a case is a patient, so it is one."""

from collections.abc import Sequence
from dataclasses import dataclass

from src.dicom.objects import ExportedPatient
from src.dicom.pairing import Pairing
from src.errors import DicomError


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A pairing that could be converted.

    Attributes:
        pairing: an RTSTRUCT and its CT.
        num_masks: how many of its ROIs would become masks.
    """

    pairing: Pairing
    num_masks: int


def choose(patient: ExportedPatient, candidates: Sequence[Candidate]) -> tuple[Candidate, tuple[str, ...]]:
    """The one that is converted: with most masks, then approved, then drawn last, then with most ROIs, then the first file.

    One that refers to its CT goes before all that share no more than a frame of reference with theirs: these may show another
    scan (a phase, a PET), however many structures they have.

    Args:
        patient: for the CT series that nobody contoured.
        candidates: the pairings that passed every check, in any order.

    Returns:
        One of ``candidates``, and a note for each RTSTRUCT and each CT series that is left aside.

    Raises:
        DicomError: there are no candidates.
    """
    if not candidates:
        raise DicomError(f"expected an RTSTRUCT that can be converted, found none among {len(patient.structure_sets)}")
    # Sorting keeps the order of equals, also when it is reversed.
    by_file = sorted(candidates, key=lambda one: (len(_label(one)), _label(one)))
    chosen, *others = sorted(by_file, key=_rank, reverse=True)
    notes = [f"another RTSTRUCT, {_label(one)}, with {_why_not(one, chosen)}" for one in others]
    drawn_on = {one.pairing.series.label for one in candidates}
    for series in patient.series:
        if series.label not in drawn_on:
            notes.append(f"another CT, {series.label}, was not converted: no usable RTSTRUCT was drawn on it")
        elif series.label != chosen.pairing.series.label:
            notes.append(f"another CT, {series.label}, was not converted: a case has one")
    return chosen, tuple(notes)


def _why_not(other: Candidate, chosen: Candidate) -> str:
    told = f"{other.num_masks or 'none'} of our structures was not converted"
    surpassed = chosen.pairing.refers_to_it and not other.pairing.refers_to_it and other.num_masks
    return f"{told}: it does not refer to {other.pairing.series.label} itself" if surpassed else told


def _label(candidate: Candidate) -> str:
    return candidate.pairing.structure_set.file.label


def _rank(candidate: Candidate) -> tuple[bool, bool, int, bool, str, int]:
    header, sure = candidate.pairing.structure_set, candidate.pairing.refers_to_it
    return candidate.num_masks > 0, sure, candidate.num_masks, header.approved, header.drawn_at, header.num_rois
