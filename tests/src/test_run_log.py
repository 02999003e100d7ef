"""A run's log: every line valid JSON, and the same numbers for TensorBoard."""

import json
import math

from src.run_log import RunLog


def test_events_are_appended_as_valid_json(tmp_path):
    for round_number in (0, 1):
        RunLog(tmp_path / "site_a").event(
            round_number=round_number,
            phase="validate",
            mean_dice=math.nan,
            dice={"Larynx": 0.5, "Lips": math.nan},
            site="site_a",
        )
    lines = [json.loads(line) for line in (tmp_path / "site_a" / "metrics.jsonl").read_text().splitlines()]
    assert [line["round"] for line in lines] == [0, 1]
    assert lines[0]["mean_dice"] is None
    assert lines[0]["dice"] == {"Larynx": 0.5, "Lips": None}
    assert any((tmp_path / "site_a" / "tensorboard").iterdir())
