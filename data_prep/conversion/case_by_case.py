"""The outcome of one patient into the dataset, so that a stop at any moment leaves a valid one that is gone on with."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

from data_prep.conversion.outcome import CaseOutcome
from data_prep.conversion.outcome_store import OutcomeStore, StoredOutcome
from data_prep.conversion.source import with_labels
from src.data.case_files import partial_folder
from src.data.dataset import CaseRecord
from src.data.dataset_writer import DatasetWriter

CHANGING = ""  # a source that no patient has


def is_current(writer: DatasetWriter, stored: StoredOutcome | None, source: str) -> bool:
    """Whether what is there came from the same files, options and code, and is whole."""
    if stored is None or stored.source != source:
        return False
    case = stored.outcome.case
    record = writer.dataset.cases.get(case)
    if stored.outcome.status == "refused":
        return record is None
    files = [writer.dataset.ct_path(case), *(writer.dataset.mask_path(case, name) for name in structures_of(stored.outcome))]
    if record is None or (record.structures, record.checks) != (structures_of(stored.outcome), stored.outcome.warnings):
        return False
    return all(path.is_file() for path in files)


def relabel(writer: DatasetWriter, store: OutcomeStore, stored: StoredOutcome, labels: Mapping[str, str]) -> StoredOutcome:
    """Names the files of an outcome by their labels of today: labels count all files, so they move when one is added.

    Args:
        writer, store: of the dataset; what changed is written.
        stored: an outcome.
        labels: of every file of the export, label -> keyed digest.

    Returns:
        The outcome with today's labels; as it is where a file that it names is gone.
    """
    today = {digest: label for label, digest in labels.items()}
    new = {label: today.get(digest) for label, digest in stored.labels.items()}
    if all(label == old for old, label in new.items()) or None in new.values():
        return stored
    outcome = with_labels(stored.outcome, new)
    changed = replace(stored, outcome=outcome, labels={new[label]: digest for label, digest in stored.labels.items()})
    if record := writer.dataset.cases.get(outcome.case):
        writer.record_case(replace(record, checks=outcome.warnings))
    store.write(changed)
    return changed


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
