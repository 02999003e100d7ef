"""What our patients say of a peer's model."""

import math
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from src.evaluation.dice import StructureDice
from src.evaluation.validation import validate_cases
from src.learning.judgement import PeerJudge
from src.model.state import network_state, state_digest
from tests.src.learning.small_peers import (
    ALL,
    PAROTIDS,
    expert,
    noise_of_the_same_norm,
    of_a_network,
    with_permuted_channels,
)


def judge_of(learner, tolerance: float = 0.2, *, gated: bool = False) -> PeerJudge:
    runner = learner.runner
    return PeerJudge(deepcopy(runner.network), runner.predictor, runner.data_loader, tolerance=tolerance, gated=gated)


def own_dice(*means: float) -> dict[str, StructureDice]:
    return {
        name: StructureDice(mean=mean, num_scored=0 if math.isnan(mean) else 1, num_absent=0)
        for name, mean in zip(ALL, means, strict=True)
    }


@pytest.fixture(scope="module")
def learner(sites):
    return sites.learner()


@pytest.fixture(scope="module")
def found(learner, grown):
    """What our patients say of the grown network."""
    return judge_of(learner).look(expert(grown), own_dice(0.5, 0.5, 0.5))


def test_it_finds_what_validation_finds_and_leaves_our_network_alone(learner, sites, grown, found):
    before = of_a_network(learner)
    judge = judge_of(learner)
    judged = judge.look(expert(grown), {})
    theirs = sites.learner(weights=grown)
    assert judged.dice == validate_cases(theirs.runner.predictor, theirs.runner.data_loader, ALL) == found.dice
    assert found.peer_mean == pytest.approx(np.mean([entry.mean for entry in found.dice.values()])) and found.own_mean == 0.5
    assert found.site == "site_b" and found.rows_C.tolist() == [8, 8, 8]
    assert state_digest(found.tensors) == state_digest(grown) == state_digest(network_state(judge.spare))
    assert of_a_network(learner) == before and learner.runner.predictor.network is learner.network


@pytest.mark.parametrize("spoil", [noise_of_the_same_norm, with_permuted_channels])
@pytest.mark.parametrize("tolerance", [0.2, 1.0])
def test_rubbish_is_found_out_unless_everybody_is_welcome(learner, grown, spoil, tolerance):
    ours = validate_cases(learner.runner.predictor.applied_to(judge_with(learner, grown)), learner.runner.data_loader, ALL)
    for gated in (False, True):
        judged = judge_of(learner, tolerance, gated=gated).look(expert(spoil(grown)), ours)
        assert judged.acceptable is (tolerance == 1.0)
        # Where nobody asks, no case is predicted.
        assert bool(judged.dice) is (gated or tolerance < 1) is not math.isnan(judged.peer_mean)


def judge_with(learner, tensors):
    judge = judge_of(learner)
    judge.look(expert(tensors), {})
    return judge.spare


@pytest.mark.parametrize("lead, acceptable", [(-0.1, True), (0.0, True), (0.19, True), (0.21, False)])
def test_the_bound_is_the_plans(learner, grown, found, lead, acceptable):
    ours = own_dice(*(entry.mean + lead for entry in found.dice.values()))
    assert judge_of(learner).look(expert(grown), ours).acceptable is acceptable


@pytest.mark.parametrize(
    "own_mean, peer_mean, acceptable",
    [(0.30, 0.08, True), (0.30, 0.07, False), (0.05, 0.012, False), (0.04, 0.0, True), (0.90, 0.51, True), (0.90, 0.49, False)],
)
def test_who_has_less_than_a_quarter_of_our_dice_is_no_peer_once_we_have_any(learner, own_mean, peer_mean, acceptable):
    ours = own_dice(own_mean, own_mean, own_mean)
    assert judge_of(learner, 0.4)._is_acceptable(ours, own_mean, peer_mean) is acceptable
    assert judge_of(learner, 1.0)._is_acceptable(ours, own_mean, peer_mean)


def test_exactly_the_tolerance_is_tolerated(learner, grown, found):
    ours = own_dice(*(entry.mean for entry in found.dice.values()))
    assert judge_of(learner, 0.0).look(expert(grown), ours).acceptable


def test_a_peer_is_not_blamed_for_what_it_has_not_trained(learner, grown):
    without = {name: values.copy() for name, values in grown.items()}
    without["head.bias"][2] = -50.0
    # All of our lead lies in the brainstem, which the peer does not know.
    judged = judge_of(learner).look(expert(without, PAROTIDS), own_dice(0.4, 0.4, 1.0))
    assert judged.acceptable and judged.own_mean == 0.4 and not judged.dice["Brainstem"].num_scored
    assert not judge_of(learner, 0.1).look(expert(without), own_dice(0.4, 0.4, 1.0)).acceptable


@pytest.mark.parametrize("ours", [{}, own_dice(math.nan, math.nan, math.nan)])
def test_without_a_dice_of_ours_nothing_is_judged(learner, grown, ours):
    judged = judge_of(learner).look(expert(noise_of_the_same_norm(grown)), ours)
    assert judged.acceptable and math.isnan(judged.own_mean) and math.isnan(judged.peer_mean)
    # The gate still hears how the peer does here.
    assert all(entry.num_scored == 1 for entry in judged.dice.values())


def test_without_a_validation_case_nothing_is_judged(sites, grown):
    judged = judge_of(sites.learner(valid=0)).look(
        expert(noise_of_the_same_norm(grown)), own_dice(math.nan, math.nan, math.nan)
    )
    assert judged.acceptable and math.isnan(judged.own_mean)
    assert not any(entry.num_scored for entry in judged.dice.values())


def test_a_peer_that_declares_nothing_of_ours_is_not_taken(learner, grown):
    claimed = expert(noise_of_the_same_norm(grown))
    nothing = replace(claimed, manifest=replace(claimed.manifest, row_cases=dict.fromkeys(claimed.manifest.row_cases, 0.0)))
    judged = judge_of(learner).look(nothing, own_dice(0.5, 0.5, 0.5))
    assert not judged.acceptable and math.isnan(judged.peer_mean)
    assert judge_of(learner, tolerance=1.0).look(nothing, own_dice(0.5, 0.5, 0.5)).acceptable
