"""The outcome of one patient into the dataset, so that a stop at any moment leaves a valid one that is gone on with."""

from dataclasses import replace
from pathlib import Path
from shutil import rmtree

from data_prep.conversion.outcome import CaseOutcome
from data_prep.conversion.outcome_store import OutcomeStore, StoredOutcome
from src.data.case_files import partial_folder
from src.data.dataset import CaseRecord
from src.data.dataset_writer import DatasetWriter

CHANGING = ""  # a source that no patient has


def is_current(writer: DatasetWriter, stored: StoredOutcome | None, source: str, labels: dict[str, str]) -> bool:
    """Whether what is there came from the same files, options and code, names files by today's labels, and is whole."""
    if stored is None or stored.source != source:
        return False
    if any(labels.get(label) != digest for label, digest in stored.labels.items()):
        return False
    case = stored.outcome.case
    record = writer.dataset.cases.get(case)
    if stored.outcome.status == "refused":
        return record is None
    files = [writer.dataset.ct_path(case), *(writer.dataset.mask_path(case, name) for name in structures_of(stored.outcome))]
    return record is not None and record.structures == structures_of(stored.outcome) and all(path.is_file() for path in files)


def settle(writer: DatasetWriter, store: OutcomeStore, stored: StoredOutcome, before: StoredOutcome | None) -> None:
    """Places a converted case, or takes out one that is refused now: its source says that the earlier one is wrong.

    A split that was drawn once stays, whatever happens in between: a test patient must not come back as a training patient.

    Args:
        writer: of the dataset; the case lies beside its place.
        store: of the outcomes.
        stored: what became of the patient.
        before: what was stored of the patient until now.
    """
    outcome = stored.outcome
    record = writer.dataset.cases.get(outcome.case)
    split = record.split if record else before.split if before else None
    # From here on until the last line, what is on disk may be half of each: it must count as not done.
    store.write(replace(before or stored, source=CHANGING, split=split))
    if outcome.status == "converted":
        writer.place_case(
            CaseRecord(
                name=outcome.case,
                split=split,
                spacing_mm=outcome.spacing_mm,
                structures=structures_of(outcome),
                checks=outcome.warnings,
            )
        )
        split = None  # dataset.json has it
    else:
        rmtree(partial_folder(writer.dataset.path, outcome.case), ignore_errors=True)
        writer.remove_case(outcome.case)
    store.write(replace(stored, split=split))


def structures_of(outcome: CaseOutcome) -> tuple[str, ...]:
    """The structures that became masks, sorted."""
    return tuple(sorted(roi.structure for roi in outcome.rois if roi.structure))


def sweep(writer: DatasetWriter, known_cases: set[str]) -> None:
    """Removes what a killed run left: files half written, and folders of our cases that were not recorded yet."""
    folder: Path = writer.dataset.path
    for path in (
        *folder.glob(".*.partial"),
        *(folder / "cases").glob(".*.partial"),
        *(folder / "conversion").glob(".*.partial"),
    ):
        rmtree(path) if path.is_dir() else path.unlink()
    for case in known_cases - set(writer.dataset.cases):
        rmtree(folder / "cases" / case, ignore_errors=True)
