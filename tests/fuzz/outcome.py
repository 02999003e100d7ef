"""What one run of libFuzzer came to, read from what it prints."""

import re
from dataclasses import dataclass

_STATE = re.compile(r"^#\d+\s+\S+\s+cov: (\d+) ft: (\d+) corp: (\d+)/(\S+)", re.MULTILINE)
_DONE = re.compile(r"Done (\d+) runs in (\d+) second")
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COLUMNS = "{:<16} {:>10} {:>8} {:>6} {:>9} {:>12}  {}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One target's.

    Attributes:
        name: of the target.
        executions: inputs run; 0 when it did not get as far.
        seconds: of fuzzing; None when it ended early.
        edges, features: reached, as libFuzzer counts coverage.
        kept, kept_size: inputs that reached something new, and their size in libFuzzer's words.
        found: whether an input broke a law, or the fuzzer did not run to its end.
        report: the last lines it printed.
    """

    name: str
    executions: int
    seconds: int | None
    edges: int
    features: int
    kept: int
    kept_size: str
    found: bool
    report: str

    @staticmethod
    def head() -> str:
        """Names of the columns."""
        return _COLUMNS.format("target", "executions", "seconds", "edges", "features", "corpus", "found")

    def line(self) -> str:
        """One line of the table."""
        seconds = "ended early" if self.seconds is None else self.seconds
        corpus, verdict = f"{self.kept}/{self.kept_size}", "SOMETHING" if self.found else "nothing"
        return _COLUMNS.format(self.name, self.executions, seconds, self.edges, self.features, corpus, verdict)


def outcome_of(name: str, printed: str, exit_code: int) -> Outcome:
    """Reads what libFuzzer printed; a run that did not end as it should has found something."""
    done, executed, states = _DONE.search(printed), _EXECUTED.search(printed), _STATE.findall(printed)
    edges, features, kept, kept_size = states[-1] if states else (0, 0, 0, "0b")
    return Outcome(
        name=name,
        executions=int(done[1] if done else executed[1] if executed else 0),
        seconds=int(done[2]) if done else None,
        edges=int(edges),
        features=int(features),
        kept=int(kept),
        kept_size=str(kept_size),
        found=exit_code != 0 or done is None,
        report=printed[-6000:],
    )
