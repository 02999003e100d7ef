"""What two sites must agree on, and how a roster is told from another."""

from dataclasses import fields, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from src.exchange.membership import Membership, roster_digest
from tests.src.exchange.tls import MEMBERSHIP

ROSTERS = st.lists(st.text("abc-_01", min_size=1, max_size=4), min_size=1, max_size=6, unique=True)
ENTRIES = [entry.name for entry in fields(Membership)]


def other(name: str):
    return 2 if name == "protocol_version" else "other"


def test_equal_sites_differ_in_nothing():
    assert MEMBERSHIP.differences(replace(MEMBERSHIP)) == []


@pytest.mark.parametrize("name", ENTRIES)
def test_one_difference_is_named_with_both_values(name):
    (found,) = MEMBERSHIP.differences(replace(MEMBERSHIP, **{name: other(name)}))
    assert found == f"{name} is {other(name)}, expected {getattr(MEMBERSHIP, name)}"


@given(st.sets(st.sampled_from(ENTRIES)))
def test_every_difference_is_named_and_whoever_asks_sees_as_many(names):
    strange = replace(MEMBERSHIP, **{name: other(name) for name in names})
    found = MEMBERSHIP.differences(strange)
    assert [line.split()[0] for line in found] == [name for name in ENTRIES if name in names]
    assert len(strange.differences(MEMBERSHIP)) == len(names)


@given(ROSTERS, st.randoms())
def test_a_roster_is_the_same_in_any_order(roster, generator):
    shuffled = list(roster)
    generator.shuffle(shuffled)
    assert roster_digest(shuffled) == roster_digest(roster)


@given(ROSTERS, ROSTERS)
def test_rosters_of_other_names_have_other_digests(first, second):
    assume(set(first) != set(second))
    assert roster_digest(first) != roster_digest(second)


def test_names_that_run_together_are_told_apart():
    assert roster_digest(["ab", "c"]) != roster_digest(["a", "bc"]) != roster_digest(["abc"])
