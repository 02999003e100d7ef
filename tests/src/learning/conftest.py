"""Sites whose data are made once, and a network that has learnt something."""

import math

import pytest

from src.evaluation.dice import macro_mean
from src.model.state import network_state
from tests.src.learning.small_peers import SmallSites, Tensors


@pytest.fixture(scope="session")
def sites(tmp_path_factory) -> SmallSites:
    """Makes learners of small sites."""
    return SmallSites(tmp_path_factory.mktemp("small_sites"))


@pytest.fixture(scope="session")
def grown(sites) -> Tensors:
    """Weights of a network that finds all three structures: Dice well above 0. Read only."""
    learner = sites.learner(steps=120, site="site_b")
    learner.learn(0, [])
    learner.validate(0)
    found = [entry.mean for entry in learner.dice.values()]
    assert min(found) > 0.4 and not math.isnan(macro_mean(learner.dice)), found
    return network_state(learner.network)


@pytest.fixture(scope="session")
def young(sites) -> Tensors:
    """Weights of another network after a few steps, of which nobody would learn anything. Read only."""
    learner = sites.learner(steps=3, site="site_c")
    learner.learn(0, [])
    return network_state(learner.network)
