import pytest

from experiments.compare.arms import arms_of, arms_of_study, core_schemes
from experiments.compare.plans import plan_of
from tests.experiments.compare.conftest import SITES, small_study

PLANS = {
    name: plan_of(small_study(), scheme, SITES, seed=0, learning_rate=0.01) for name, scheme in small_study().schemes.items()
}


@pytest.mark.parametrize(
    ("scheme", "rounds", "expected"),
    [
        ("individual", 1, [("individual", False)]),
        ("gossip", 1, [("gossip", False), ("gossip_consensus", True)]),
        ("cyclic", 1, [("cyclic", True)]),
        ("fedavg", 1, [("fedavg_local", False), ("fedavg", True)]),
        ("fedavg", 0, [("fedavg", True)]),
        ("pooled", 1, [("pooled_local", False), ("pooled", True)]),
    ],
)
def test_what_a_scheme_leaves(scheme, rounds, expected):
    arms = arms_of(scheme, PLANS[scheme], rounds)
    assert [(arm.name, arm.shared) for arm in arms] == expected
    assert {arm.scheme for arm in arms} == {scheme}


def test_core_are_those_that_something_is_claimed_of():
    study = small_study()
    arms = arms_of_study(study, PLANS)
    # individual is only asked for advice.
    assert core_schemes(study, arms) == {"gossip", "pooled", "fedavg"}
