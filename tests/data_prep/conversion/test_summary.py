"""The summary is short however much there is to say, and says what matters first."""

import io

import pytest
from rich.console import Console

from data_prep.conversion.summary import print_summary
from src.data.structures import load_structures
from tests.data_prep.conversion.made_up_outcomes import HOSTILE_NAMES, converted, many, refused, roi


def printed(outcomes, width=100, **named) -> list[str]:
    stream = io.StringIO()
    print_summary(outcomes, console=Console(file=stream, width=width), **named)
    return stream.getvalue().splitlines()


def test_no_patient():
    assert "No patient was found" in printed([])[0]


def test_counts_and_reasons():
    outcomes = many(200)
    lines = printed(outcomes, report="north/conversion_report.html")
    num_refused = sum(outcome.status == "refused" for outcome in outcomes)
    assert lines[0] == f"{200 - num_refused} of 200 patients converted, {num_refused} refused"
    assert lines[-1] == "Look at every patient in north/conversion_report.html"
    assert any(line.split() == [str(num_refused), "patients", "file_…", "is", "cut", "off"] for line in lines)
    brainstems = sum(one.structure == "Brainstem" for outcome in outcomes for one in outcome.rois)
    row = next(line for line in lines if "Brainstem" in line)
    assert row.split("│")[2].strip() == str(brainstems)
    assert any("Schluckmuskel" in line for line in lines)


def test_all_refused():
    lines = printed([refused(number, "no CT") for number in range(4)])
    assert lines[0] == "0 of 4 patients converted, 4 refused"
    assert not any("structure" in line for line in lines)


def test_it_stays_short():
    structures = [structure.name for structure in load_structures()]
    long = " ".join(["reason"] * 60)
    outcomes = [converted(number, *(roi(name, name) for name in structures), warnings=[long]) for number in range(9)]
    for number in range(40):
        word = chr(0x4E00 + number)
        rois = [roi(word * 64, None, "undecided"), roi(word, "Larynx", "refused", long)]
        outcomes.append(refused(100 + number, f"{word} {long}", rois=rois))
    lines = printed(outcomes, report="r.html")
    assert len(lines) <= 42
    assert any(f"and {len(structures) - 20} more structures" in line for line in lines)
    assert any("and 35 more names" in line for line in lines)
    assert sum("and 37 more reasons" in line for line in lines) == 2


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_reasons_break_between_words(width):
    reason = "the contours refer to a series that is not in the export; export the planning CT together with its RTSTRUCT"
    lines = printed([refused(1, reason)], width=width)
    assert reason in " ".join(" ".join(lines).split())
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize("native", HOSTILE_NAMES)
def test_hostile_names_do_nothing_to_a_terminal(native):
    outcome = converted(1, roi(native, None, "undecided"), roi(native, "Larynx", "refused", native), warnings=[native])
    text = "\n".join(printed([outcome, refused(2, native)]))
    assert "\x1b" not in text and "\x00" not in text and "‮" not in text
    assert native[:20].split("\n")[0].split(" \ud800")[0] in text
    text.encode("utf-8")


def test_without_a_terminal_it_is_plain_text(capsys):
    print_summary(many(40), report="conversion_report.html")
    text = capsys.readouterr().out
    assert "\x1b" not in text and max(map(len, text.splitlines())) <= 100
    assert text.splitlines()[-1].endswith("conversion_report.html")
