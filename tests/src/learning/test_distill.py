"""Training with a frozen peer: alone when it teaches nothing, never infected, and it does teach."""

import pytest
import torch

from src.evaluation.validation import validate_cases
from src.learning.co_training import Lesson
from src.learning.distill import train_distilled
from src.model.inference import Predictor
from tests.conftest import SPHERE_STRUCTURES
from tests.src.learning.small_training import digest, small_network, small_training, sphere_loader

PAROTIDS = ("Parotid_L", "Parotid_R")
BRAINSTEM = 2


@pytest.fixture
def loader(tmp_path, loader_settings):
    """A site that contours both parotids, and no brainstem."""
    return sphere_loader(tmp_path / "site_a", loader_settings, PAROTIDS)


def lesson(peer, own=(1.0, 1.0, 1.0), weight=1.0, back=(0.0, 0.0, 0.0)) -> Lesson:
    return Lesson(
        peer_network=peer,
        taught_own_C=torch.tensor(own),
        taught_peer_C=torch.tensor(back),
        divergence_weight=weight,
        dilation_mm=8.0,
    )


@pytest.mark.parametrize("own, weight", [((0.0, 0.0, 0.0), 1.0), ((1.0, 1.0, 1.0), 0.0)])
def test_where_nothing_is_taught_it_is_training_alone_bit_for_bit(loader, own, weight):
    alone, taught = small_training(loader, dropout=0.3), small_training(loader, dropout=0.3)
    for round_number in (0, 1):
        expected = alone.train_round("a", round_number)
        found = train_distilled(taught, lesson(small_network(1, 0.3), own, weight), "a", round_number)
        assert found.losses == expected.losses and found.gradient_norms == expected.gradient_norms
    assert digest(alone.network) == digest(taught.network)


def test_a_peer_that_teaches_changes_ours_and_stays_as_it_is(loader):
    alone, taught, peer = small_training(loader), small_training(loader), small_network(1, 0.3)
    before = digest(peer)
    alone.train_round("a", 0)
    found = train_distilled(taught, lesson(peer), "a", 0)
    assert digest(peer) == before and all(parameter.grad is None for parameter in peer.parameters())
    assert digest(alone.network) != digest(taught.network)
    assert found.peer is None and found.dropped_steps == 0 and min(found.divergence_C) > 0


def test_the_peer_speaks_without_dropout(loader):
    digests = set()
    for dropout in (0.0, 0.5):
        local, peer = small_training(loader), small_network(1, dropout)
        assert digest(peer) == digest(small_network(1))
        train_distilled(local, lesson(peer), "a", 0)
        digests.add(digest(local.network))
    assert len(digests) == 1


def test_it_is_a_function_of_seed_site_and_round(loader):
    def run(site):
        local = small_training(loader, dropout=0.3)
        torch.rand(7)  # whatever was drawn before
        return train_distilled(local, lesson(small_network(1)), site, 1), digest(local.network)

    assert run("a") == run("a")
    assert run("a")[1] != run("b")[1]


def test_a_taught_row_moves_and_an_untaught_one_does_not(loader):
    for gate, moves in ((1.0, True), (0.0, False)):
        local = small_training(loader)
        before = local.network.head.weight[BRAINSTEM].detach().clone(), local.network.head.bias[BRAINSTEM].detach().clone()
        found = train_distilled(local, lesson(small_network(1), (1.0, 0.0, gate)), "a", 0)
        after = local.network.head.weight[BRAINSTEM], local.network.head.bias[BRAINSTEM]
        assert all(torch.equal(old, new) != moves for old, new in zip(before, after, strict=True))
        assert (found.divergence_C[BRAINSTEM] > 0) == moves and found.divergence_C[1] != found.divergence_C[1]


def test_an_untaught_structure_gets_no_gradient_from_the_peer(loader):
    # With every gate but one shut, a peer that is wild in the shut channels is the same teacher.
    digests = set()
    for wildness in (0.0, 50.0):
        local, peer = small_training(loader), small_network(1)
        with torch.no_grad():
            peer.head.bias[1:] += wildness
        train_distilled(local, lesson(peer, (1.0, 0.0, 0.0)), "a", 0)
        digests.add(digest(local.network))
    assert len(digests) == 1


@pytest.mark.parametrize("poison", [float("nan"), float("inf"), -float("inf"), 3e38])
def test_a_peer_that_is_not_finite_is_left_out_and_counted(loader, poison):
    alone, taught, peer = small_training(loader), small_training(loader), small_network(1)
    alone.train_round("a", 0)
    with torch.no_grad():
        peer.head.bias[0] = poison
    found = train_distilled(taught, lesson(peer), "a", 0)
    assert found.dropped_steps == 4
    assert digest(alone.network) == digest(taught.network)


def test_a_good_teacher_brings_a_structure_that_was_never_seen_here(tmp_path, loader, loader_settings):
    everything = sphere_loader(tmp_path / "site_b", loader_settings, tuple(SPHERE_STRUCTURES))
    teacher = small_training(everything, steps_per_round=50)
    for round_number in range(3):
        teacher.train_round("b", round_number)

    def brainstem_dice(network) -> float:
        predictor = Predictor(
            network,
            patch_voxels=everything.patch_voxels,
            window_hu=everything.preprocessing.window_hu,
            overlap=0.25,
            precision=torch.float32,
            device=torch.device("cpu"),
        )
        return validate_cases(predictor, everything, SPHERE_STRUCTURES)["Brainstem"].mean

    pupil = small_training(loader, seed=5, steps_per_round=50)
    divergences = []
    for round_number in range(3):
        found = train_distilled(pupil, lesson(teacher.network, (0.0, 0.0, 1.0), 3.0), "a", round_number)
        divergences.append(found.divergence_C[BRAINSTEM])
    assert brainstem_dice(teacher.network) > 0.6
    assert brainstem_dice(pupil.network) > 0.5
    assert divergences[-1] < 0.5 * divergences[0]
