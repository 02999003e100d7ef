"""The end of a run: what completion leaves, what is undone, and one consensus model that is the same everywhere."""

import json

import numpy as np
import pytest

from src.evaluation.dice import macro_mean
from src.evaluation.validation import validate_cases
from src.learning.consensus import consensus
from src.model.card import read_model
from src.model.state import network_state, state_digest
from tests.src.learning.small_peers import (
    ALL,
    PAROTIDS,
    by_name,
    expert,
    noise_of_the_same_norm,
    of_a_network,
    peer_model,
    with_permuted_channels,
)

FILES = ["best.safetensors", "consensus.safetensors", "last.safetensors"]


def closing(learner, others, *, rounds: int = 1, chain_end: str | None = None):
    """Validates, publishes and ends the run; the federation's final models, and the events by phase."""
    learner.validate(rounds - 1)
    own = peer_model(network_state(learner.network), learner.standing(), site=learner.site, final=True)
    finals = sorted([own, *others], key=lambda model: model.manifest.site)
    events = learner.finish(rounds, finals, chain_end)
    json.dumps(events)
    return finals, {event["phase"]: event for event in events}


def files(learner) -> list[str]:
    return sorted(path.name for path in learner.kept.folder.iterdir())


def saved(learner, name: str):
    return read_model(learner.kept.folder / f"{name}.safetensors")


def test_alone_nothing_happens(sites, grown):
    learner = sites.learner(PAROTIDS, weights=grown, completion={"steps": 3})
    before = of_a_network(learner)
    assert closing(learner, [])[1] == {}
    assert of_a_network(learner) == before and files(learner) == ["best.safetensors", "last.safetensors"]


def test_completion_is_kept_and_last_is_what_was_validated_after_it(sites, grown):
    learner = sites.learner(PAROTIDS, weights=grown, completion={"steps": 3, "largest_loss": 1.0})
    published = of_a_network(learner)
    finals, events = closing(learner, [expert(grown)], rounds=4)
    completion, validated = events["completion"], events["validate"]
    assert completion["taught"] == ["Brainstem"] and not completion["undone"] and completion["teachers"] == ["site_b"]
    assert validated["after"] == "completion" and list(events) == ["completion", "validate", "consensus"]
    card, tensors = saved(learner, "last")
    assert state_digest(tensors) == of_a_network(learner) != published
    assert card.round == 4 and card.trained_structures == ALL
    found = validate_cases(learner.runner.predictor, learner.runner.data_loader, card.trained_structures)
    assert {name: entry.mean for name, entry in found.items() if entry.num_scored} == {
        name: value for name, value in card.validation_dice.items() if value is not None
    }
    assert validated["mean_dice"] == macro_mean(found) and validated["dice"]["Parotid_L"] == found["Parotid_L"].mean
    # What is published is what was there before, and what was completed is no training.
    assert state_digest({name: tensor.numpy() for name, tensor in finals[0].read().items()}) == published
    assert learner.standing().train_cases == by_name(2, 2, 0) and learner.standing().row_cases["Brainstem"] == 0
    assert learner.standing().valid_dice["Parotid_L"] == found["Parotid_L"].mean


def test_completion_that_hurts_is_undone(sites, grown):
    # A rate that wrecks any network.
    learner = sites.learner(PAROTIDS, weights=grown, completion={"steps": 3, "learning_rate": 1.0})
    before = of_a_network(learner)
    _, events = closing(learner, [expert(grown)])
    assert events["completion"]["undone"] and "validate" not in events
    assert events["completion"]["mean_dice_after"] < events["completion"]["mean_dice_before"] - 0.005
    assert of_a_network(learner) == before == state_digest(saved(learner, "last")[1])
    assert files(learner) == FILES


@pytest.mark.parametrize(
    "structures, teacher, steps, why",
    [
        (ALL, ALL, 3, "every structure is contoured"),
        (PAROTIDS, PAROTIDS, 3, "no peer contours"),
        (PAROTIDS, ALL, 0, "no steps"),
    ],
)
def test_where_nothing_is_to_be_completed_only_the_consensus_is_made(sites, grown, structures, teacher, steps, why):
    learner = sites.learner(structures, weights=grown, completion={"steps": steps})
    before = of_a_network(learner)
    _, events = closing(learner, [expert(grown, teacher)])
    assert why in events["completion"]["left_out"] and list(events) == ["completion", "consensus"]
    assert of_a_network(learner) == before == state_digest(saved(learner, "last")[1])


def test_a_structure_without_a_reported_dice_teaches_nobody(sites, grown):
    learner = sites.learner(PAROTIDS, weights=grown, completion={"steps": 3})
    silent = expert(grown, valid_dice=by_name(0.8, 0.8, None))
    assert "no peer contours" in closing(learner, [silent])[1]["completion"]["left_out"]


def test_all_sites_come_to_the_same_consensus_and_its_card_says_what_it_knows(sites, grown, young):
    first = sites.learner(PAROTIDS, weights=grown, completion={"steps": 2, "largest_loss": 1.0}, peer_tolerance=1.0)
    second = sites.learner(PAROTIDS, weights=young, site="site_b", peer_tolerance=1.0)
    finals, _ = closing(first, [peer_model(young, second.standing(), site="site_b")])
    second.finish(1, finals[::-1], None)
    (card, tensors), (other_card, others) = saved(first, "consensus"), saved(second, "consensus")
    assert state_digest(tensors) == state_digest(others) == state_digest(consensus(finals, ALL)[0])
    # Nobody contours the brainstem, though both began with a row that knows it.
    assert card.trained_structures == other_card.trained_structures == PAROTIDS
    assert (card.site, other_card.site, card.round) == ("site_a", "site_b", 1)


def test_the_consensus_is_scored_on_our_patients_and_leaves_our_model_alone(sites, grown, young):
    learner = sites.learner(weights=grown, peer_tolerance=1.0)
    before = of_a_network(learner)
    finals, events = closing(learner, [expert(young)])
    event, (card, tensors) = events["consensus"], saved(learner, "consensus")
    theirs = sites.learner(weights=tensors)
    found = validate_cases(theirs.runner.predictor, theirs.runner.data_loader, ALL)
    assert event["sites"] == ["site_a", "site_b"] and event["mean_dice"] == macro_mean(found)
    assert card.validation_dice == {name: entry.mean for name, entry in found.items()}
    assert of_a_network(learner) == before == state_digest(saved(learner, "last")[1]) and len(finals) == 2
    assert files(learner) == FILES


def test_a_chains_model_is_the_one_of_its_last_site(sites, grown, young):
    learner = sites.learner(PAROTIDS, weights=young)
    last = expert(grown, PAROTIDS, row_cases=by_name(8.0, 8.0, 5.0))
    _, events = closing(learner, [last], chain_end="site_b")
    card, tensors = saved(learner, "consensus")
    assert state_digest(tensors) == state_digest(grown) and events["consensus"]["sites"] == ["site_b"]
    # It has been at sites that contour what its last does not.
    assert card.trained_structures == ALL


def test_a_chain_whose_last_site_is_missing_has_no_consensus_and_says_so(sites, grown, young):
    learner = sites.learner(weights=young)
    _, events = closing(learner, [expert(grown)], chain_end="site_c")
    assert events["consensus"]["sites"] == [] and "site_c" in events["consensus"]["left_out"]
    assert "consensus.safetensors" not in files(learner)


def test_a_site_without_validation_cases_completes_nothing_and_still_has_the_consensus(sites, grown):
    learner = sites.learner(PAROTIDS, weights=grown, valid=0, completion={"steps": 3})
    before = of_a_network(learner)
    _, events = closing(learner, [expert(grown)])
    assert "no validation case" in events["completion"]["left_out"] and np.isnan(events["consensus"]["mean_dice"])
    assert of_a_network(learner) == before and files(learner) == FILES


@pytest.mark.parametrize("spoil", [noise_of_the_same_norm, with_permuted_channels])
def test_a_final_model_that_fails_on_our_patients_neither_teaches_nor_counts(sites, grown, spoil):
    learner = sites.learner(PAROTIDS, weights=grown, completion={"steps": 3, "largest_loss": 1.0})
    rubbish = expert(spoil(grown), site="site_c", cases=1000, dice=1.0)
    finals, events = closing(learner, [expert(grown), rubbish])
    assert events["consensus"]["useless"] == ["site_c"] and events["consensus"]["sites"] == ["site_a", "site_b"]
    assert events["completion"]["teachers"] == ["site_b"]
    assert state_digest(saved(learner, "consensus")[1]) == state_digest(consensus(finals[:2], ALL)[0])


def test_where_every_other_final_model_fails_the_consensus_is_our_own(sites, grown):
    learner = sites.learner(weights=grown)
    finals, events = closing(learner, [expert(noise_of_the_same_norm(grown))])
    assert events["consensus"]["sites"] == ["site_a"]
    assert state_digest(saved(learner, "consensus")[1]) == state_digest(consensus(finals[:1], ALL)[0])
