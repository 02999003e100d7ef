"""What a soak found: one file for machines, a table for people."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from experiments.soak.judgement import Criterion
from src.exchange.whole_file import write_whole

_MARKS = {True: "passed", False: "FAILED", None: "not judged"}


def refusals(events: Mapping[str, Sequence[dict]]) -> dict[str, dict[str, int]]:
    """What honest sites turned away, by reason.

    Returns:
        ``models``: ``peer: reason`` of models that were not taken; ``callers``: reasons of calls, summed over all lives of the
        sites' servers.
    """
    models: Counter = Counter()
    callers: Counter = Counter()
    for rows in events.values():
        before: dict[str, int] = {}
        for row in rows:
            if row.get("outcome") == "refused":
                models[f"{row['peer']}: {row['reason']}"] += 1
            counted = row.get("refused_callers")
            if counted is None:
                continue
            # A server counts from 0 again when its process was restarted.
            restarted = any(counted.get(reason, 0) < number for reason, number in before.items())
            since = {} if restarted else before
            callers.update({reason: number - since.get(reason, 0) for reason, number in counted.items()})
            before = dict(counted)
    return {"models": dict(sorted(models.items())), "callers": dict(sorted(callers.items()))}


def exchange_outcomes(events: Mapping[str, Sequence[dict]]) -> dict[str, int]:
    """How often an exchange of an honest site ended how."""
    rows = [row for site_rows in events.values() for row in site_rows if row["phase"] == "exchange" and not row["replayed"]]
    return dict(sorted(Counter(row["outcome"] for row in rows).items()))


def verdict_table(criteria: Sequence[Criterion]) -> Table:
    """A line for each criterion."""
    table = Table(title="soak", title_justify="left", show_lines=True)
    for column in ("criterion", "", "found", "demanded"):
        table.add_column(column)
    for criterion in criteria:
        table.add_row(criterion.name, _MARKS[criterion.passed], criterion.found, criterion.demanded)
    return table


def write_outcome(path: Path, criteria: Sequence[Criterion], facts: Mapping) -> None:
    """Writes ``soak.json``, whole."""
    content = {"passed": is_passed(criteria), "criteria": [criterion.to_json() for criterion in criteria], **facts}
    write_whole(path, [(json.dumps(content, indent=1) + "\n").encode()])


def is_passed(criteria: Sequence[Criterion]) -> bool:
    """Whether nothing failed; what could not be judged is no failure, and is said."""
    return all(criterion.passed is not False for criterion in criteria)
