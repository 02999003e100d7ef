"""Phantoms are worth federating for: a site with four training cases alone does visibly worse than the pooled model."""

from argparse import Namespace

import numpy as np
import pytest
import yaml

from data_prep import pool
from data_prep.phantom.generate import make_federation
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from src.data.preprocessing import GridGeometry
from src.dataloader import LiverCTLoader
from src.task_runner import SegmentationTaskRunner
from tests.conftest import REPOSITORY

STEPS = 720  # the same for both


def small_site(root) -> Dataset:
    """Four sites; the last keeps four training cases, the rest of it is for testing."""
    *_, last = make_federation(root, anatomy="liver", cases_per_site=(24, 12, 8, 16), seed=0)
    names = list(last.cases)
    splits = dict.fromkeys(names[:4], "train") | {names[4]: "valid"} | dict.fromkeys(names[5:], "test")
    DatasetWriter(last.path, anatomy="liver", site=last.site).set_splits(splits)
    return Dataset.open(last.path)


def trained_on(dataset: Dataset, folder) -> SegmentationTaskRunner:
    plan = yaml.safe_load((REPOSITORY / "plan" / "plans" / "fedavg_phantom" / "plan.yaml").read_text(encoding="utf-8"))
    settings = {**plan["task_runner"]["settings"], "save_path": str(folder), "log_path": str(folder)}
    loader = LiverCTLoader(dataset.path, **{**plan["data_loader"]["settings"], "cache_path": str(folder / "cache")})
    runner = SegmentationTaskRunner(loader, **{**settings, "steps_per_round": STEPS, "schedule_rounds": 1})
    runner.training_of_site.train_round(dataset.site, 0)
    return runner


def mean_dice(runner: SegmentationTaskRunner, dataset: Dataset) -> float:
    """Over the test cases' contoured structures."""
    loader, values = runner.data_loader, []
    loader.dataset = dataset
    for record in dataset.cases_of("test"):
        case = loader.cache.prepare(dataset, record)
        truth = loader.truth(case)
        native = GridGeometry.of(dataset.read_geometry(case.name))
        masks = runner.predictor.masks(case.hu_XYZ, case.grid, native, truth.channels)
        values += [truth.dice(channel, mask_XYZ) for channel, mask_XYZ in masks]
    return float(np.nanmean(values))


@pytest.mark.slow
def test_four_cases_alone_do_visibly_worse_than_pooled_data(tmp_path):
    small = small_site(tmp_path / "sites")
    sites = sorted((tmp_path / "sites").iterdir())
    pool.run(Namespace(datasets=sites, output=tmp_path / "pooled", site="pooled"))
    alone = mean_dice(trained_on(small, tmp_path / "alone_run"), small)
    pooled = mean_dice(trained_on(Dataset.open(tmp_path / "pooled"), tmp_path / "pooled_run"), small)
    print(f"mean Dice at the small site after {STEPS} steps: alone {alone:.3f}, pooled {pooled:.3f}")
    assert pooled > alone + 0.05
