"""Numbers of a plan: bounds included, and nothing that merely looks like a number."""

import math

import pytest

from src.errors import PlanSettingError
from src.setting_range import check_number, check_whole


def test_bounds_are_included():
    assert check_whole("a.b", 1, 1) == 1
    assert check_number("a.b", 0, 0, 1) == 0.0
    assert check_number("a.b", 1, 0, 1) == 1.0
    assert check_number("a.b", 1e9, 0) == 1e9


@pytest.mark.parametrize("value", [0, 1.0, "1", True, None])
def test_what_is_no_whole_number_is_refused_by_name(value):
    with pytest.raises(PlanSettingError, match=r"a\.b: expected a whole number of at least 1, found"):
        check_whole("a.b", value, 1)


@pytest.mark.parametrize("value", [-0.1, 1.1, "0.5", False, None, math.nan])
def test_what_is_no_number_within_bounds_is_refused_by_name(value):
    with pytest.raises(PlanSettingError, match=r"a\.b: expected a number from 0 to 1, found"):
        check_number("a.b", value, 0, 1)
