"""How the validation Dice grew, from the events that training wrote."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from experiments.federation.results import read_metrics
from experiments.statistics.averages import mean_of_present

# Not a site's name, which has no spaces.
MEAN_OF_SITES = "mean over sites"

Curve = list[list[float]]


def learning_curves(folder: Path, schemes: Iterable[str]) -> dict[str, dict[str, dict[str, Curve]]]:
    """Curves of every training run that has ``metrics.jsonl``, which a run leaves at its end.

    Args:
        folder: of the study.
        schemes: of the study.

    Returns:
        By scheme, seed and site (and ``MEAN_OF_SITES``, over the sites that have a point there) a list of [rounds of training,
        mean Dice or None].
    """
    return {
        scheme: {
            path.parent.name.removeprefix("seed_"): curves_of(read_metrics(path.parent))
            for path in sorted((folder / "train" / scheme).glob("seed_*/metrics.jsonl"))
        }
        for scheme in schemes
        if any((folder / "train" / scheme).glob("seed_*/metrics.jsonl"))
    }


def curves_of(events: Sequence[dict]) -> dict[str, Curve]:
    """The curves of one run.

    A peer numbers its validation by the round that it just trained, a server's site by the one that it is about to train; so
    the rounds trained before are counted. What the closing of a run adds is left out.

    Args:
        events: of all sites, each site's in the order they were written.
    """
    trained: dict[str, set[int]] = {}
    curves: dict[str, dict[int, float | None]] = {}
    for event in events:
        rounds = trained.setdefault(event["site"], set())
        if event["phase"] == "train":
            rounds.add(event["round"])
        elif event["phase"] == "validate" and "after" not in event:
            curves.setdefault(event["site"], {})[len(rounds)] = event["mean_dice"]
    by_site = {site: [[rounds, value] for rounds, value in sorted(curve.items())] for site, curve in sorted(curves.items())}
    return {**by_site, MEAN_OF_SITES: _mean(list(curves.values()))} if curves else {}


def _mean(curves: Sequence[dict[int, float | None]]) -> Curve:
    rounds = sorted({number for curve in curves for number in curve})
    values_RS = np.array([[curve.get(number) for curve in curves] for number in rounds], dtype=float)
    means_R = mean_of_present(values_RS, axis=1)
    return [[number, None if np.isnan(mean) else float(mean)] for number, mean in zip(rounds, means_R, strict=True)]
