"""Each way to set a site up wrongly is found in seconds, in one line with its cause and what to type; as in the manual."""

import time

import pytest

from experiments.federation.template import REPOSITORY
from src.doctor.finding import Level, exit_code
from tests.src.doctor.misconfigurations import TABLE

MANUAL = REPOSITORY / "docs" / "troubleshooting.md"
EXIT_CODES = {Level.FAILED: 1, Level.WARNING: 12}


@pytest.mark.parametrize("case", TABLE, ids=[case.spoil.__name__ for case in TABLE])
def test_it_is_found(workspace, case):
    with case.spoiled(workspace):
        began = time.monotonic()
        findings = workspace.findings()
        seconds = time.monotonic() - began
    assert seconds < 10
    (found,) = [finding for finding in findings if finding.check == case.check]
    assert found.level is case.level, found
    assert case.says in found.cause and case.fix in found.fix, found
    assert found.fix and "\n" not in found.cause + found.fix
    # What follows from it may be worse, what comes before it may not.
    assert exit_code(findings) == EXIT_CODES[max((finding.level for finding in findings), key=list(Level).index)]
    assert exit_code(findings) != 0


def test_the_table_has_more_than_25_entries_each_its_own():
    assert len({(case.check, case.says) for case in TABLE}) == len(TABLE) >= 25
    assert len({case.wrong for case in TABLE}) == len(TABLE)


def test_the_manual_shows_the_same_table():
    assert as_markdown() in MANUAL.read_text(encoding="utf-8")


def as_markdown() -> str:
    """The table of the manual; print it with ``python -m tests.src.doctor.test_misconfigurations``."""
    rows = [f"| {case.wrong} | {case.level.value} | {case.check} | {_cell(case.says)} | {_cell(case.fix)} |" for case in TABLE]
    return "\n".join(
        [
            "| what is wrong | the line | of check | says, among others | what to do, among others |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )


def _cell(text: str) -> str:
    return f"`{text.replace('|', '/')}`"


if __name__ == "__main__":
    print(as_markdown())
