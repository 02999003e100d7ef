"""A site's rounds under every rule: what changes its model, what must not, and what a restart remembers."""

import json
import math

import numpy as np
import pytest
import torch

from src.evaluation.dice import macro_mean
from src.exchange.checkpoint import Checkpoints
from src.learning.average import average_with_peers
from src.learning.co_training import Lesson
from src.learning.mutual import train_mutually
from src.learning.peer_learner import PeerLearner
from src.model.card import read_model
from src.model.state import load_network_state, network_state, state_digest
from tests.src.learning.small_peers import (
    ALL,
    BRAINSTEM,
    PAROTIDS,
    by_name,
    expert,
    noise_of_the_same_norm,
    of_a_network,
    with_permuted_channels,
)

EVERY_RULE = [
    ["mutual"],
    ["distill"],
    ["average"],
    ["adopt"],
    ["mutual", "average"],
    ["mutual", "adopt"],
    ["distill", "average"],
]
RUBBISH = [noise_of_the_same_norm, with_permuted_channels]


def rounds(learner: PeerLearner, peers_of_round, first: int = 0) -> list[dict]:
    """Learns and validates once per entry; returns what was logged of learning."""
    facts = []
    for round_number, peers in enumerate(peers_of_round, start=first):
        facts.append(learner.learn(round_number, peers))
        learner.validate(round_number)
    return facts


def same_weights(one: PeerLearner, other: PeerLearner) -> bool:
    """Whether network and optimiser are the same, bit for bit."""
    tensors, others = one.state()[0], other.state()[0]
    return tensors.keys() == others.keys() and all(torch.equal(tensor, others[name]) for name, tensor in tensors.items())


def same_state(one: PeerLearner, other: PeerLearner) -> bool:
    """Whether all that the next round depends on is the same, bit for bit."""
    return same_weights(one, other) and json.dumps(one.state()[1]) == json.dumps(other.state()[1])


# The site alone.


@pytest.mark.parametrize("rule, structures", [(["mutual"], ALL), (["mutual"], PAROTIDS), (["distill"], PAROTIDS)])
def test_learning_from_peers_with_weight_0_is_training_alone_bit_for_bit(sites, grown, rule, structures):
    peers = [[], [expert(grown)], [expert(grown)]]
    made = {
        weight: sites.learner(structures, rule=rule, divergence_weight=weight, dropout=0.3, warm_up_rounds=1)
        for weight in (0.0, 1.0)
    }
    alone = sites.learner(structures, dropout=0.3)
    expected = rounds(alone, [[], [], []])
    found = rounds(made[0.0], peers)
    assert [facts["loss"] for facts in found] == [facts["loss"] for facts in expected]
    assert max(found[2]["gates"].values()) > 0.5  # the peer would have had much to teach
    assert same_weights(made[0.0], alone) and repr(made[0.0].dice) == repr(alone.dice)
    # And it is the weight that does it.
    rounds(made[1.0], peers)
    assert of_a_network(made[1.0]) != of_a_network(alone)


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_a_round_nobody_sent_anything_for_is_training_alone(sites, rule):
    alone, found = sites.learner(), sites.learner(rule=rule, survivor="best", opt_treatment="RESET")
    (expected,), (facts,) = rounds(alone, [[]]), rounds(found, [[]])
    assert facts == expected and set(facts) == {"loss", "gradient_norm", "steps"}
    assert same_state(alone, found)


# Whom it listens to.


@pytest.mark.parametrize("spoil", RUBBISH)
@pytest.mark.parametrize("rule", [["average"], ["adopt"], ["mutual", "average"], ["mutual", "adopt"]])
def test_rubbish_of_plausible_norm_is_neither_averaged_nor_adopted(sites, grown, rule, spoil):
    rubbish = expert(spoil(grown), weight=1.0)
    alone, found = sites.learner(weights=grown), sites.learner(weights=grown, rule=rule)
    rounds(alone, [[], []])
    second = rounds(found, [[], [rubbish]])[1]
    verdict = second["peers"]["site_b"]
    assert verdict["judged"] and not verdict["acceptable"]
    assert verdict["peer_mean_dice"] < verdict["own_mean_dice"] - 0.2
    assert same_weights(alone, found)
    # Nor is any time spent on training a copy that nobody takes.
    assert "peer_loss" not in second


@pytest.mark.parametrize("spoil", RUBBISH)
def test_rubbish_is_no_candidate_to_survive(sites, grown, spoil):
    alone, found = sites.learner(weights=grown), sites.learner(weights=grown, rule=["mutual"], survivor="best")
    rounds(alone, [[], []])
    facts = rounds(found, [[], [expert(spoil(grown))]])[1]
    assert facts["survivor"]["chosen"] == "own" and list(facts["survivor"]["mean_dice"]) == ["own"]
    assert of_a_network(alone) == of_a_network(found)


@pytest.mark.parametrize("rule", [["average"], ["adopt"]])
@pytest.mark.parametrize("spoil, tolerance", [(None, 0.2), (noise_of_the_same_norm, 1.0), (with_permuted_channels, 1.0)])
def test_a_good_peer_is_taken_and_with_tolerance_1_everybody(sites, grown, rule, spoil, tolerance):
    sent = spoil(grown) if spoil else grown
    start = sites.learner(weights=grown, steps=1)
    rounds(start, [[]])
    own = network_state(start.network)
    found = sites.learner(weights=own, rule=rule, peer_tolerance=tolerance)
    found.validate(0)
    facts = found.learn(1, [expert(sent)])
    assert facts["peers"]["site_b"]["acceptable"]
    begun = average_with_peers(own, np.full(3, 2.0), [(0.5, sent, np.full(3, 8.0))])[0] if rule == ["average"] else sent
    expected = sites.learner(weights=begun)
    expected.learn(1, [])
    assert of_a_network(found) == of_a_network(expected) != of_a_network(sites.learner(weights=own))


def test_without_validation_cases_nothing_is_judged_and_that_is_said(sites, grown):
    found = sites.learner(weights=grown, valid=0)
    facts = rounds(found, [[], [expert(noise_of_the_same_norm(grown))]])[1]
    verdict = facts["peers"]["site_b"]
    assert verdict["judged"] is False and verdict["acceptable"]
    assert math.isnan(verdict["own_mean_dice"]) and math.isnan(verdict["peer_mean_dice"])
    assert found.standing().valid_dice == by_name(None, None, None) and found.standing().valid_cases == by_name(0, 0, 0)


def test_of_several_peers_only_the_good_ones_are_averaged(sites, grown):
    start, found = sites.learner(weights=grown), sites.learner(weights=grown)
    bad, good = expert(noise_of_the_same_norm(grown), weight=0.25), expert(grown, site="site_c", weight=0.25)
    found.validate(0)
    facts = found.learn(1, [good, bad])
    assert {site: verdict["acceptable"] for site, verdict in facts["peers"].items()} == {"site_b": False, "site_c": True}
    start.learn(1, [])
    assert of_a_network(found) == of_a_network(start)  # the mean of a model and itself


# What the steps of a rule leave.


def co_trained(sites, own, theirs, round_number: int, gates):
    """Both networks after a round of mutual learning, made by hand."""
    by_hand = sites.learner(weights=own)
    copy = sites.learner(weights=theirs).network
    lesson = Lesson(
        peer_network=copy,
        taught_own_C=torch.tensor(gates[0]),
        taught_peer_C=torch.tensor(gates[1]),
        divergence_weight=1.0,
        dilation_mm=8.0,
    )
    train_mutually(by_hand.local, lesson, "site_a", round_number)
    return network_state(by_hand.network), network_state(copy)


@pytest.mark.parametrize("rule", [["mutual"], ["mutual", "adopt"], ["mutual", "average"]])
def test_what_is_left_after_both_were_trained(sites, grown, young, rule):
    """Def-KT goes on with the incoming copy as it was taught here; with ``average``, both as they are after the training."""
    found = sites.learner(weights=young, rule=rule, gate_smoothing=0.0)
    found.validate(0)
    facts = found.learn(1, [expert(grown, weight=0.25)])
    gates = list(facts["gates"].values()), list(facts["gates_of_peer"].values())
    own, copy = co_trained(sites, young, grown, 1, gates)
    mean = average_with_peers(own, np.full(3, 2.0), [(0.25, copy, np.full(3, 8.0))])[0]
    expected = {"mutual": own, "adopt": copy, "average": mean}[rule[-1]]
    assert of_a_network(found) == state_digest(expected)
    assert state_digest(own) != state_digest(copy) != state_digest(grown)
    assert facts["peer_loss"] > 0 and max(gates[0]) > 0.5 and facts["divergence_weight"] == 1.0
    assert all(value > 0 for value in facts["divergence"].values())


@pytest.mark.parametrize("treatment", ["RESET", "CONTINUE_LOCAL"])
def test_average_comes_before_training_and_the_plan_says_what_of_the_moments(sites, grown, young, treatment):
    found, expected = (sites.learner(weights=young, opt_treatment=treatment) for _ in range(2))
    for learner in (found, expected):
        rounds(learner, [[]])
    found.learn(1, [expert(grown)])
    mean = average_with_peers(network_state(expected.network), np.full(3, 2.0), [(0.5, grown, np.full(3, 8.0))])[0]
    load_network_state(expected.network, mean, origin="a test")
    if treatment == "RESET":
        expected.local.forget_optimiser()
    expected.learn(1, [])
    assert of_a_network(found) == of_a_network(expected)
    steps = [int(tensor) for name, tensor in found.local.optimiser_tensors().items() if name.endswith("/step")]
    assert set(steps) == {2 if treatment == "RESET" else 4}


def test_a_copy_that_goes_nowhere_and_teaches_nothing_is_not_trained(sites, grown, young):
    found = sites.learner(weights=grown, rule=["mutual"])
    found.validate(0)
    # A peer that is behind in everything teaches nothing; we would teach it, and then throw it away.
    facts = found.learn(1, [expert(young)])
    assert set(facts["gates"].values()) == {0.0} and min(facts["gates_of_peer"].values()) > 0
    assert state_digest(network_state(found.judge.spare)) == state_digest(young)
    assert "peer_loss" not in facts
    # Where the copy may go on, it is worth its training.
    kept = sites.learner(weights=grown, rule=["mutual", "average"], peer_tolerance=1.0)
    kept.validate(0)
    assert "peer_loss" in kept.learn(1, [expert(young)])
    assert state_digest(network_state(kept.judge.spare)) != state_digest(young)
    # Without a validation case nothing can be chosen, and the copy is never the best.
    blind = sites.learner(weights=grown, rule=["mutual"], survivor="best", valid=0)
    facts = rounds(blind, [[], [expert(young)]])[1]
    assert "peer_loss" not in facts and facts["survivor"]["chosen"] == "own"


# What stands behind its model.


@pytest.mark.parametrize(
    "rule, row", [(["mutual"], 0.0), (["distill"], 0.0), (["average"], 8.0), (["adopt"], 8.0), (["distill", "average"], 8.0)]
)
def test_what_only_peers_contour_is_predicted_and_never_counts_as_trained_here(sites, grown, rule, row):
    found = sites.learner(PAROTIDS, rule=rule)
    before = found.trained()
    rounds(found, [[], [expert(grown)]])
    standing = found.standing()
    assert standing.train_cases == by_name(2, 2, 0)
    assert standing.row_cases == by_name(*([8.0, 8.0] if rule == ["adopt"] else [2.0, 2.0]), row)
    assert standing.valid_dice["Brainstem"] is None and standing.valid_cases["Brainstem"] == 0
    card, tensors = read_model(found.kept.folder / "last.safetensors")
    assert before == PAROTIDS and card.trained_structures == ALL
    assert state_digest(tensors) == of_a_network(found) and card.round == 2 and card.site == "site_a"


def test_a_row_that_was_only_distilled_is_not_averaged_on(sites, grown):
    """Site a learns the brainstem from an expert; what it hands on says that nobody's cases stand behind it."""
    first = sites.learner(PAROTIDS, rule=["distill"])
    rounds(first, [[], [expert(grown)]])
    second = sites.learner(PAROTIDS, steps=1)
    second.validate(0)
    row = network_state(second.network)["head.weight"][BRAINSTEM]
    handed_on = expert(network_state(first.network), PAROTIDS)
    assert first.standing().row_cases["Brainstem"] == handed_on.manifest.row_cases["Brainstem"] == 0
    assert not np.array_equal(network_state(first.network)["head.weight"][BRAINSTEM], row)
    second.learn(1, [handed_on])
    assert np.array_equal(network_state(second.network)["head.weight"][BRAINSTEM], row)
    assert second.trained() == PAROTIDS


@pytest.mark.parametrize("rule", [["adopt"], ["average"]])
def test_rows_that_nobody_trained_stay_what_they_were_though_the_wire_rounds(sites, grown, rule):
    rounded = {name: values.astype(np.float16).astype(np.float32) for name, values in grown.items()}
    first = network_state(sites.learner(PAROTIDS).network)
    for name in ("head.weight", "head.bias"):
        rounded[name][BRAINSTEM] = first[name][BRAINSTEM].astype(np.float16)
    found = sites.learner(PAROTIDS, rule=rule)
    rounds(found, [[], [expert(rounded, PAROTIDS)]])
    assert found.trained() == PAROTIDS and found.standing().row_cases["Brainstem"] == 0
    assert np.array_equal(network_state(found.network)["head.weight"][BRAINSTEM], first["head.weight"][BRAINSTEM])


# Which model goes on.


@pytest.mark.parametrize("mine, theirs, chosen", [("young", "grown", "peer"), ("grown", "young", "own")])
def test_the_best_on_our_patients_survives(sites, mine, theirs, chosen, request):
    weights = {name: request.getfixturevalue(name) for name in ("young", "grown")}
    # Distilled at weight 0, the peer stays as it came and ours is as if alone.
    found = sites.learner(
        weights=weights[mine], rule=["distill"], divergence_weight=0.0, survivor="best", peer_tolerance=1.0, steps=1
    )
    found.validate(0)
    facts = found.learn(1, [expert(weights[theirs])])["survivor"]
    assert facts["chosen"] == chosen and set(facts["mean_dice"]) == {"own", "peer", "average"}
    assert facts["mean_dice"][chosen] == max(facts["mean_dice"].values())
    # What was said of the chosen one is what validation then finds of the present model.
    found.validate(1)
    assert macro_mean(found.dice) == facts["mean_dice"][chosen]
    assert (of_a_network(found) == state_digest(weights[theirs])) is (chosen == "peer")
    assert found.standing().row_cases == (by_name(8.0, 8.0, 8.0) if chosen == "peer" else by_name(2.0, 2.0, 2.0))


def test_a_surviving_peer_does_not_take_away_what_only_we_have_trained(sites, grown, young):
    spoiled = {name: values.copy() for name, values in grown.items()}
    spoiled["head.weight"][BRAINSTEM] = 7.0  # never trained there, so it means nothing
    found = sites.learner(weights=young, rule=["distill"], divergence_weight=0.0, survivor="best", steps=1)
    found.validate(0)
    facts = found.learn(1, [expert(spoiled, PAROTIDS)])
    assert facts["survivor"]["chosen"] == "peer"
    assert found.standing().row_cases == by_name(8.0, 8.0, 2.0)
    assert not np.any(network_state(found.network)["head.weight"][BRAINSTEM] == 7.0)


def test_of_several_peers_the_candidate_is_the_one_that_was_judged(sites, grown, young):
    found = sites.learner(weights=young, survivor="best", peer_tolerance=0.99, steps=1)
    found.validate(0)
    peers = [expert(grown, weight=0.01), expert(noise_of_the_same_norm(grown), site="site_c", weight=0.01)]
    facts = found.learn(1, peers)
    assert facts["survivor"]["chosen"] == "peer" and of_a_network(found) == state_digest(grown)
    assert facts["survivor"]["mean_dice"]["peer"] == facts["peers"]["site_b"]["peer_mean_dice"]


# What a restart remembers.


@pytest.mark.parametrize(
    "rule, changes",
    [
        (["average"], {}),
        (["average"], {"opt_treatment": "RESET"}),
        (["adopt"], {}),
        (["mutual"], {"gate_smoothing": 0.9}),
        (["distill"], {"survivor": "best"}),
        (["mutual", "average"], {"opt_treatment": "RESET"}),
        (["mutual", "adopt"], {"peer_tolerance": 1.0}),
    ],
)
def test_a_restart_from_disk_goes_on_bit_for_bit(tmp_path, sites, grown, young, rule, changes):
    structures, peers = PAROTIDS, [[], [expert(grown)], [expert(young)], [expert(grown)]]
    undisturbed = sites.learner(structures, rule=rule, dropout=0.2, **changes)
    rounds(undisturbed, peers[:2])
    tensors, facts = undisturbed.state()
    Checkpoints(tmp_path).save(tensors, facts)
    expected = rounds(undisturbed, peers[2:], first=2)

    restarted = sites.learner(structures, rule=rule, dropout=0.2, **changes)
    restarted.restore(*Checkpoints(tmp_path).load())
    assert restarted.kept.best_dice == facts["best_dice"] and restarted.trained() == ALL
    found = rounds(restarted, peers[2:], first=2)
    assert json.dumps(found) == json.dumps(expected)
    assert same_state(undisturbed, restarted)
    assert restarted.standing() == undisturbed.standing()
    saved = [read_model(learner.kept.folder / "last.safetensors") for learner in (undisturbed, restarted)]
    assert saved[0][0] == saved[1][0] and state_digest(saved[0][1]) == state_digest(saved[1][1])


def test_a_restart_keeps_the_precision_the_run_began_with(sites):
    first, second = sites.learner(), sites.learner()
    first.local.precision = first.runner.predictor.precision = torch.bfloat16
    second.restore(*first.state())
    assert second.local.precision is second.runner.predictor.precision is torch.bfloat16


def test_a_restart_on_another_device_is_said_loudly(sites, caplog):
    first, second = sites.learner(), sites.learner()
    tensors, facts = first.state()
    second.restore(tensors, facts)
    second.restore(tensors, {name: value for name, value in facts.items() if name != "device"})
    assert "DEVICE" not in caplog.text, "the same one, or a checkpoint of a version that did not say"
    second.restore(tensors, {**facts, "device": "cuda"})
    assert "THE DEVICE CHANGED: the run so far was computed on 'cuda', now it is 'cpu'" in caplog.text
