import pytest

from experiments.results.changed_settings import changed_settings

SITES = ("site_a", "site_b", "site_c")
EVERY = "collaborator.settings.exchange.exchange_every"
BASE = {"plan": "gossip", "changes": [], "without": [], "steps": "own", "learning_rate": 0.003}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"changes": [f"{EVERY}=4"]}, "exchange_every=4"),
        ({"plan": "fedavg", "steps": "sum"}, "plan fedavg, steps sum"),
        ({"without": ["site_b"]}, "2 sites (site_a, site_c)"),
        ({"silent": {"site": "site_a", "from_round": 3}}, "site_a gone from round 3"),
        ({"learning_rate": 0.01}, "learning rate 0.01"),
        ({"seeds": [0, 1], "learning_rate_of": "gossip", "plan_sha256": "0"}, ""),
    ],
)
def test_what_differs_is_said_in_a_few_words(changes, said):
    assert changed_settings({**BASE, **changes}, BASE, SITES) == said


def test_what_the_base_changed_and_this_one_did_not_is_said_too():
    base = {**BASE, "changes": [f"{EVERY} = 1", "a.b=2"], "silent": {"site": "site_a", "from_round": 3}}
    assert changed_settings({**BASE, "changes": ["a.b=2"]}, base, SITES) == "exchange_every as in the plan, nobody gone"
    assert changed_settings(base, base, SITES) == ""
