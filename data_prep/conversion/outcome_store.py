"""Where the outcomes of patients lie: ``<dataset>/conversion/<case>.json``, with what they were made from."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from data_prep.conversion.outcome import CaseOutcome


@dataclass(frozen=True, kw_only=True)
class StoredOutcome:
    """An outcome and what it was made from.

    Attributes:
        outcome: what became of the patient.
        source: keyed digest of the files, options and rules it came from; the same one makes the same outcome.
        labels: label of each file that the outcome names -> keyed digest of that file: labels count all files of an export, so
            they move when one is added.
        split: of a case that is not in dataset.json at the moment, the split it had.
    """

    outcome: CaseOutcome
    source: str
    labels: Mapping[str, str] = field(default_factory=dict)
    split: str | None = None


class OutcomeStore:
    """The outcomes of one dataset; each is written as a whole or not at all.

    Args:
        dataset_path: folder of the dataset.
    """

    def __init__(self, dataset_path: Path) -> None:
        self.folder = dataset_path / "conversion"
        self.folder.mkdir(exist_ok=True)

    def read_all(self) -> dict[str, StoredOutcome]:
        """Case -> what is stored of it, by name; what cannot be read counts as never made."""
        found = {}
        for path in sorted(self.folder.glob("*.json")):
            stored = _read(path)
            if stored and stored.outcome.case == path.stem:
                found[path.stem] = stored
        return found

    def write(self, stored: StoredOutcome) -> None:
        """Replaces what is stored of a case."""
        row = {
            "source": stored.source,
            "labels": dict(sorted(stored.labels.items())),
            "split": stored.split,
            "outcome": asdict(stored.outcome),
        }
        partial = self.folder / f".{stored.outcome.case}.json.partial"
        partial.write_text(json.dumps(row, indent=1) + "\n", encoding="ascii")
        partial.replace(self._path(stored.outcome.case))

    def remove(self, case: str) -> None:
        """Forgets a case; one that is not there is no error."""
        self._path(case).unlink(missing_ok=True)

    def _path(self, case: str) -> Path:
        return self.folder / f"{case}.json"


def _read(path: Path) -> StoredOutcome | None:
    try:
        row = json.loads(path.read_text(encoding="ascii"))
        outcome = CaseOutcome.from_row(row["outcome"])
        return StoredOutcome(outcome=outcome, source=row["source"], labels=dict(row["labels"]), split=row["split"])
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return None
