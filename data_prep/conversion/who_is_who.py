"""What the private folder says of a patient, so that a physicist finds the patient of a case."""

from src.dicom.objects import Export, ExportedPatient
from src.pseudonyms.pseudonym import Pseudonyms


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
        "name": patient.name,
        "studies": " ".join(sorted({one.study_uid for one in (*series, *structure_sets)} - {""})),
        "series": " ".join(one.series_uid for one in series),
        "structure_sets": " ".join(header.sop_uid for header in structure_sets),
    }
