from datetime import date

import pytest

from experiments.scoring import RegistrationError
from experiments.scoring.look import HEADING, RESULTS, check_look, log_look, part_of

FACTS = {"study": "okbp", "arms": ["gossip", "fedavg", "gossip"], "models": 7, "registration": "ab" * 32, "commit": "cd" * 20}


@pytest.fixture
def results(repository):
    return repository / "docs" / "results.md"


def test_a_look_is_one_more_row_and_the_rest_stays(results, tmp_path):
    results.write_text(results.read_text() + "\nafter\n")
    before = results.read_text().splitlines()
    log_look(runs=[tmp_path / "seed_0"], reason="first", results=results, **FACTS)
    lines = results.read_text().splitlines()
    why = "first; registered as abababababab, commit cdcdcdcdcdcd"
    row = f"| {date.today().isoformat()} | okbp | 7 models of 1 runs: fedavg, gossip | {why} |"
    assert lines == [*before[:-2], row, "", "after"]
    log_look(runs=[tmp_path / "seed_0"], reason="second", results=results, **FACTS)
    again = results.read_text().splitlines()
    assert again.index(row) + 1 == next(number for number, line in enumerate(again) if "second" in line)


def test_a_reason_stays_in_its_cell(results, tmp_path):
    log_look(runs=[tmp_path], reason="a | b\nc", results=results, **{**FACTS, "commit": None})
    row = results.read_text().splitlines()[-1]
    assert row.count("|") == 5 and "a / b c; registered as abababababab, commit none" in row


@pytest.mark.parametrize(
    "text",
    [
        None,
        "# Results\n",
        f"{HEADING}\n",
        f"{HEADING}\n\ntext\n",
        f"{HEADING}\n\n| date | run |\n|---|---|\n",
        f"{HEADING}\n\n| date | run | model | why |\n",
        f"{HEADING}\n\n| date | run | model | why |\n|---|---|---|---|\n{HEADING}\n",
    ],
)
def test_without_the_table_nothing_is_written_and_there_is_no_look(tmp_path, text):
    results = tmp_path / "results.md"
    if text is not None:
        results.write_text(text)
    with pytest.raises(RegistrationError, match="Looks at the test patients' once"):
        log_look(runs=[tmp_path / "seed_0"], reason="first", results=results, **FACTS)
    assert (results.read_text() if results.exists() else None) == text


def test_a_look_needs_runs_and_a_reason(results, tmp_path):
    before = results.read_bytes()
    for runs, reason in (([], "first"), ([tmp_path], " ")):
        with pytest.raises(RegistrationError, match="say why"):
            log_look(runs=runs, reason=reason, results=results, **FACTS)
    assert results.read_bytes() == before


def test_a_look_allows_each_run_once(results, tmp_path):
    one, other, third = (tmp_path / f"seed_{number}" for number in range(3))
    look = log_look(runs=[one, other], reason="first", results=results, **FACTS)
    check_look(look, one)
    part = part_of(look, other)
    check_look(part, other)
    for used, run in ((look, one), (look, other), (part, other), (look, third), (part, one)):
        with pytest.raises(RegistrationError, match="for others or used up"):
            check_look(used, run)
    with pytest.raises(RegistrationError, match="make report FINAL=1"):
        check_look(None, one)
    assert part_of(None, one) is None


def test_the_projects_own_table_takes_a_row(tmp_path):
    results = tmp_path / "results.md"
    results.write_bytes(RESULTS.read_bytes())
    log_look(runs=[tmp_path], reason="first", results=results, **FACTS)
    assert len(results.read_text().splitlines()) == len(RESULTS.read_text().splitlines()) + 1
