"""A small study, as a file has it, and datasets of three sites that it could be of."""

import copy
from pathlib import Path

import pytest

from experiments.compare.study import Study
from experiments.compare.study_file import study_of
from src.data.dataset_writer import DatasetWriter
from tests.conftest import sphere_case

SITES = ["site_a", "site_b", "site_c"]
CONTENT = {
    "anatomy": "phantom",
    "rounds": 4,
    "local_finish_rounds": 1,
    "changes": ["task_runner.settings.steps_per_round=5"],
    "learning_rates": [0.003, 0.01],
    "search_rounds": 3,
    "hypothesis": {"text": "as good", "scheme": "gossip", "reference": "pooled"},
    "comparisons": [["gossip", "fedavg_local"]],
    "advice": ["individual", "gossip"],
    "schemes": {
        "individual": {"plan": "individual"},
        "pooled": {"plan": "fedavg", "pooled_data": True, "steps": "sum"},
        "fedavg": {"plan": "fedavg"},
        "cyclic": {"plan": "cyclic", "learning_rate_of": "fedavg"},
        "gossip": {"plan": "gossip"},
        "gossip_without_site_c": {"plan": "gossip", "without": ["site_c"], "learning_rate_of": "gossip"},
    },
}


def content_with(dotted: str | None = None, value: object = None) -> dict:
    """What stands in a study file, with one key changed; a dot goes one level down."""
    content = copy.deepcopy(CONTENT)
    if dotted:
        *above, last = dotted.split(".")
        section = content
        for key in above:
            section = section[key]
        section[last] = value
    return content


def small_study(dotted: str | None = None, value: object = None) -> Study:
    """The same, read."""
    return study_of("small", content_with(dotted, value))


@pytest.fixture(scope="session")
def three_sites(tmp_path_factory) -> Path:
    """A folder with a dataset of three cases per site, of the anatomy that phantoms have. Read only."""
    root = tmp_path_factory.mktemp("three_sites")
    for site in SITES:
        writer = DatasetWriter(root / site, anatomy="liver", site=site)
        for number, split in enumerate(["train", "valid", "test"]):
            ct, masks = sphere_case(1000 + number)
            writer.add_case(f"{site}_{number:02d}", ct, {"Liver": masks["Brainstem"]}, split=split)
    return root
