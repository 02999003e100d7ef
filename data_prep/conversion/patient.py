"""One patient, start to end: pair, name, stack, read, rasterise, check, draw, write."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import rmtree

import SimpleITK as sitk

from data_prep.conversion.candidates import Readable, find_candidates
from data_prep.conversion.found import describe_patient
from data_prep.conversion.lock import writer_lock
from data_prep.conversion.outcome import WITH_ITS_CASE, CaseOutcome, RoiOutcome
from data_prep.conversion.picture import draw_case
from data_prep.conversion.redaction import Redactor
from data_prep.conversion.roi import convert_rois
from src.case_checks.case import check_images
from src.data.case_files import partial_folder, write_beside
from src.dicom.ct_pixels import read_ct
from src.dicom.objects import ExportedPatient
from src.errors import OarError


@dataclass(frozen=True, kw_only=True)
class PatientTask:
    """What a process needs to convert one patient.

    Attributes:
        case: pseudonym.
        patient: what the export holds.
        anatomy: one of ``ANATOMIES``.
        names: the site's names.csv, native -> TG-263 name or None for leaving out.
        allow_frame_mismatch: the user's ``--allow-frame-mismatch``.
        everybody: takes out the identifiers of all patients of the export.
        dataset_path: where the case is written beside its place.
        private_folder: of the dataset; held while writing.
        num_threads: how many a library may use.
    """

    case: str
    patient: ExportedPatient = field(repr=False)
    anatomy: str
    names: Mapping[str, str | None]
    allow_frame_mismatch: bool
    everybody: Redactor = field(repr=False)
    dataset_path: Path = field(repr=False)
    private_folder: Path = field(repr=False)
    num_threads: int = 1


def convert_patient(task: PatientTask) -> str:
    """Converts one patient into ``cases/.<case>.partial``, or finds out why not.

    Returns:
        The outcome as JSON; of a refused patient nothing is left in the dataset's folder.
    """
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(task.num_threads)
    with writer_lock(task.private_folder):
        outcome = _convert(task)
        if outcome.status == "refused":
            rmtree(partial_folder(task.dataset_path, task.case), ignore_errors=True)
    return outcome.to_json()


def _convert(task: PatientTask) -> CaseOutcome:
    readable = find_candidates(
        task.patient,
        anatomy=task.anatomy,
        names=task.names,
        allow_frame_mismatch=task.allow_frame_mismatch,
        everybody=task.everybody,
    )
    found = describe_patient(task.patient, {label: stack.grid for label, stack in readable.stacks.items()})
    refused = CaseOutcome(case=task.case, status="refused", found=found, warnings=task.patient.notes)
    if not readable.candidates:
        return replace(refused, refusals=readable.refusals)
    try:
        return _convert_chosen(task, readable, refused)
    except OarError as error:
        return replace(refused, refusals=(str(error).removeprefix(f"case {task.case}: "),))


def _convert_chosen(task: PatientTask, readable: Readable, refused: CaseOutcome) -> CaseOutcome:
    chosen, notes = readable.choose()
    ct = read_ct(chosen.stack)
    masks: dict[str, sitk.Image] = {}
    rois = tuple(convert_rois(chosen, ct, masks))
    notes = (*task.patient.notes, *chosen.notes, *notes, *readable.refusals, *_roi_warnings(rois))
    if not masks:
        why = "expected an ROI that becomes a mask, found none; see what became of each, and decide open names in names.csv"
        return replace(refused, rois=rois, refusals=(why,), warnings=notes)
    findings = check_images(task.case, ct, masks)
    if wrong := tuple(finding.what for finding in findings if finding.severity == "refused"):
        rois = tuple(_without_mask(roi) for roi in rois)
        return replace(refused, rois=rois, refusals=wrong, warnings=notes)
    picture = draw_case(ct, masks)
    write_beside(task.dataset_path, task.case, ct, masks)
    return replace(
        refused,
        status="converted",
        rois=rois,
        warnings=(*notes, *dict.fromkeys(finding.what for finding in findings)),
        size=tuple(ct.GetSize()),
        spacing_mm=tuple(round(float(value), 4) for value in ct.GetSpacing()),
        picture_png_base64=b64encode(picture).decode("ascii"),
    )


def _roi_warnings(rois: tuple[RoiOutcome, ...]) -> Iterator[str]:
    """Without native names: warnings stand in dataset.json, and a name may hold what no redactor knows, a misspelt one's."""
    yield from dict.fromkeys(roi.why for roi in rois if roi.decision == "refused")
    if undecided := sum(roi.decision == "undecided" for roi in rois):
        yield f"ROIs left out because nobody knows their names: {undecided}; the report lists them for names.csv"


def _without_mask(roi: RoiOutcome) -> RoiOutcome:
    if roi.decision != "converted":
        return roi
    return replace(roi, decision="refused", structure=None, volume_cm3=None, why=WITH_ITS_CASE)
