"""What a study shows on validation patients when its jobs are done: the macro own-site Dice of each arm and seed."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

from rich.table import Table

from experiments.compare.jobs import SPLIT
from experiments.scoring import as_score, read_scores
from experiments.statistics.estimate import observed
from experiments.statistics.score import Score
from experiments.statistics.study import Study as Scores
from experiments.statistics.views import own_site
from experiments.table import mean_of


def own_site_dice(folder: Path, without: Mapping[str, Collection[str]]) -> dict[str, dict[int, float | None]]:
    """Macro mean Dice of each arm's last models on each site's own validation patients.

    Args:
        folder: of the study.
        without: by scheme, in the order to show them, the sites that took no part; a shared model is not theirs.

    Returns:
        By arm and seed; no entry where nothing was scored, None where nothing has a number.
    """
    dice: dict[str, dict[int, float | None]] = {}
    for scheme, left_out in without.items():
        by_run: dict[tuple[str, int], list[Score]] = defaultdict(list)
        for path in sorted((folder / "scores" / SPLIT / scheme).glob("*.jsonl")):
            rows = [row for row in read_scores(path) if row.which == "last" and row.patient_site not in left_out]
            for score in own_site([as_score(row, "dice") for row in rows]):
                by_run[score.scheme, score.seed].append(score)
        # Each run by itself: a scheme that leaves a site out has other patients than the rest.
        for (arm, seed), scores in sorted(by_run.items()):
            dice.setdefault(arm, {})[seed] = observed(Scores.of(scores).series(arm, seed))
    return dice


def outcome_table(dice: dict[str, dict[int, float | None]]) -> Table:
    """Arms down, seeds across, and last the mean over seeds."""
    seeds = sorted({seed for by_seed in dice.values() for seed in by_seed})
    table = Table(title="validation Dice of the last models, each site's own patients, mean of structures, then of sites")
    table.title_justify = "left"
    for column in ("arm", *(f"seed {seed}" for seed in seeds), "mean of seeds"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    for arm, by_seed in dice.items():
        values = [by_seed.get(seed) for seed in seeds]
        table.add_row(arm, *map(_number, values), _number(mean_of(values)))
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
