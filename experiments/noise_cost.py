"""What clipping and noise on what leaves a site cost: gossip on phantoms, once for each level, as a table in Markdown.

``python -m experiments.noise_cost --output runs/noise_cost`` makes the phantoms and simulates two sites; a level that is there
already is only read. The network and the rounds are small: the table is about the order of magnitude, and every level begins
and trains the same way.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from data_prep.phantom.generate import make_federation
from experiments.command import exit_code_of
from experiments.federation.plan import change_plan, read_plan, set_rounds
from experiments.simulation import simulate
from experiments.table import mean_of
from src.errors import OarError

CASES_PER_SITE = (8, 8)
CLIP_NORM, MULTIPLIERS, DELTA = 30.0, (0.0, 3e-4, 3e-3, 1.0), 1e-5
_SMALL = [
    "task_runner.settings.steps_per_round=20",
    "task_runner.settings.overlap=0.0",
    "data_loader.settings.patch_voxels=[48, 32, 32]",
    "collaborator.settings.completion.steps=0",
    "collaborator.settings.exchange.local_rounds_at_end=0",
]
_COLUMNS = (
    "noise_multiplier",
    "noise on each weight",
    "epsilon",
    "norm before clipping",
    "models taken",
    "Dice, own",
    "Dice, consensus",
)


def level_plan(multiplier: float | None, rounds: int) -> dict:
    """Small gossip on phantoms with one level of noise; None for none."""
    plan = read_plan("gossip_phantom")
    set_rounds(plan, rounds)
    change_plan(plan, _SMALL)
    noise = None if multiplier is None else {"clip_norm": CLIP_NORM, "noise_multiplier": multiplier, "delta": DELTA}
    plan["collaborator"]["settings"]["exchange"]["noise"] = noise
    return plan


def events_of(run: Path) -> list[dict]:
    """What the sites logged."""
    files = sorted(run.glob("logs/*/metrics.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def run_level(plan: dict, data: Path, run: Path, cache: Path) -> None:
    """Simulates one level; also when no site took any model, and so none of a consensus is left, which the table says."""
    try:
        simulate(plan, "gossip_phantom", data, run, cache=cache, resume=run.is_dir())
    except OarError:
        served = [event for event in events_of(run) if event["phase"] == "served"]
        if len(served) < len(CASES_PER_SITE):
            raise


def row_of(run: Path, multiplier: float | None) -> list[str]:
    """A level's line: means over sites of what their last events say."""
    events = events_of(run)

    def last(phase: str, name: str) -> float | None:
        found = {event["site"]: event.get(name) for event in events if event["phase"] == phase}
        return mean_of(list(found.values()))

    exchanges = [event["outcome"] for event in events if event["phase"] == "exchange"]
    judged = [peer for event in events for peer in event.get("peers", {}).values()]
    taken = sum(peer.get("acceptable", False) for peer in judged)
    deviation = "0" if multiplier is None else f"{CLIP_NORM * multiplier:.2g}"
    return [
        "off" if multiplier is None else f"{multiplier:g}",
        deviation,
        "-" if multiplier is None else "infinite" if not multiplier else f"{last('noise', 'epsilon'):.3g}",
        "-" if multiplier is None else f"{last('noise', 'difference_norm'):.1f}",
        f"{taken} of {len(exchanges)}",
        *(_number(last(phase, "mean_dice")) for phase in ("validate", "consensus")),
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def table_of(rows: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [" | ".join(cells) for cells in (_COLUMNS, ["---"] * len(_COLUMNS), *rows)]
    return "\n".join(f"| {line} |" for line in lines)


def main() -> None:
    """As above."""
    parser = argparse.ArgumentParser(prog="python -m experiments.noise_cost", description=__doc__.partition(":")[0])
    parser.add_argument("--output", required=True, type=Path, help="folder for phantoms and runs")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--multipliers", type=float, nargs="*", default=MULTIPLIERS, help="levels beside none")
    given = parser.parse_args()
    data = given.output / "phantoms"
    make_federation(data, anatomy="liver", cases_per_site=CASES_PER_SITE)
    rows = []
    for multiplier in (None, *given.multipliers):
        run = given.output / ("off" if multiplier is None else f"noise_{multiplier:g}")
        run_level(level_plan(multiplier, given.rounds), data, run, given.output / "cache")
        rows.append(row_of(run, multiplier))
        print(table_of(rows[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    print(table_of(rows))


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
