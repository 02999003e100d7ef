import json
import time

import pytest

from experiments.compare.measure import RunMeter


def write(path, rounds):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        for number in rounds:
            # No two rounds take the same time to the microsecond, not even the same one done again.
            facts = {"seconds": time.perf_counter()}
            file.write(json.dumps({"round": number, "phase": "train", "steps": 5, **facts}) + "\n")
            file.write(json.dumps({"round": number, "phase": "validate", "mean_dice": 0.5}) + "\n")


def test_it_counts_what_all_sites_trained(tmp_path):
    meter = RunMeter(tmp_path / "run")
    meter.read()
    assert (meter.steps, meter.taken, meter.round) == (0, 0, 0)
    write(tmp_path / "run/logs/site_a/metrics.jsonl", [0, 1])
    write(tmp_path / "run/logs/fedavg_local/site_b/metrics.jsonl", [1])
    meter.read()
    assert (meter.steps, meter.taken, meter.round) == (15, 15, 2)
    # All of them together at the end are no new steps.
    write(tmp_path / "run/metrics.jsonl", [0, 1, 2])
    meter.read()
    assert meter.steps == 15


def test_a_line_that_is_still_being_written_counts_once_it_is_whole(tmp_path):
    meter, path = RunMeter(tmp_path), tmp_path / "logs/site_a/metrics.jsonl"
    write(path, [0])
    with path.open("a") as file:
        file.write('{"round": 1, "phase": "tr')
    meter.read()
    assert meter.steps == 5
    with path.open("a") as file:
        file.write('ain", "steps": 5}\n')
    meter.read()
    assert (meter.steps, meter.round) == (10, 2)


@pytest.mark.parametrize("is_looked_at_meanwhile", [True, False])
def test_a_run_that_goes_on_counts_only_what_it_takes_now(tmp_path, is_looked_at_meanwhile):
    path = tmp_path / "logs/site_a/metrics.jsonl"
    write(path, [0, 1, 2])
    kept = path.read_bytes().splitlines(keepends=True)[:4]
    meter = RunMeter(tmp_path)
    meter.read()
    assert (meter.steps, meter.taken) == (15, 0)
    path.write_bytes(b"".join(kept))  # the last round is done again
    if is_looked_at_meanwhile:
        meter.read()
        assert (meter.steps, meter.taken) == (10, 0)
    write(path, [2, 3, 4])
    meter.read()
    assert (meter.steps, meter.taken, meter.round) == (25, 15, 5)
