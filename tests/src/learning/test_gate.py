"""Gates: what opens them, what small counts do, and what is remembered."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.evaluation.dice import StructureDice
from src.exchange.manifest import Manifest
from src.learning.gate import Gate

OURS, THEIRS = "Parotid_L", "Brainstem"


def dice(mean: float, cases: int) -> dict[str, StructureDice]:
    return {OURS: StructureDice(mean=mean if cases else math.nan, num_scored=cases, num_absent=0)}


def manifest(train: int = 20, valid: int = 5, reported: float | None = 0.8, rows: float = 20.0) -> Manifest:
    both = (OURS, THEIRS)
    return Manifest(
        site="b",
        federation_id="f",
        run_id="r",
        architecture_hash="a",
        epoch=1,
        sequence=1,
        round=3,
        final=False,
        train_cases=dict.fromkeys(both, train),
        valid_cases=dict.fromkeys(both, valid),
        valid_dice=dict.fromkeys(both, reported),
        row_cases=dict.fromkeys(both, rows),
        code_version="0",
    )


def gate(smoothing: float = 0.0, width: float = 0.1) -> Gate:
    return Gate([OURS, THEIRS], [7, 0], width=width, smoothing=smoothing)


def of_ours(own: float, peer: float, cases: int, **facts) -> tuple[float, float]:
    gates = gate().update(dice(own, cases), dice(peer, cases), manifest(**facts))
    return gates.taught_own_C[0].item(), gates.taught_peer_C[0].item()


def test_a_lead_is_shrunk_by_what_few_cases_stand_behind_it():
    assert of_ours(0.70, 0.75, 1) == pytest.approx((0.05 * 1 / 4 / 0.1, 0))
    assert of_ours(0.70, 0.75, 27) == pytest.approx((0.05 * 27 / 30 / 0.1, 0))
    assert of_ours(0.70, 0.99, 27) == (1, 0)


def test_whoever_is_better_teaches():
    assert of_ours(0.80, 0.76, 3) == pytest.approx((0, 0.04 * 0.5 / 0.1))
    assert of_ours(0.80, 0.80, 3) == (0, 0)


@given(own=st.floats(0, 1), peer=st.floats(0, 1), cases=st.integers(0, 40))
def test_gates_lie_between_0_and_1_and_never_open_both_ways(own, peer, cases):
    forth, back = of_ours(own, peer, cases)
    assert 0 <= forth <= 1 and 0 <= back <= 1 and not (forth and back)


@given(own=st.floats(0, 1), peer=st.floats(0, 1), cases=st.integers(1, 40))
def test_more_cases_never_close_a_gate(own, peer, cases):
    assert of_ours(own, peer, cases)[0] <= of_ours(own, peer, cases + 1)[0]


def test_without_a_local_validation_case_nothing_opens():
    assert of_ours(0.1, 0.9, 0) == (0, 0)
    gates = gate().update({}, {}, manifest())
    assert gates.taught_own_C[0] == 0 and gates.taught_peer_C[0] == 0


def test_what_the_peer_never_contoured_it_does_not_teach_however_good_it_is():
    # Its row may hold what others taught or averaged into it; row_cases says so, and does not count.
    forth, _ = of_ours(0.1, 0.9, 9, train=0, rows=50.0)
    assert forth == 0
    assert gate().update({}, {}, manifest(train=0, rows=50.0)).taught_own_C[1] == 0


@pytest.mark.parametrize(
    "train, valid, reported, expected", [(5, 2, 0.8, 0.8), (4, 2, 0.8, 0), (5, 1, 0.8, 0), (5, 2, None, 0), (50, 20, 0.0, 0)]
)
def test_what_we_do_not_contour_is_taught_as_well_as_the_peer_reports(train, valid, reported, expected):
    gates = gate().update(dice(0.5, 3), dice(0.5, 3), manifest(train=train, valid=valid, reported=reported))
    assert gates.taught_own_C[1].item() == pytest.approx(expected)
    assert gates.taught_peer_C[1] == 0


def test_smoothing_begins_at_0_and_forgets():
    smooth = gate(smoothing=0.5)
    values = [smooth.update(dice(0.2, 9), dice(0.9, 9), manifest()).taught_own_C[0].item() for _ in range(3)]
    assert values == pytest.approx([0.5, 0.75, 0.875])


def test_a_worse_peer_does_not_inherit_what_a_better_one_has_earned():
    smooth = gate(smoothing=0.5)
    smooth.update(dice(0.2, 9), dice(0.9, 9), manifest())
    assert smooth.update(dice(0.5, 9), dice(0.4, 9), manifest()).taught_own_C[0] == 0
    # It cost the memory half of what it held; one of which nothing is known costs nothing.
    assert smooth.state()["own"][OURS] == pytest.approx(0.25)
    smooth.update({}, {}, manifest())
    assert smooth.state()["own"][OURS] == pytest.approx(0.25)


def test_the_memory_survives_a_checkpoint():
    before = gate(smoothing=0.3)
    before.update(dice(0.4, 9), dice(0.45, 9), manifest())
    after = gate(smoothing=0.3)
    after.restore(json.loads(json.dumps(before.state())))
    arguments = dice(0.4, 9), dice(0.43, 9), manifest()
    one, other = before.update(*arguments), after.update(*arguments)
    assert one.taught_own_C.tolist() == other.taught_own_C.tolist() and one.taught_own_C[0] > 0
    assert before.state() == after.state()
