"""What follows from plan and files: the federation's name as OpenFL makes it, facts worked out once, by one thread."""

import threading
import time
from pathlib import Path

import pytest
import yaml
from openfl.federated import Plan

from experiments.federation.template import REPOSITORY
from src.doctor.shared_fact import Unavailable, shared_fact
from src.doctor.workplace import Workplace

PLANS = sorted((REPOSITORY / "plan/plans").glob("*/plan.yaml"))


@pytest.mark.parametrize("path", PLANS, ids=[path.parent.name for path in PLANS])
def test_the_federation_is_named_as_openfl_names_it(path):
    assert Workplace("site_a", path).federation_id == Plan.parse(path).federation_uuid


def test_a_plan_without_settings_in_a_section_is_named_the_same_way(tmp_path):
    plan = yaml.safe_load(PLANS[0].read_text())
    plan["compression_pipeline"] = {"template": plan["compression_pipeline"]["template"]}
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump(plan))
    assert Workplace("site_a", path).federation_id == Plan.parse(path).federation_uuid


class Thing:
    computed = 0

    @shared_fact("a slow fact")
    def slow(self) -> int:
        time.sleep(0.05)
        self.computed += 1
        return self.computed

    @shared_fact("a broken fact")
    def broken(self):
        self.computed += 1
        raise ValueError("so it is")

    @shared_fact("one that needs it")
    def above(self):
        return self.broken


def test_a_fact_is_computed_once_for_all_threads():
    thing, found = Thing(), []
    threads = [threading.Thread(target=lambda: found.append(thing.slow)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 8


def test_a_failure_is_kept_with_its_cause_and_named_where_it_began():
    thing = Thing()
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            thing.broken  # noqa: B018
        assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(Unavailable) as caught:
        thing.above  # noqa: B018
    assert caught.value.what == "a broken fact"
    assert thing.computed == 1


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("site_a,data/site_a\n", "data/site_a"),
        ("# site_a,old\nsite_a,/data/x, y  \n", "/data/x, y"),
        ("site_a,first\nsite_a,second\n", "second"),
    ],
)
def test_the_dataset_is_where_openfl_finds_it(tmp_path, lines, expected):
    config = tmp_path / "data.yaml"
    config.write_text(lines)
    assert Workplace("site_a", PLANS[0], config).data_path == Path(expected)
    assert Plan.parse(PLANS[0], data_config_path=config).cols_data_paths["site_a"] == expected
