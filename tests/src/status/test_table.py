"""What people and scripts are shown of one overview."""

import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from src.status.card import Card
from src.status.facts import facts_of
from src.status.overview import Overview
from src.status.table import age, shown
from src.status.took_part import TookPart

NOW_S = 1_790_000_000.0
HERE = Card(
    site="site_a",
    answer="answered",
    seen_unix_s=NOW_S,
    state="training",
    round=3,
    last_peer="site_b",
    last_outcome="received",
    last_age_s=130.0,
    snapshot_age_s=12.9,
    train_cases={"Brainstem": 4, "Parotid_L": 0},
    valid_cases={"Brainstem": 2, "Parotid_L": 0},
    valid_dice={"Brainstem": 0.8125},
    sent_bytes=2_500_000,
    received_bytes=0,
    code_version="openfl-oar 0.1.0",
)
GONE = Card(site="site_b", answer="unreachable", fault="nobody answers", seen_unix_s=NOW_S - 7300)
OLDER = Card(site="site_c", answer="answered", seen_unix_s=NOW_S, state="training", round=2, train_cases={"Parotid_L": 7})
OVERVIEW = Overview(
    site="site_a",
    federation_id="plan.yaml_12345678",
    run_id="run_1",
    rounds=10,
    structures=("Brainstem", "Parotid_L", "Spleen"),
    unix_s=NOW_S,
    cards=(HERE, GONE, OLDER),
)


def text_of(overview, **console):
    file = io.StringIO()
    Console(file=file, **{"width": 1000, **console}).print(shown(overview, plain=not console))
    return file.getvalue()


def test_a_file_gets_plain_lines_with_all_there_is():
    text = text_of(OVERVIEW)
    assert text.isascii() and "\x1b" not in text
    lines = [line.split() for line in text.splitlines()]
    row = "site_a (here) training 3/10 site_b: received, 2 min ago 12 s 1/3 0.812 (1) 2.50 0.00"
    assert row.split() in lines
    assert ["site_b", "unreachable", "-", "-", "-", "-", "-", "-", "-"] in lines
    assert ["site_c", "training", "2/10", "-", "-", "1/3", "-", "-", "-"] in lines, "an older version is shown with dashes"
    assert ["Brainstem", "4,", "0.81", "(2)", "-", "-"] in lines
    assert ["Parotid_L", "0,", "-", "-", "7,", "-"] in lines
    assert "site_b: unreachable; last sign of life 2 h ago, 2026-09-21 12:11 UTC; nobody answers" in text
    assert (
        "No training patients at site_a, training patients at others: Parotid_L: site_c 7; Spleen: nobody who answered" in text
    )


def test_a_terminal_gets_the_same_words():
    assert set(text_of(OVERVIEW).split()) <= set(text_of(OVERVIEW, width=250, force_terminal=True, color_system=None).split())


def test_who_never_answered_and_what_is_not_known_is_said():
    unborn = Card(site="site_a", answer="not running", fault="nobody answers")
    text = text_of(replace(OVERVIEW, cards=(unborn, replace(GONE, seen_unix_s=None))))
    assert "site_a: not running, shown as last saved (nobody answers)" in text
    assert "site_b: unreachable; no sign of life so far; nobody answers" in text
    assert "What site_a lacks is not known before it runs." in text


def test_who_cannot_be_called_is_shown_with_the_age_of_what_is_known():
    card = replace(OLDER, site="site_b", answer="in the folder", seen_unix_s=NOW_S - 90)
    brought = replace(OLDER, answer="brought", seen_unix_s=NOW_S - 7300)
    took_part = TookPart(
        present=("site_a",), missing={"site_b": NOW_S - 60}, unknown=("site_c",), met_unix_s={"site_b": NOW_S - 90}
    )
    found = replace(OVERVIEW, cards=(HERE, card, brought), took_part=took_part, missing_after_s=3600.0)
    text = text_of(found)
    assert "site_b in the folder (training) 2/10" in " ".join(text.split())
    assert "site_b: in the folder; as its card said 90 s ago, 2026-09-21 14:11 UTC\n" in text
    assert "site_c: brought; as it last called 2 h ago, 2026-09-21 12:11 UTC\n" in text
    assert (
        "The run's last exchange: present site_a; site_b missing since 2026-09-21 14:12 UTC, site_c not heard of yet." in text
    )
    assert text.splitlines()[-1].startswith("site_c IS MISSING: no sign of life since 2026-09-21 12:11 UTC, for 2 h; ask")
    assert "\x1b[1;31m" in text_of(found, width=250, force_terminal=True, color_system="standard")
    facts = json.loads(json.dumps(facts_of(found), allow_nan=False))
    assert facts["lost"] == {"site_c": "2026-09-21T12:11:40+00:00"}
    assert facts["took_part"]["missing"] == {"site_b": "2026-09-21T14:12:20+00:00"}


def test_nobody_is_lost_to_a_site_that_is_closed():
    gone = replace(OVERVIEW, missing_after_s=60.0)
    assert list(gone.lost) == ["site_b"]
    assert replace(gone, cards=(replace(HERE, state="closed"), GONE, OLDER)).lost == {}


def test_nothing_a_peer_says_is_taken_for_markup():
    hostile = replace(OLDER, last_peer="site_a", last_outcome="[blink]x[/blink][/]" + "y" * 180)
    text = text_of(replace(OVERVIEW, cards=(HERE, hostile, replace(GONE, fault="[/red] :smile:"))))
    assert "site_a: [blink]x[/blink][/]y" in text and "[/red] :smile:" in text


def test_scripts_get_the_same_facts():
    facts = json.loads(json.dumps(facts_of(OVERVIEW), allow_nan=False))
    assert (facts["time"], facts["missing"]) == ("2026-09-21T14:13:20+00:00", ["site_b"])
    assert facts["lacking"] == {"Parotid_L": {"site_c": 7}, "Spleen": {}}
    own, gone = facts["sites"]["site_a"], facts["sites"]["site_b"]
    assert (own["round"], own["mean_dice"], own["num_dice"], own["sent_bytes"]) == (3, 0.8125, 1, 2_500_000)
    assert (gone["answer"], gone["round"], gone["last_seen"]) == ("unreachable", None, "2026-09-21T12:11:40+00:00")


@pytest.mark.parametrize(
    ("cards", "code"),
    [
        ((HERE, OLDER), 0),
        ((HERE, GONE), 1),
        ((HERE, replace(GONE, answer="refused")), 1),
        ((HERE, replace(GONE, answer="not called")), 0),
    ],
)
def test_the_exit_code_is_that_of_the_peers(cards, code):
    assert replace(OVERVIEW, cards=cards).exit_code == code


def test_this_site_at_rest_is_no_missing_peer():
    assert replace(OVERVIEW, cards=(replace(HERE, answer="not running"), OLDER)).exit_code == 0


@given(st.floats(0, 1e10))
def test_an_age_is_rounded_down_by_less_than_one_unit_and_by_half_at_most(seconds):
    number, unit = age(seconds).split()
    unit_s = {"s": 1, "min": 60, "h": 3600, "d": 86400}[unit]
    assert 0 <= seconds - int(number) * unit_s < unit_s
    assert unit == "s" or int(number) >= 2
