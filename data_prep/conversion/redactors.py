"""What is taken out of the ROI names of an export: the patient's own identifiers, and everybody else's.

Systems copy structure sets from one patient to the next, with names that somebody typed for the first.
"""

import re
from collections.abc import Iterable

from data_prep.conversion.redaction import Redactor
from src.dicom.objects import Export, ExportedPatient, Roi

_UID = re.compile(r"[0-9]+(\.[0-9]+){3,}")  # DICOM PS3.5 chapter 9; nobody types one, and an export holds thousands


def redactor_of(patient: ExportedPatient) -> Redactor:
    """Takes out whatever the patient's headers hold that identifies, what the RTSTRUCTs refer to as well."""
    return Redactor({*patient.identifiers, patient.key, *(header.drawn_at for header in patient.structure_sets)})


def redactor_of_everybody(export: Export) -> Redactor:
    """Takes out the names, numbers and dates of all patients of an export."""
    identifiers = {text for patient in export.patients for text in (*patient.identifiers, patient.key)}
    return Redactor(text for text in identifiers if not _UID.fullmatch(text))


def native_names(rois: Iterable[Roi], own: Redactor, everybody: Redactor) -> list[str]:
    """The names of a patient's ROIs without what identifies this patient or another one."""
    return [everybody.redact(own.redact(roi.name)) for roi in rois]
