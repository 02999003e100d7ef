"""``python -m experiments.statistics.calibration``: how often the intervals are right, in studies whose truth is known.

The percentile interval is shown beside ours because it is what most papers use.
"""

import argparse
import sys

import numpy as np
from rich.table import Table
from tqdm import tqdm

from experiments.command import exit_code_of
from experiments.statistics.averages import cells_of
from experiments.statistics.estimate import estimate
from experiments.statistics.non_inferiority import DEFAULT_MARGIN
from experiments.statistics.resampling import resample
from experiments.statistics.simulation import SITE_SIZES, simulated
from experiments.statistics.studentised import deviation_and_error
from experiments.statistics.study import Study
from experiments.table import render

DESIGNS = {
    "six sites, 52 patients": {"sizes": SITE_SIZES, "contoured": 0.7},
    "six sites, half contoured": {"sizes": SITE_SIZES, "contoured": 0.5},
    "six sites, a third contoured": {"sizes": SITE_SIZES, "contoured": 0.3},
    "one site, 12 patients": {"sizes": (12,), "contoured": 0.0},
    "one site, 8 patients": {"sizes": (8,), "contoured": 0.0},
    "one site, 5 patients": {"sizes": (5,), "contoured": 0.0},
}


def calibrate(design: dict, num_studies: int, num_resamples: int) -> dict[str, np.ndarray]:
    """Simulates studies at the non-inferiority margin.

    Args:
        design: arguments of ``simulated``.
        num_studies, num_resamples: how many.

    Returns:
        ``studentised`` and ``percentile``: float64 (studies, 2), low and high; NaN where no interval is given.
    """
    bounds = {"studentised": np.full((num_studies, 2), np.nan), "percentile": np.full((num_studies, 2), np.nan)}
    for number in tqdm(range(num_studies), desc="simulate", unit="study", disable=None, leave=False):
        study = Study.of(simulated(np.random.default_rng(number), -DEFAULT_MARGIN, **design))
        difference, resampling = study.series("b").less(study.series("a")), resample(study, num_resamples, number)
        found = estimate(difference, resampling)
        if found.low is None or found.high is None:
            continue
        deviation_R, _ = deviation_and_error(cells_of(difference.values_PK, difference.site_P, "macro"), resampling.weights_PR)
        bounds["studentised"][number] = found.low, found.high
        bounds["percentile"][number] = found.value + np.quantile(deviation_R, [0.025, 0.975])
    return bounds


def calibration_table(num_studies: int, num_resamples: int) -> Table:
    """Coverage of the 95 % interval, and how often a scheme at the margin is called not inferior (2.5 % is meant)."""
    table = Table(title=f"{num_studies} simulated studies each, {num_resamples} resamples", title_justify="left")
    for name in ("design", "interval", "given", "covers", "false 'not inferior'", "median width"):
        table.add_column(name, justify="left" if name in ("design", "interval") else "right")
    for design, arguments in DESIGNS.items():
        for interval, bounds in calibrate(arguments, num_studies, num_resamples).items():
            low, high = bounds[~np.isnan(bounds).any(axis=1)].T
            covers = np.mean((low <= -DEFAULT_MARGIN) & (high >= -DEFAULT_MARGIN))
            shares = len(low) / num_studies, covers, np.mean(low > -DEFAULT_MARGIN)
            table.add_row(design, interval, *(f"{share:.1%}" for share in shares), f"{np.median(high - low):.4f}")
    return table


def main() -> None:
    """Reads the command line and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m experiments.statistics.calibration", description=__doc__)
    parser.add_argument("--studies", type=int, default=1000, help="of each design (default 1000: 95 %% ± 1.4 %%)")
    parser.add_argument("--resamples", type=int, default=1000, help="of each study (default 1000)")
    given = parser.parse_args()
    print(render(calibration_table(given.studies, given.resamples)), end="")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
