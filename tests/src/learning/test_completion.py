"""The completion phase: it brings what is missing, leaves alone what is not, and is undone when it hurts."""

import json
import math

import numpy as np
import pytest
import torch

from src.evaluation.dice import macro_mean
from src.evaluation.validation import validate_cases
from src.learning.completion import complete, teacher_weights
from src.learning.peer_settings import CompletionSettings
from src.learning.teachers import Teachers
from src.model.inference import Predictor
from tests.conftest import SPHERE_STRUCTURES
from tests.src.learning.small_training import digest, small_network, small_training, sphere_loader
from tests.src.learning.test_distill import BRAINSTEM, PAROTIDS
from tests.src.learning.test_gate import manifest

CPU = torch.device("cpu")


def predictor_of(network, loader) -> Predictor:
    return Predictor(
        network,
        patch_voxels=loader.patch_voxels,
        window_hu=loader.preprocessing.window_hu,
        overlap=0.25,
        precision=torch.float32,
        device=CPU,
    )


@pytest.fixture
def loader(tmp_path, loader_settings):
    """A site that contours both parotids, and no brainstem."""
    return sphere_loader(tmp_path / "site_a", loader_settings, PAROTIDS)


@pytest.fixture
def trained_teacher(tmp_path, loader_settings):
    """A peer that has learnt all three."""
    everything = sphere_loader(tmp_path / "site_b", loader_settings, tuple(SPHERE_STRUCTURES))
    teacher = small_training(everything, steps_per_round=50)
    for round_number in range(3):
        teacher.train_round("b", round_number)
    return teacher.network


def run(local, teachers, missing=(BRAINSTEM,), validate=None, **settings) -> dict:
    predictor = predictor_of(local.network, local.data_loader)
    return complete(
        local,
        teachers,
        missing,
        CompletionSettings(**{"steps": 3, "learning_rate": 0.003, "largest_loss": 0.005, **settings}),
        predictor=predictor,
        validate=validate or (lambda: macro_mean(validate_cases(predictor, local.data_loader, PAROTIDS))),
        dilation_mm=8.0,
        site="a",
        round_number=9,
    )


def test_a_missing_structure_comes_back_and_the_own_ones_stay(loader, trained_teacher):
    local = small_training(loader, seed=5, steps_per_round=50)
    for round_number in range(3):
        local.train_round("a", round_number)
    teacher_before = digest(trained_teacher)
    facts = run(local, [(trained_teacher, [4, 4, 4])], steps=120, learning_rate=0.005, largest_loss=0.1)
    assert facts["taught"] == ["Brainstem"] and not facts["undone"] and facts["steps"] == 120
    assert facts["agreement_after"]["Brainstem"] > facts["agreement_before"]["Brainstem"] + 0.3
    assert facts["mean_dice_after"] > facts["mean_dice_before"] - 0.1
    assert digest(trained_teacher) == teacher_before
    json.dumps(facts)


def test_it_is_undone_when_the_own_structures_lose_too_much(loader):
    local = small_training(loader)
    local.train_round("a", 0)
    before, moments = digest(local.network), local.optimiser_tensors()
    moments = {name: tensor.clone() for name, tensor in moments.items()}
    answers = iter([0.8, 0.794])
    facts = run(local, [(small_network(1), [0, 0, 4])], validate=lambda: next(answers))
    assert facts["undone"] and (facts["mean_dice_before"], facts["mean_dice_after"]) == (0.8, 0.794)
    assert digest(local.network) == before
    assert all(torch.equal(moments[name], tensor) for name, tensor in local.optimiser_tensors().items())


def test_a_phase_that_wrecks_the_network_is_undone_by_real_validation(loader):
    local = small_training(loader, steps_per_round=50)
    for round_number in range(3):
        local.train_round("a", round_number)
    before = digest(local.network)
    # A rate that wrecks any network.
    facts = run(local, [(small_network(1), [0, 0, 4])], learning_rate=1.0)
    assert facts["mean_dice_before"] > 0.5 > facts["mean_dice_after"]
    assert facts["undone"] and digest(local.network) == before


@pytest.mark.parametrize("after, undone", [(0.7951, False), (0.7949, True), (math.nan, True)])
def test_the_bound_is_the_plans(loader, after, undone):
    local = small_training(loader)
    answers = iter([0.8, after])
    assert run(local, [(small_network(1), [0, 0, 4])], validate=lambda: next(answers))["undone"] is undone


@pytest.mark.parametrize(
    "weights, missing, steps, dice, why",
    [
        ([4, 4, 0], [BRAINSTEM], 3, 0.8, "no peer contours"),
        ([4, 4, 4], [], 3, 0.8, "every structure is contoured"),
        ([4, 4, 4], [BRAINSTEM], 0, 0.8, "no steps"),
        ([4, 4, 4], [BRAINSTEM], 3, math.nan, "no validation case"),
    ],
)
def test_with_nothing_to_do_or_nothing_to_judge_by_it_is_left_out(loader, weights, missing, steps, dice, why):
    local = small_training(loader)
    before = digest(local.network)
    facts = run(local, [(small_network(1), weights)], missing, validate=lambda: dice, steps=steps)
    assert facts["taught"] == [] and why in facts["left_out"] and digest(local.network) == before


def test_what_the_site_contours_is_refused(loader):
    with pytest.raises(ValueError, match="does not contour"):
        run(small_training(loader), [(small_network(1), [4, 4, 4])], [0])


def test_only_the_missing_rows_learn_from_the_teachers(loader):
    # Wild in what the site contours, and that must not matter.
    digests = set()
    for wildness in (0.0, 50.0):
        local, teacher = small_training(loader), small_network(1)
        with torch.no_grad():
            teacher.head.bias[:BRAINSTEM] += wildness
        facts = run(local, [(teacher, [4, 4, 4])], validate=lambda: 0.5)
        assert facts["dropped_steps"] == 0 and facts["divergence"]["Brainstem"] > 0
        digests.add(digest(local.network))
    assert len(digests) == 1


def test_a_teacher_without_cases_of_it_has_no_say(loader):
    digests = set()
    for bystander in (1.0, -7.0):
        local, silent = small_training(loader), small_network(2)
        with torch.no_grad():
            silent.head.bias.fill_(bystander)
        run(local, [(small_network(1), [0, 0, 4]), (silent, [9, 9, 0])], validate=lambda: 0.5)
        digests.add(digest(local.network))
    assert len(digests) == 1


def test_the_target_is_the_weighted_mean_probability_and_the_trust_their_agreement():
    logits = [torch.tensor([[2.0, -1.0, 60.0]]).reshape(1, 1, 3, 1, 1), torch.tensor([[1.0, 3.0, 50.0]]).reshape(1, 1, 3, 1, 1)]
    teachers = Teachers([(small_network(0), [3.0]), (small_network(1), [1.0])], [0], CPU)
    target, trust = teachers.target(logits)
    probability = 0.75 * torch.sigmoid(logits[0].double()) + 0.25 * torch.sigmoid(logits[1].double())
    torch.testing.assert_close(torch.sigmoid(target.double()), probability, rtol=1e-5, atol=1e-7)
    # Even where both are far surer than a float32 probability can say.
    assert 50 < target[0, 0, 2, 0, 0] < 60
    np.testing.assert_allclose(trust.flatten(), [1.0, 0.5, 1.0])


def test_cases_count_as_much_as_the_dice_that_is_reported_of_them():
    assert teacher_weights(manifest(train=20, reported=0.8), ["Brainstem"]) == pytest.approx([16.0])
    assert teacher_weights(manifest(train=20, reported=None), ["Brainstem"]) == [0.0]
    assert teacher_weights(manifest(train=0, reported=0.8, rows=50.0), ["Brainstem"]) == [0.0]
