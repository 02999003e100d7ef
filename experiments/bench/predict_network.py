"""Trains the network that ``make bench PART=predict`` applies: ``python -m experiments.bench.predict_network``.

At 2 × 2 × 3 mm, where a CT has four times the voxels that it has in the plans' 4 × 4 × 3 mm. The network is that of the plan,
no larger; it begins with the weights of a run at the plan's own spacing, for half an hour of one core is not enough to begin
with nothing.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from experiments.command import exit_code_of
from experiments.federation.plan import change_plan, read_plan, set_rounds
from experiments.simulation.runner import make_runner
from src.evaluation.dice import macro_mean
from src.evaluation.validation import validate_cases
from src.model.card import read_model, write_model
from src.model.state import load_network_state, network_state
from src.task_runner import SegmentationTaskRunner

FOLDER = Path("runs/bench_predict")
DATA = Path("runs/data/openkbp_all/pooled")
NETWORK = FOLDER / "network.safetensors"
_SITE = "pooled"
CHANGES = (
    "data_loader.settings.spacing_mm=[2.0, 2.0, 3.0]",
    "data_loader.settings.patch_voxels=[96, 96, 64]",
    "data_loader.settings.batch_size=1",
)


def main() -> None:
    """Trains, validates, saves."""
    parser = argparse.ArgumentParser(prog="python -m experiments.bench.predict_network", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="a dataset")
    parser.add_argument("--start", type=Path, default=Path("runs/openkbp_pooled/save/pooled/best.safetensors"))
    parser.add_argument("--rounds", type=int, default=5, help="the model is saved after each (default 5)")
    parser.add_argument("--steps", type=int, default=100, help="of a round (default 100)")
    given = parser.parse_args()
    plan = read_plan("pooled_head_neck")
    set_rounds(plan, given.rounds)
    change_plan(plan, [*CHANGES, f"task_runner.settings.steps_per_round={given.steps}"])
    runner = make_runner(plan, _SITE, given.data, FOLDER / "save", FOLDER / "logs", FOLDER / "cache")
    load_network_state(runner.network, read_model(given.start)[1], origin=f"'{given.start.name}'")
    train(runner, given.rounds, Console(highlight=False))


def train(runner: SegmentationTaskRunner, rounds: int, console: Console) -> None:
    """Takes the steps of so many rounds, saving after each; at the end validates and saves with the Dice."""
    trained = [name for name, cases in zip(runner.structures, runner.data_loader.train_cases_with(), strict=True) if cases]
    for number in range(rounds):
        loss = runner.training_of_site.train_round(_SITE, number).mean_loss
        write_model(NETWORK, runner.site_card(_SITE, number + 1, trained, {}), network_state(runner.network))
        console.print(f"round {number + 1} of {rounds}: loss {loss:.3f}")
    dice = validate_cases(runner.predictor, runner.data_loader, trained)
    write_model(NETWORK, runner.site_card(_SITE, rounds, trained, dice), network_state(runner.network))
    console.print(
        f"validation Dice {macro_mean(dice):.4f}: " + ", ".join(f"{name} {entry.mean:.3f}" for name, entry in dice.items())
    )


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
