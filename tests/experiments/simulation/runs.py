"""Tiny simulated runs: how they are set up, stopped, read and compared."""

import io
import json
from itertools import count
from pathlib import Path

import numpy as np
from rich.console import Console

from experiments.federation.plan import change_plan, read_plan, set_rounds
from experiments.simulation import simulate
from src.model.card import read_model

SITES = ("site_a", "site_b")
ROUNDS = 3
# Two levels, four channels, two steps: what is tested is who meets whom, not what they learn.
TINY = [
    "task_runner.settings.steps_per_round=2",
    "task_runner.settings.network.arguments.channels=[4, 8]",
    "task_runner.settings.network.arguments.strides=[2]",
    "task_runner.settings.network.arguments.num_res_units=1",
    "task_runner.settings.overlap=0.0",
    "data_loader.settings.patch_voxels=[32, 32, 32]",
]
GOSSIP = ["collaborator.settings.exchange.local_rounds_at_end=0"]
_TIMES = ("seconds", "time", "cpu_seconds")


def tiny_plan(scheme: str, *changes: str, rounds: int = ROUNDS) -> dict:
    plan = read_plan(f"{scheme}_phantom")
    set_rounds(plan, rounds)
    change_plan(plan, [*TINY, *(GOSSIP if scheme == "gossip" else []), *changes])
    return plan


def timeless(path: Path) -> list[dict]:
    """The events of a file, without how long they took."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in row.items() if key not in _TIMES} for row in rows]


def events(run: Path, site: str, phase: str) -> list[dict]:
    return [row for row in timeless(run / "metrics.jsonl") if (row["site"], row["phase"]) == (site, phase)]


def content(run: Path, name: str):
    return json.loads((run / name).read_text())


def tensors(path: Path) -> dict[str, np.ndarray]:
    return read_model(path)[1]


def same_bits(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(one[name].tobytes() == other[name].tobytes() for name in one)


def assert_same_model(one: Path, other: Path) -> None:
    """Cards and bits; the files themselves may hold them in another order."""
    (card, found), (expected_card, expected) = (read_model(path) for path in (one, other))
    assert card == expected_card and same_bits(found, expected), one.name


def assert_same_run(one: Path, other: Path) -> None:
    """Models, metrics and costs of two runs; all but how long it took."""
    assert content(one, "models.json") == content(other, "models.json")
    for model in content(one, "models.json"):
        assert_same_model(one / model["path"], other / model["path"])
    files = ["metrics.jsonl", *(path.name for path in one.glob("local_finish.jsonl"))]
    for name in files:
        assert timeless(one / name) == timeless(other / name), name
    costs = [content(run, "cost.json") for run in (one, other)]
    for cost in costs:
        assert cost.pop("wall_seconds") > 0
        assert all(site.pop("cpu_seconds") > 0 for site in cost["sites"].values())
        if cost["local_finish"]:
            assert all(seconds > 0 for seconds in cost["local_finish"].pop("cpu_seconds").values())
    assert costs[0] == costs[1]


class Stopped(BaseException):
    """In the middle of a run."""


class StopsAfter(io.StringIO):
    """A screen that stops whoever writes one line too many."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.left = lines

    def write(self, text: str) -> int:
        self.left -= 1
        if self.left < 0:
            raise Stopped
        return super().write(text)


def simulate_with_stops(*arguments, at_stop=lambda: None, **settings) -> int:
    """Simulates with one stop after the other, ever later, until a start reaches the end; returns the number of stops."""
    for stops in count():
        console = Console(file=StopsAfter(2 * stops + 1), force_terminal=False)
        try:
            simulate(*arguments, **settings, resume=True, console=console)
            return stops
        except Stopped:
            at_stop()
