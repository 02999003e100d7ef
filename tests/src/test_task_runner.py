"""The task runner: learns, leaves unknown structures alone, federates the network and nothing else."""

import json

import numpy as np
import pytest
from openfl.utilities import TensorKey

from src.data.dataset_writer import DatasetWriter
from src.dataloader import HeadNeckCTLoader
from src.errors import ModelCardError, PlanSettingError
from src.evaluation.validation import validate_cases
from src.model.card import read_card, read_model
from src.model.state import state_digest, unique_tensors
from src.task_runner import SegmentationTaskRunner
from tests.conftest import SPHERE_STRUCTURES, sphere_case, write_sphere_dataset


@pytest.fixture
def make_runner(sphere_dataset, loader_settings, runner_settings):
    def make(path=sphere_dataset.path, loader=None, **changes):
        runner = SegmentationTaskRunner(
            HeadNeckCTLoader(path, **{**loader_settings, **(loader or {})}), **{**runner_settings, **changes}
        )
        runner.set_optimizer_treatment("CONTINUE_LOCAL")
        runner.initialize_tensorkeys_for_functions()
        return runner

    return make


def run(runner, round_number=0, site="site_a"):
    sent, kept = runner.train_task(site, round_number, runner.get_tensor_dict())
    assert kept == {}
    return {key.tensor_name: value for key, value in sent.items()}


def test_training_lowers_the_loss_and_raises_the_dice(make_runner):
    runner = make_runner(steps_per_round=60, schedule_rounds=3)
    before = run(runner, 0)["train_loss"]
    for round_number in (1, 2):
        after = run(runner, round_number)["train_loss"]
    assert after < 0.7 * before
    assert validate_cases(runner.predictor, runner.data_loader, SPHERE_STRUCTURES)["Brainstem"].mean > 0.5


def test_a_structure_nobody_contoured_here_keeps_its_row_bit_for_bit(tmp_path, make_runner):
    dataset = write_sphere_dataset(tmp_path / "partial", structures=("Parotid_L", "Parotid_R"))
    runner = make_runner(dataset.path)
    before = runner.get_tensor_dict()
    sent = run(runner)
    assert [sent[f"train_cases/{channel:02d}/{name}"] for channel, name in enumerate(SPHERE_STRUCTURES)] == [4, 4, 0]
    for tensor in ("head.weight", "head.bias"):
        assert np.array_equal(sent[tensor][2], before[tensor][2])
        assert not np.array_equal(sent[tensor][0], before[tensor][0])


def test_what_is_sent_is_the_network_and_scalar_metrics(make_runner):
    runner = make_runner()
    sent, _ = runner.train_task("site_a", 3, runner.get_tensor_dict())
    trained = {key.tensor_name for key in sent if key.tags == ("trained",)}
    assert trained == set(unique_tensors(runner.network)) == set(runner.get_tensor_dict())
    for key, value in sent.items():
        assert key.origin == "site_a" and key.round_number == 3
        if "metric" in key.tags:
            assert np.ndim(value) == 0
    assert TensorKey("train_loss", "site_a", 3, True, ("metric",)) in sent


def test_validation_reports_every_structure_and_nan_for_the_unknown(tmp_path, make_runner):
    dataset = write_sphere_dataset(tmp_path / "partial", structures=("Parotid_L", "Brainstem"))
    runner = make_runner(dataset.path)
    sent, _ = runner.validate_task("site_a", 0, runner.get_tensor_dict(), apply="global")
    values = {key.tensor_name: float(value) for key, value in sent.items()}
    assert np.isnan(values["dice/01/Parotid_R"]) and values["valid_cases/01/Parotid_R"] == 0
    assert 0 <= values["dice/00/Parotid_L"] <= 1 and values["valid_cases/00/Parotid_L"] == 1
    assert values["mean_dice"] == pytest.approx((values["dice/00/Parotid_L"] + values["dice/02/Brainstem"]) / 2)
    (line,) = (tmp_path / "logs" / "site_a" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(line)["dice"]["Parotid_R"] is None


def test_a_channel_nobody_trained_is_never_scored(tmp_path, make_runner):
    # The site's validation case has a brainstem, none of its training cases, and no peer has moved the row.
    dataset = write_sphere_dataset(tmp_path / "partial", structures=("Parotid_L", "Parotid_R"))
    (valid,) = dataset.cases_of("valid")
    DatasetWriter(dataset.path, anatomy="head_neck", site="site_a").add_case(valid.name, *sphere_case(7), split="valid")
    runner = make_runner(dataset.path)
    sent, _ = runner.validate_task("site_a", 0, runner.get_tensor_dict(), apply="global")
    values = {key.tensor_name: float(value) for key, value in sent.items()}
    assert np.isnan(values["dice/02/Brainstem"]) and values["valid_cases/02/Brainstem"] == 0
    state = runner.get_tensor_dict()
    state["head.bias"][2] += 0.5
    sent, _ = runner.validate_task("site_a", 1, state, apply="global")
    values = {key.tensor_name: float(value) for key, value in sent.items()}
    assert values["valid_cases/02/Brainstem"] == 1 and not np.isnan(values["dice/02/Brainstem"])


def test_two_runs_are_bit_for_bit_the_same(make_runner):
    states = []
    for _ in range(2):
        runner = make_runner()
        run(runner, 0)
        run(runner, 1)
        states.append(state_digest(runner.get_tensor_dict()))
    assert states[0] == states[1]


def test_the_proximal_term_holds_the_weights_back(make_runner):
    def moved(mu):
        runner = make_runner(proximal_mu=mu)
        before = runner.get_tensor_dict()
        after = run(runner)
        return sum(float(((after[name] - before[name]) ** 2).sum()) for name in before)

    assert moved(100.0) < moved(0.0)


def test_saved_models_load_again_and_know_what_was_trained(tmp_path, make_runner):
    dataset = write_sphere_dataset(tmp_path / "partial", structures=("Parotid_L", "Brainstem"))
    runner = make_runner(dataset.path)
    runner.validate_task("site_a", 0, runner.get_tensor_dict(), apply="global")
    trained = run(runner, 0)
    # A peer moved the row of the structure that this site does not know.
    state = {name: trained[name].copy() for name in runner.get_tensor_dict()}
    runner.validate_task("site_a", 1, state, apply="global")
    card, tensors = read_model(tmp_path / "save" / "site_a" / "last.safetensors")
    assert card.trained_structures == ("Parotid_L", "Brainstem") and card.round == 1
    assert state_digest(tensors) == state_digest(state)
    state["head.bias"][1] += 1
    runner.validate_task("site_a", 2, state, apply="global")
    card, _ = read_model(tmp_path / "save" / "site_a" / "last.safetensors")
    assert card.trained_structures == tuple(SPHERE_STRUCTURES)


def test_starting_from_a_saved_model_and_refusing_another(tmp_path, make_runner):
    first = make_runner()
    run(first)
    state = first.get_tensor_dict()
    first.validate_task("site_a", 1, state, apply="global")
    saved = tmp_path / "save" / "site_a" / "best.safetensors"
    assert read_card(saved).fingerprint == first.data_loader.ct_fingerprint
    second = make_runner(random_seed=5)
    second.load_native(str(saved))
    assert state_digest(second.get_tensor_dict()) == state_digest(state)
    for change, what in [
        ({"loader": {"structures": SPHERE_STRUCTURES[::-1]}}, "structures"),
        ({"loader": {"window_hu": [-160, 240]}}, "preprocessing"),
        ({"network": {**first.network_settings, "features": 8}}, "network"),
    ]:
        other = make_runner(**change)
        before = state_digest(other.get_tensor_dict())
        with pytest.raises(ModelCardError, match=what):
            other.load_native(str(saved))
        assert state_digest(other.get_tensor_dict()) == before


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"steps_per_round": 0}, "steps_per_round"),
        ({"schedule_rounds": 1.5}, "schedule_rounds"),
        ({"precision": "float16"}, "precision"),
        ({"overlap": 1.0}, "overlap"),
        ({"proximal_mu": -1}, "proximal_mu"),
        ({"optimisation": {"learning_rat": 0.1}}, "learning_rat"),
        ({"loader": {"patch_voxels": [17, 16, 16]}}, "patch_voxels"),
    ],
)
def test_impossible_settings_fail_at_construction_by_name(make_runner, change, what):
    with pytest.raises(PlanSettingError, match=what):
        make_runner(None, **change)
