"""CTs of a DICOM export: one series of each patient, the one there is or the one that was asked for.

A patient may have several CTs, such as the phases of a 4D scan or a diagnostic one. Which of them is planned on stands in no
header, and contours on another one look right until somebody plans with them. So nothing is guessed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from src.data.case_image import as_int16
from src.dicom.ct_pixels import read_ct
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.dicom.objects import CTSeries, ExportedPatient, SliceStack
from src.errors import CaseError, DicomError
from src.predict.labels import Who, label_cts
from src.predict.planning_ct import PlanningCT, WaitingCT

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A CT of a patient that can be drawn on, or why none can.

    Attributes:
        who: whose it is; private.
        stack: None where none can.
        notes: with the stack.
        refusal: without it.
    """

    who: Who = field(repr=False)
    stack: SliceStack | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    refusal: str = ""


def find_dicom_cts(folder: Path, private: Path, series: str | None) -> list[WaitingCT]:
    """The CTs of an export.

    Args:
        folder: files of any name at any depth.
        private: folder of the key and the listings, which also say which file is meant by file_0017.
        series: ``all``, or the label of one series of each patient, such as ``series_2``; None where each should have one.

    Returns:
        A CT for each patient, or for each series with ``all``; one that cannot be drawn on is refused when it is read.

    Raises:
        DicomError: no DICOM files are there.
    """
    export = scan_export(folder)
    found = [one for patient in export.patients for one in _of_patient(patient, series)]
    people = {str(number): one.who for number, one in enumerate(found)}
    labels = label_cts(private, people, {file.label: str(file.path) for file in export.files})
    return [WaitingCT(label=labels[str(number)], read=_reader(labels[str(number)], one)) for number, one in enumerate(found)]


def _reader(label: str, found: _Found):
    def read() -> PlanningCT:
        if found.stack is None:
            raise CaseError(label, found.refusal)
        try:
            image = as_int16(label, read_ct(found.stack))
        except DicomError as error:
            raise CaseError(label, str(error)) from None
        return PlanningCT(label=label, image=image, stack=found.stack, notes=found.notes)

    return read


def _of_patient(patient: ExportedPatient, wanted: str | None) -> Iterator[_Found]:
    stacks, problems = _stack_all(patient)
    if wanted == ALL:
        chosen = list(stacks)
    elif wanted is not None:
        chosen = [label for label in stacks if label == wanted]
    else:
        chosen = list(stacks) if len(stacks) == 1 else []
    if not chosen:
        yield _Found(who=_who(patient, None), refusal=_refusal(patient, stacks, problems, wanted))
    for label in chosen:
        others = [other for other in stacks if other not in chosen]
        notes = [f"another CT of this patient, {other}, was not drawn on ({_describe(stacks[other])})" for other in others]
        notes += [f"another CT of this patient cannot be drawn on: {problem}" for problem in problems.values()]
        series = next(one for one in patient.series if one.label == label)
        notes = (*patient.notes, *stacks[label].notes, *notes)
        yield _Found(who=_who(patient, series), stack=stacks[label], notes=notes)


def _stack_all(patient: ExportedPatient) -> tuple[dict[str, SliceStack], dict[str, str]]:
    """Label -> the series that are regular grids; label -> why the others are none."""
    stacks, problems = {}, {}
    for series in patient.series:
        try:
            stacks[series.label] = stack_slices(series)
        except DicomError as error:
            problems[series.label] = str(error)
    return stacks, problems


def _refusal(patient: ExportedPatient, stacks: dict, problems: dict, wanted: str | None) -> str:
    if wanted in problems:
        return problems[wanted]
    if not patient.series:
        return "expected a CT series of this patient, found none; export its planning CT"
    if not stacks:
        return "; ".join(problems.values())
    listed = "; ".join(f"{label}: {_describe(stack)}" for label, stack in stacks.items())
    if wanted is not None:
        return f"expected {wanted}, as --series says, found {listed}"
    return (
        f"expected one CT series, found {len(stacks)} ({listed}); choose with --series {next(iter(stacks))} and --only, "
        "draw on each with --series all, or export the planning CT alone"
    )


def _describe(stack: SliceStack) -> str:
    columns, rows, slices = stack.grid.size
    spacing = " × ".join(f"{value:.3g}" for value in stack.grid.spacing_mm)
    return f"{slices} slices of {columns} × {rows}, {spacing} mm"


def _who(patient: ExportedPatient, series: CTSeries | None) -> Who:
    """Of a series without UID, or of none, its patient's other facts alone."""
    study, uid = (series.study_uid, series.series_uid or series.label) if series else ("", "")
    return Who(patient=patient.key, name=patient.name, study=study, series=uid)
