"""One small study and its results, which the tests share and only read."""

from pathlib import Path

import pytest

from experiments.results import collect
from tests.experiments.small_study import make_small_datasets, make_small_study


@pytest.fixture(scope="session")
def small_study(tmp_path_factory) -> Path:
    """The study's folder, with validation patients scored."""
    return make_small_study(tmp_path_factory.mktemp("results") / "study")


@pytest.fixture(scope="session")
def small_datasets(tmp_path_factory) -> Path:
    """What the sites' dataset.json say."""
    return make_small_datasets(tmp_path_factory.mktemp("datasets"))


@pytest.fixture(scope="session")
def small_results(small_study, small_datasets) -> dict:
    """All that results.json holds, with fewer resamples."""
    return collect(small_study, small_datasets, "valid", num_resamples=500)


@pytest.fixture(scope="session")
def results_without_data(small_study) -> dict:
    """The same, made a second time without the datasets."""
    return collect(small_study, None, "valid", num_resamples=500)
