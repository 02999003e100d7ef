"""``make soak``: six sites in six network namespaces, half an hour of faults, and a verdict.

Needs Linux, root, the command ``ip`` and ``/dev/net/tun``; says so where they are not given.
"""

import argparse
import sys
from datetime import datetime
from pathlib import Path

from rich.console import Console

from experiments.command import exit_code_of
from experiments.federation.results import git_commit
from experiments.soak.federation import pace_of
from experiments.soak.flatness import MEASURES, growths, judge_growth
from experiments.soak.judgement import (
    Criterion,
    judge_dice,
    judge_faults,
    judge_finish,
    judge_hostile,
    judge_length,
    judge_rounds,
)
from experiments.soak.outcome import exchange_outcomes, is_passed, refusals, verdict_table, write_outcome
from experiments.soak.picture import draw
from experiments.soak.seen import Soaked, keep_seen, read_seen
from experiments.soak.soak import KINDS, SoakSettings, soak
from experiments.soak.undisturbed import undisturbed_dice
from src.errors import FederationError

_WIDE = 160


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    """What a command line stands for."""
    parser = argparse.ArgumentParser(prog="python -m experiments.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="of wall-clock (default 30); shorter faults below that")
    parser.add_argument("--seed", type=int, default=0, help="of the faults and of the training (default 0)")
    parser.add_argument("--undisturbed-seeds", type=int, default=3, help="undisturbed runs to compare with, at least 2")
    parser.add_argument("--output", type=Path, help="run folder; by default runs/soak/<time>")
    parser.add_argument("--judge-again", action="store_true", help="judges the run that is in --output, and runs none")
    given = parser.parse_args(arguments)
    given.output = given.output or Path("runs") / "soak" / f"{datetime.now():%Y%m%d-%H%M%S}"
    return given


def judge(seen: Soaked, minutes: float, undisturbed: dict[int, dict[str, float]]) -> list[Criterion]:
    """All criteria, in the order of the table."""
    flat = [judge_growth(measure, growths(seen.samples, measure, seen.last_round_s(), seen.filled_s())) for measure in MEASURES]
    return [
        judge_length(seen.seconds, minutes),
        judge_faults(seen.faults, KINDS),
        judge_finish(seen.exit_codes),
        judge_rounds(seen.events, seen.rounds, seen.kills),
        judge_dice(seen.dice(), undisturbed),
        judge_hostile(seen.events, seen.impostor),
        *flat,
    ]


def main() -> None:
    """Runs a soak and judges it.

    Raises:
        FederationError: it was not passed.
    """
    given, console = read_arguments(sys.argv[1:]), Console()
    if not console.is_terminal:
        console.width = _WIDE
    folder, rounds = given.output, pace_of(given.minutes).rounds
    settings = SoakSettings(output=folder, data=folder.parent / "phantoms", minutes=given.minutes, seed=given.seed)
    if not given.judge_again:
        keep_seen(folder, soak(settings, console))
    seen = read_seen(folder)
    # Beside the run, so that the next soak of this length finds them.
    console.print("the same without faults, seed by seed", highlight=False)
    seeds = range(given.seed + 1, given.seed + 1 + given.undisturbed_seeds)
    undisturbed = undisturbed_dice(folder.parent / f"undisturbed_{rounds}", settings.data, seen.plan, seeds, console)
    criteria = judge(seen, given.minutes, undisturbed)
    facts = {
        "minutes": given.minutes,
        "seed": given.seed,
        "git_commit": git_commit(),
        "rounds": seen.rounds,
        "seconds": round(seen.seconds, 1),
        "kills": seen.kills,
        "clock": seen.clock,
        "packets": seen.packets,
        "exchanges": exchange_outcomes(seen.events),
        "refused": refusals(seen.events),
        "dice": seen.dice(),
        "undisturbed_dice": undisturbed,
    }
    write_outcome(folder / "soak.json", criteria, facts)
    draw(folder / "soak.png", seen.events, seen.faults, seen.ended_s)
    console.print(verdict_table(criteria))
    console.print(f"written: {folder / 'soak.json'}, soak.png, faults.jsonl", highlight=False)
    if not is_passed(criteria):
        failed = ", ".join(criterion.name for criterion in criteria if criterion.passed is False)
        raise FederationError(f"the soak was not passed: {failed}; see {folder / 'logs'} for what each site said")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
