"""Two networks that learn from each other: what each may take from the other, and what never crosses."""

import pytest
import torch

from src.data.dataset_writer import DatasetWriter
from src.dataloader import HeadNeckCTLoader
from src.learning.mutual import train_mutually
from tests.conftest import SPHERE_STRUCTURES, sphere_case
from tests.src.learning.small_training import digest, small_network, small_training, sphere_loader
from tests.src.learning.test_distill import BRAINSTEM, PAROTIDS, lesson

ALL, NONE = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)


@pytest.fixture
def loader(tmp_path, loader_settings):
    """A site that contours both parotids, and no brainstem."""
    return sphere_loader(tmp_path / "site_a", loader_settings, PAROTIDS)


@pytest.mark.parametrize("own, back, weight", [(ALL, ALL, 0.0), (NONE, NONE, 1.0), (NONE, ALL, 1.0)])
def test_where_the_peer_teaches_nothing_ours_is_trained_alone_bit_for_bit(loader, own, back, weight):
    alone, mutual = small_training(loader, dropout=0.3), small_training(loader, dropout=0.3)
    for round_number in (0, 1):
        expected = alone.train_round("a", round_number)
        found = train_mutually(mutual, lesson(small_network(1, 0.3), own, weight, back), "a", round_number)
        assert found.losses == expected.losses and found.gradient_norms == expected.gradient_norms
    assert digest(alone.network) == digest(mutual.network)


def test_the_copy_without_lessons_is_trained_as_a_network_of_its_own(loader):
    """Same data, settings and rates, fresh optimiser: what a site beginning with the peer's weights would come to."""
    expected = small_training(loader, seed=1)
    expected.train_round("a", 1)
    local, peer = small_training(loader), small_network(1)
    local.train_round("a", 0)
    found = train_mutually(local, lesson(peer, ALL, 0.0, ALL), "a", 1)
    assert digest(peer) == digest(expected.network)
    assert len(found.peer.losses) == len(found.losses) == 4


def test_identical_models_learn_nothing_from_each_other(tmp_path, loader_settings):
    loader = sphere_loader(tmp_path / "all", loader_settings, tuple(SPHERE_STRUCTURES))
    alone, mutual = small_training(loader), small_training(loader)
    alone.train_round("a", 0)
    peer = small_network(0)
    found = train_mutually(mutual, lesson(peer, ALL, 10.0, ALL), "a", 0)
    # With the same weights, batches and fresh optimisers they stay identical, step by step.
    assert found.divergence_C == (0.0, 0.0, 0.0)
    assert digest(mutual.network) == digest(peer) == digest(alone.network)


@pytest.mark.parametrize("own, back, mine_moves, theirs_moves", [(ALL, NONE, True, False), (NONE, ALL, False, True)])
def test_each_direction_reaches_one_model_alone(loader, own, back, mine_moves, theirs_moves):
    def first_step(own, back):
        # Later steps mix: each model then reacts to what the other has made of the first.
        local, peer = small_training(loader, steps_per_round=1), small_network(1)
        train_mutually(local, lesson(peer, own, 1.0, back), "a", 0)
        return digest(local.network), digest(peer)

    untouched, touched = first_step(NONE, NONE), first_step(own, back)
    assert (untouched[0] != touched[0], untouched[1] != touched[1]) == (mine_moves, theirs_moves)


def test_what_we_do_not_contour_goes_one_way(loader):
    local, peer = small_training(loader), small_network(1)
    row = peer.head.weight[BRAINSTEM].detach().clone(), peer.head.bias[BRAINSTEM].detach().clone()
    own_row = local.network.head.weight[BRAINSTEM].detach().clone()
    train_mutually(local, lesson(peer, (0.0, 0.0, 1.0), 1.0, (0.0, 0.0, 1.0)), "a", 0)
    assert torch.equal(peer.head.weight[BRAINSTEM], row[0]) and torch.equal(peer.head.bias[BRAINSTEM], row[1])
    assert not torch.equal(local.network.head.weight[BRAINSTEM], own_row)
    # Nor does our opinion of it pull at the copy's other weights.
    other, untaught = small_training(loader), small_network(1)
    train_mutually(other, lesson(untaught, (0.0, 0.0, 1.0), 1.0, NONE), "a", 0)
    assert digest(peer) == digest(untaught)


def test_in_a_case_that_happens_not_to_be_contoured_we_do_not_teach(tmp_path, loader_settings):
    loader = sphere_loader(tmp_path / "mixed", {**loader_settings, "batch_size": 1}, PAROTIDS)
    # One more training case, the only one with a brainstem.
    DatasetWriter(loader.dataset.path, anatomy="head_neck", site="site_a").add_case("extra", *sphere_case(7), split="train")
    loader = HeadNeckCTLoader(loader.dataset.path, **{**loader_settings, "batch_size": 1})
    differs = {True: [], False: []}
    for round_number in range(12):
        (batch,) = loader.training_batches(round_number, 1)
        digests = set()
        for gate in (0.0, 1.0):
            local, peer = small_training(loader, steps_per_round=1, schedule_rounds=20), small_network(1)
            train_mutually(local, lesson(peer, NONE, 1.0, (0.0, 0.0, gate)), "a", round_number)
            digests.add(digest(peer))
        differs[bool(batch["contoured"][0, BRAINSTEM])].append(len(digests) == 2)
    assert differs[True] and all(differs[True])
    assert differs[False] and not any(differs[False])


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_peer_that_is_not_finite_never_infects_ours(loader, poison):
    alone, mutual, peer = small_training(loader), small_training(loader), small_network(1)
    alone.train_round("a", 0)
    with torch.no_grad():
        next(peer.parameters())[:] = poison
    before = digest(peer)
    found = train_mutually(mutual, lesson(peer, ALL, 1.0, ALL), "a", 0)
    assert found.dropped_steps == 4
    assert digest(alone.network) == digest(mutual.network)
    # Its own steps are skipped, as ours would be.
    assert digest(peer) == before and all(norm != norm for norm in found.peer.gradient_norms)


def test_models_that_teach_each_other_end_closer_to_each_other(loader):
    def last_divergence(weight):
        local, peer = small_training(loader, steps_per_round=20), small_network(1)
        gates = (1.0, 1.0, 0.0)
        train_mutually(local, lesson(peer, gates, weight, gates), "a", 0)
        # Seen by a round that hardly moves anything: its own divergence, before λ.
        return train_mutually(local, lesson(peer, gates, 1e-9, gates), "a", 1).divergence_C[0]

    assert last_divergence(3.0) < last_divergence(1e-9)
