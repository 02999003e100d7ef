"""The table of what noise costs: its plans are plans, its rows say what the events say."""

import json

import pytest

from experiments.noise_cost import level_plan, row_of, table_of
from src.plan_sections import check_plan


@pytest.mark.parametrize("multiplier", [None, 0.0, 0.5])
def test_every_level_is_a_plan_that_differs_in_its_noise_alone(multiplier):
    pytest.importorskip("dp_accounting")
    plan, without = level_plan(multiplier, 3), level_plan(None, 3)
    check_plan(plan)
    noise = plan["collaborator"]["settings"]["exchange"].pop("noise")
    assert without["collaborator"]["settings"]["exchange"].pop("noise") is None
    assert plan == without
    assert noise is None if multiplier is None else noise["noise_multiplier"] == multiplier


def test_a_row_is_the_mean_over_sites_of_their_last_events(tmp_path):
    events = [
        {"site": "site_a", "phase": "validate", "mean_dice": 0.9},
        {"site": "site_a", "phase": "train", "peers": {"site_b": {"judged": True, "acceptable": False}}},
        {"site": "site_a", "phase": "exchange", "outcome": "received"},
        {"site": "site_b", "phase": "exchange", "outcome": "refused"},
        {"site": "site_b", "phase": "train", "peers": {"site_a": {"judged": True, "acceptable": True}}},
        *({"site": name, "phase": "noise", "epsilon": 12.5, "difference_norm": 4.0} for name in ("site_a", "site_b")),
        *({"site": name, "phase": "consensus", "mean_dice": 0.25} for name in ("site_a", "site_b")),
        {"site": "site_a", "phase": "validate", "mean_dice": 0.5},
        {"site": "site_b", "phase": "validate", "mean_dice": 0.7},
    ]
    for name in ("site_a", "site_b"):
        own = [json.dumps(event) + "\n" for event in events if event["site"] == name]
        (tmp_path / "logs" / name).mkdir(parents=True)
        (tmp_path / "logs" / name / "metrics.jsonl").write_text("".join(own))
    assert row_of(tmp_path, 0.5) == ["0.5", "15", "12.5", "4.0", "1 of 2", "0.600", "0.250"]
    assert row_of(tmp_path, None)[:4] == ["off", "0", "-", "-"]
    (tmp_path / "logs" / "site_b" / "metrics.jsonl").unlink()
    (tmp_path / "logs" / "site_a" / "metrics.jsonl").write_text(json.dumps(events[-2]) + "\n")
    assert row_of(tmp_path, None)[-3:] == ["0 of 0", "0.500", "-"], "no model was taken, so there is no consensus"
    table = table_of([row_of(tmp_path, None)]).splitlines()
    assert len(table) == 3 and len({line.count("|") for line in table}) == 1
