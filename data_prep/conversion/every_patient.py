"""All patients of an export into one dataset; what is done and has not changed is not done again."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from data_prep.conversion.case_by_case import CHANGING, is_current, relabel, settle, sweep
from data_prep.conversion.found import describe_patient
from data_prep.conversion.jobs import JobEnd, run_jobs
from data_prep.conversion.outcome import CaseOutcome
from data_prep.conversion.outcome_store import OutcomeStore, StoredOutcome
from data_prep.conversion.patient import PatientTask, convert_patient
from data_prep.conversion.redactors import redactor_of_everybody
from data_prep.conversion.source import label_digests, labels_in, source_digest
from data_prep.conversion.who_is_who import record_patients
from src.data.dataset_writer import DatasetWriter
from src.dicom.objects import Export, ExportedPatient
from src.pseudonyms.pseudonym import Pseudonyms

PATIENT_TIMEOUT_S = 30 * 60  # a patient takes seconds; what takes this long is a file that makes a library loop
VANISHED = "this export does not hold the patient; the case was kept from an earlier one"


@dataclass(frozen=True, kw_only=True)
class ConversionSettings:
    """What the user chose.

    Attributes:
        anatomy: one of ``ANATOMIES``.
        names: the site's names.csv, native -> TG-263 name or None for leaving out.
        allow_frame_mismatch: whether contours of another frame of reference than the CT's are converted.
        num_jobs: patients at a time.
        num_threads: threads of each.
    """

    anatomy: str
    names: Mapping[str, str | None]
    allow_frame_mismatch: bool
    num_jobs: int
    num_threads: int


class EveryPatient:
    """Converts the patients of one export.

    Args:
        export: what was found.
        folder: where it was found.
        settings: what the user chose.
        pseudonyms: of the dataset.
        writer: of the dataset; nobody else writes into it.
    """

    def __init__(
        self, export: Export, folder: Path, settings: ConversionSettings, pseudonyms: Pseudonyms, writer: DatasetWriter
    ) -> None:
        self.settings = settings
        self.pseudonyms = pseudonyms
        self.writer = writer
        self.store = OutcomeStore(writer.dataset.path)
        cases = pseudonyms.names_of(patient.key for patient in export.patients)
        record_patients(pseudonyms, export, cases)
        self.patients = {cases[patient.key]: patient for patient in export.patients}
        self.everybody = redactor_of_everybody(export)
        self.labels = label_digests(pseudonyms, export, folder)
        options = {
            "anatomy": settings.anatomy,
            "frames": settings.allow_frame_mismatch,
            "names": sorted(settings.names.items()),
        }
        self.sources = {case: source_digest(pseudonyms, patient, options) for case, patient in self.patients.items()}

    def convert(self) -> list[CaseOutcome]:
        """Converts whoever is new or changed.

        Returns:
            The outcomes of this export's patients and of the converted ones of earlier exports, by case.
        """
        sweep(self.writer, self.pseudonyms.known_cases())
        stored = {
            case: relabel(self.writer, self.store, one, self.labels) if case in self.patients else one
            for case, one in self.store.read_all().items()
        }
        todo = [case for case in self.patients if not self._is_current(case, stored.get(case))]
        ends = run_jobs(
            convert_patient,
            {case: self._task(case) for case in todo},
            num_jobs=self.settings.num_jobs,
            timeout_s=PATIENT_TIMEOUT_S,
        )
        with closing(ends), tqdm(total=len(self.patients), desc="converting", unit="patient", disable=None) as progress:
            progress.update(len(self.patients) - len(todo))
            for case, end in ends:
                settle(self.writer, self.store, self._stored(case, end), stored.get(case))
                progress.update()
        return sorted(self._outcomes(), key=lambda outcome: outcome.case)

    def _is_current(self, case: str, stored: StoredOutcome | None) -> bool:
        """Also not where a patient who came later turns out to be named in it."""
        if not is_current(self.writer, stored, self.sources[case]):
            return False
        return all(self.everybody.redact(roi.native) == roi.native for roi in stored.outcome.rois)

    def _task(self, case: str) -> PatientTask:
        return PatientTask(
            case=case,
            patient=self.patients[case],
            anatomy=self.settings.anatomy,
            names=self.settings.names,
            allow_frame_mismatch=self.settings.allow_frame_mismatch,
            everybody=self.everybody,
            dataset_path=self.writer.dataset.path,
            private_folder=self.pseudonyms.folder,
            num_threads=self.settings.num_threads,
        )

    def _stored(self, case: str, end: JobEnd) -> StoredOutcome:
        if end.result is None:  # says nothing about the files for certain: the next run tries again
            patient: ExportedPatient = self.patients[case]
            found = describe_patient(patient)
            outcome = CaseOutcome(case=case, status="refused", found=found, refusals=(end.failure,), warnings=patient.notes)
            return StoredOutcome(outcome=outcome, source=CHANGING)
        outcome = CaseOutcome.from_json(end.result)
        labels = {label: self.labels[label] for label in labels_in(outcome) if label in self.labels}
        return StoredOutcome(outcome=outcome, source=self.sources[case], labels=labels)

    def _outcomes(self) -> Iterator[CaseOutcome]:
        for case, stored in self.store.read_all().items():
            if case in self.patients:
                yield stored.outcome
            elif case in self.writer.dataset.cases:
                yield replace(stored.outcome, warnings=(*stored.outcome.warnings, VANISHED))
            else:
                self.store.remove(case)
