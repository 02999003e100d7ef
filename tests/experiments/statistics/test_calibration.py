"""Few patients: ours covers more often than the percentile interval, and where it gives none neither is counted."""

import numpy as np

from experiments.statistics.calibration import DESIGNS, calibrate, calibration_table
from experiments.statistics.non_inferiority import DEFAULT_MARGIN
from experiments.table import render


def test_ours_is_wider_for_few_patients():
    bounds = calibrate(DESIGNS["one site, 8 patients"], num_studies=60, num_resamples=200)
    covers = {
        name: np.mean((low <= -DEFAULT_MARGIN) & (high >= -DEFAULT_MARGIN)) for name, (low, high) in _columns(bounds).items()
    }
    assert covers["studentised"] >= covers["percentile"]
    assert covers["studentised"] > 0.85


def test_the_table_has_every_design():
    text = render(calibration_table(num_studies=3, num_resamples=50))
    assert all(design in text for design in DESIGNS)
    assert text.count("percentile") == len(DESIGNS)


def _columns(bounds: dict) -> dict:
    return {name: found.T for name, found in bounds.items()}
