"""What the private folder says of a patient, so that a physicist finds the patient of a case."""

from data_prep.conversion.pseudonym import Pseudonyms
from data_prep.conversion.source import files_of
from data_prep.dicom.character_set import decode_text
from data_prep.dicom.element import raw_bytes, read_text, tag_of
from data_prep.dicom.objects import DicomFile, Export, ExportedPatient
from data_prep.dicom.open_file import open_header
from data_prep.dicom.quiet import quiet_pydicom
from src.errors import DicomError

_NAME_TAGS = tuple(tag_of(keyword) for keyword in ("SpecificCharacterSet", "PatientName"))


def record_patients(pseudonyms: Pseudonyms, export: Export, cases: dict[str, str]) -> None:
    """Writes the private listings: which case is which patient, and which file each label means.

    Args:
        pseudonyms: the private folder.
        export: all patients and files.
        cases: patient -> case.
    """
    pseudonyms.record({patient.key: _row(patient, cases[patient.key]) for patient in export.patients})
    pseudonyms.record_files((file.label, str(file.path)) for file in export.files)


def _row(patient: ExportedPatient, case: str) -> dict[str, str]:
    series, structure_sets = patient.series, patient.structure_sets
    return {
        "case": case,
        "patient": patient.key,
        "name": next((name for _, _, file in files_of(patient) if (name := _name_in(file))), ""),
        "studies": " ".join(sorted({one.study_uid for one in (*series, *structure_sets)} - {""})),
        "series": " ".join(one.series_uid for one in series),
        "structure_sets": " ".join(header.sop_uid for header in structure_sets),
    }


def _name_in(file: DicomFile) -> str:
    """The patient's name in a file; "" where it has none, or is no longer readable."""
    try:
        dataset, _ = open_header(file, _NAME_TAGS)
        value = raw_bytes(dataset, "PatientName") or b""
        with quiet_pydicom():
            return decode_text(value, read_text(dataset, "SpecificCharacterSet"))[0].strip(" \0")
    except DicomError:
        return ""
