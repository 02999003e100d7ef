"""A trained model becomes one of 8-bit integers that draws as well, or nothing is written."""

import logging
from importlib.util import find_spec

import numpy as np
import pytest

from src.data.cache import CaseCache
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from src.data.preprocessing import Preprocessing
from src.dataloader import HeadNeckCTLoader
from src.errors import AccuracyLost, DatasetError, DiskError, PlanSettingError
from src.evaluation.dice import macro_mean
from src.model.card import read_model, write_model
from src.model.saved_model import load_saved_model
from src.model.state import network_state
from src.predict.openvino_model import CARD_FILE, convert, read_optimised
from src.predict.optimise.calibration import calibration_windows
from src.predict.optimise.command import main
from src.predict.optimise.quantise import quantise
from src.predict.optimise.validation_cases import dice_of, prepare_validation
from src.task_runner import SegmentationTaskRunner
from tests.conftest import SPHERE_STRUCTURES, sphere_case

pytestmark = pytest.mark.skipif(find_spec("nncf") is None, reason="the extra 'fast' is not installed")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, sphere_dataset):
    """A tiny network that finds the spheres, as a file."""
    folder = tmp_path_factory.mktemp("trained")
    loader = HeadNeckCTLoader(
        str(sphere_dataset.path),
        structures=list(SPHERE_STRUCTURES),
        spacing_mm=[4.0, 4.0, 5.0],
        window_hu=[-200, 300],
        body_margin_mm=4,
        patch_voxels=[16, 16, 16],
        batch_size=2,
        background_share=0.2,
        augmentation={},
        cache_path=str(folder / "cache"),
        num_workers=0,
        random_seed=0,
    )
    arguments = {"channels": [8, 16], "strides": [2], "num_res_units": 1, "norm": ["instance", {"affine": True}]}
    runner = SegmentationTaskRunner(
        loader,
        network={"name": "UNet", "features": 8, "arguments": arguments},
        optimisation={
            "learning_rate": 0.02,
            "weight_decay": 1e-5,
            "warm_up_steps": 2,
            "decay_power": 0.9,
            "clip_norm": 5.0,
        },
        steps_per_round=60,
        schedule_rounds=1,
        precision="float32",
        overlap=0.25,
        proximal_mu=0.0,
        random_seed=0,
        save_path=str(folder / "save"),
        log_path=str(folder / "logs"),
    )
    runner.training_of_site.train_round("site_a", 0)
    path = folder / "model.safetensors"
    write_model(path, runner.site_card("site_a", 1, SPHERE_STRUCTURES, {}), network_state(runner.network))
    return path


@pytest.fixture(scope="module")
def optimised(trained, sphere_dataset):
    folder = trained.with_name("optimised")
    given = ["--model", str(trained), "--data", str(sphere_dataset.path), "--output", str(folder)]
    assert main([*given, "--calibration-windows", "8", "--largest-loss", "0.05"]) == 0
    return folder


def _cases(trained, dataset, tmp_path):
    card, _ = read_model(trained)
    cache = CaseCache(tmp_path, Preprocessing.from_json(card.preprocessing), card.structures)
    return card, prepare_validation(dataset, card, cache), cache


def test_it_draws_as_well_on_validation_cases(trained, optimised, sphere_dataset, tmp_path):
    card, cases, _ = _cases(trained, sphere_dataset, tmp_path)
    before = dice_of(load_saved_model(trained, overlap=0.25, precision="float32").predictor, cases, card.structures)
    after = dice_of(read_optimised(optimised, overlap=0.25).engine, cases, card.structures)
    assert macro_mean(before) > 0.5, "the network must have learned something, or the test says nothing"
    assert macro_mean(after) > macro_mean(before) - 0.05


def test_it_computes_with_integers_and_keeps_the_card(trained, optimised):
    assert "FakeQuantize" in (optimised / "model.xml").read_text()
    assert (optimised / "model.bin").stat().st_size < trained.stat().st_size
    read = read_optimised(optimised, overlap=0.25)
    assert read.card == read_model(trained)[0]
    assert set(read.source["validation_dice_after"]) == set(SPHERE_STRUCTURES)


@pytest.mark.slow
def test_more_loss_than_allowed_is_refused(trained, sphere_dataset, tmp_path):
    """No model is a whole Dice better than itself."""
    card, cases, cache = _cases(trained, sphere_dataset, tmp_path)
    training = [cache.prepare(sphere_dataset, record) for record in sphere_dataset.cases_of("train")]
    windows = list(calibration_windows(training, card, overlap=0.25, num_windows=2))
    model = convert(load_saved_model(trained, overlap=0.25, precision="float32").predictor.network, card.patch_voxels)
    with pytest.raises(AccuracyLost, match="nothing is written"):
        quantise(model, card, windows, cases, overlap=0.25, largest_loss=-1.0)


def test_calibration_windows_are_what_the_network_is_fed_with(trained, sphere_dataset, tmp_path):
    card, _, cache = _cases(trained, sphere_dataset, tmp_path)
    training = [cache.prepare(sphere_dataset, record) for record in sphere_dataset.cases_of("train")]
    windows = list(calibration_windows(training, card, overlap=0.25, num_windows=10_000))
    assert len(windows) >= len(training)
    assert all(window.shape == (1, 1, *card.patch_voxels) and window.dtype == np.float32 for window in windows)
    assert all(window.min() >= -1 and window.max() <= 1 for window in windows)
    assert len(list(calibration_windows(training, card, overlap=0.25, num_windows=3))) == 3


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        (["--largest-loss", "-0.1"], PlanSettingError, "--largest-loss"),
        (["--overlap", "1"], PlanSettingError, "--overlap"),
        (["--calibration-windows", "0"], PlanSettingError, "--calibration-windows"),
    ],
)
def test_settings_out_of_range_are_refused(trained, sphere_dataset, tmp_path, changes, error, said):
    given = ["--model", str(trained), "--data", str(sphere_dataset.path), "--output", str(tmp_path / "new"), *changes]
    with pytest.raises(error, match=said):
        main(given)
    assert not (tmp_path / "new").exists()


def test_what_is_there_is_not_overwritten(trained, sphere_dataset, optimised):
    before = (optimised / CARD_FILE).read_bytes()
    with pytest.raises(DiskError, match="not to be there yet"):
        main(["--model", str(trained), "--data", str(sphere_dataset.path), "--output", str(optimised)])
    assert (optimised / CARD_FILE).read_bytes() == before


def _dataset(path, anatomy: str, splits) -> Dataset:
    writer = DatasetWriter(path, anatomy=anatomy, site="site_b")
    for number, split in enumerate(splits):
        ct, masks = sphere_case(number)
        writer.add_case(f"site_b_{number:02d}", ct, masks if anatomy == "head_neck" else {}, split=split)
    return Dataset.open(path)


@pytest.mark.parametrize(
    ("anatomy", "splits", "said"),
    [
        ("head_neck", ["train", "test"], "expected validation cases"),
        ("liver", ["train", "valid"], "expected a dataset of head_neck"),
    ],
)
def test_a_dataset_that_cannot_decide_is_refused(trained, tmp_path, anatomy, splits, said):
    dataset = _dataset(tmp_path / "data", anatomy, splits)
    with pytest.raises(DatasetError, match=said):
        main(["--model", str(trained), "--data", str(dataset.path), "--output", str(tmp_path / "new")])
    assert not (tmp_path / "new").exists()


def test_what_others_log_is_still_heard(optimised, caplog):
    logging.getLogger("another part").warning("heard")
    assert caplog.messages == ["heard"] and not logging.getLoggerClass().__module__.startswith("nncf")
