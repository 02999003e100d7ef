"""Numbers in tables: rounded for the eye, exact behind it, and a dash where there is none."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.report import cells
from experiments.report.blocks import DASH

finite = st.floats(-1e6, 1e6)


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, -math.inf])
def test_no_number_is_a_dash(nothing):
    row = {"value": nothing, "low": None, "high": None}
    for cell in (
        cells.number(nothing),
        cells.p_value(nothing),
        cells.scaled(nothing, 1e6),
        cells.estimate(row),
        cells.text(None),
    ):
        assert (cell.text, cell.sort, cell.bounds) == (DASH, None, None)
    assert cells.interval(0.1, nothing) == DASH


@given(value=finite, digits=st.integers(0, 4), signed=st.booleans())
def test_text_is_the_number_rounded(value, digits, signed):
    cell = cells.number(value, digits, signed=signed)
    back = float(cell.text.replace("−", "-").replace(" ", ""))
    assert abs(back - value) <= 0.5 * 10**-digits * (1 + 1e-9)
    assert cell.sort == value and "-" not in cell.text
    assert (cell.text[0] in "+−") is ((signed and back != 0) or back < 0)


@given(value=finite, low=finite, high=finite)
def test_an_interval_keeps_its_exact_bounds(value, low, high):
    cell = cells.estimate({"value": value, "low": low, "high": high})
    assert cell.sort == value and cell.bounds == (low, high)
    assert cell.text == f"{cells.decimals(value, 3)} {cells.interval(low, high)}"


def test_an_estimate_without_interval_shows_its_value_alone():
    assert cells.estimate({"value": 0.5, "low": None, "high": None}).text == "0.500"
    assert cells.estimate({"value": -0.0004, "low": None, "high": None}, signed=True).text == "0.000"


def test_small_p_values_are_not_0():
    assert cells.p_value(0.0).text == "< 0.001" and cells.p_value(0.0304).text == "0.030"
