"""What the same federation comes to when nothing goes wrong: the same plan and patients in one process, seed by seed."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from experiments.federation.results import final_validation, read_metrics
from experiments.simulation import simulate
from experiments.soak.federation import HONEST, PLAN, with_seed


def undisturbed_dice(
    folder: Path, data: Path, plan: dict, seeds: Sequence[int], console: Console
) -> dict[int, dict[str, float]]:
    """Trains the honest sites undisturbed, in lock-step; runs that are there already are taken up.

    Args:
        folder: gets a run ``seed_<number>`` each, and the prepared cases.
        data: the honest sites' datasets.
        plan: of the soak.
        seeds: of weights, batches and of who meets whom.
        console: where to say what is going on.

    Returns:
        By seed and site the mean validation Dice of the final model.
    """
    found = {}
    for seed in seeds:
        run = folder / f"seed_{seed}"
        simulate(with_seed(plan, seed, HONEST), PLAN, data, run, cache=folder / "cache", resume=True, console=console)
        found[seed] = final_dice(run)
    return found


def final_dice(run: Path) -> dict[str, float]:
    """Each site's mean validation Dice of its final model, of a run that has ended."""
    events = read_metrics(run)
    by_site = {site: [event for event in events if event["site"] == site] for site in HONEST}
    return {site: final_validation(rows)["mean_dice"] for site, rows in by_site.items()}
