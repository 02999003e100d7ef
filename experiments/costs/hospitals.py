"""How fast the hospitals of a federation are: draws over what was measured at real ones.

Source: the FeTS challenge's simulated clock, github.com/FeTS-AI/Challenge, Task_1/fets_challenge/time_utils.py: means of 21
institutions' training (1.8 to 20.7 s) and validation (9.7 to 40 s) per patient, and of 16 institutions' download (13 to 217 s)
and upload (20 to 431 s) per model. Only the ranges are used; that speeds are log-uniform within them is our assumption.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.costs.measured_run import MeasuredRun

RANGES_S = {
    "train_s_per_patient": (1.8, 20.7),
    "validate_s_per_patient": (9.7, 40.0),
    "download_s": (13.0, 217.0),
    "upload_s": (20.0, 431.0),
}
INDEPENDENT, RANK_CORRELATED, ONE_SLOW = CASES = ("independent", "rank_correlated", "one_slow")
# What is drawn for each site, as a place between the lowest (0) and the highest (1) logarithm of its range.
_NUM_QUANTITIES = len(RANGES_S)


@dataclass(frozen=True, kw_only=True)
class Hospitals:
    """Speeds of the sites in each draw, in seconds.

    Attributes:
        sites: their names.
        train_s_per_patient_DS, validate_s_per_patient_DS: float64, draws × sites.
        download_s_DS, upload_s_DS: of one model.
    """

    sites: tuple[str, ...]
    train_s_per_patient_DS: np.ndarray
    validate_s_per_patient_DS: np.ndarray
    download_s_DS: np.ndarray
    upload_s_DS: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Durations:
    """How long each step of a round takes at each site of a run, in seconds; float64, draws × sites.

    Attributes:
        sites: their names.
        train_s_DS, validate_s_DS: of one round.
        download_s_DS, upload_s_DS: of one model.
    """

    sites: tuple[str, ...]
    train_s_DS: np.ndarray
    validate_s_DS: np.ndarray
    download_s_DS: np.ndarray
    upload_s_DS: np.ndarray


def draw_hospitals(sites: Sequence[str], case: str, *, slow_site: str, num_draws: int, seed: int) -> Hospitals:
    """Hospitals of one case.

    Args:
        sites: names.
        case: ``independent``, each speed drawn by itself; ``rank_correlated``, one draw per site, so that who is slow in
            one thing is slow in all; ``one_slow``, a single draw with one site at the slow end of every range and all others
            at the fast end.
        slow_site: of ``one_slow``.
        num_draws: at least 1; ``one_slow`` has one whatever is asked for.
        seed: of the draws.
    """
    if case == ONE_SLOW:
        place_DS = np.array([[float(site == slow_site) for site in sites]])
        return _hospitals(sites, [place_DS] * _NUM_QUANTITIES)
    generator = np.random.default_rng([seed, CASES.index(case)])
    if case == RANK_CORRELATED:
        return _hospitals(sites, [generator.random((num_draws, len(sites)))] * _NUM_QUANTITIES)
    return _hospitals(sites, list(generator.random((_NUM_QUANTITIES, num_draws, len(sites)))))


def durations_of(run: MeasuredRun, hospitals: Hospitals) -> Durations:
    """What a round of a run takes at these hospitals: seconds per patient times the site's patients.

    Training takes longer by the share of networks trained beside the site's own, evenly over all rounds.

    Args:
        run: of any scheme.
        hospitals: of at least its sites.
    """
    columns = [hospitals.sites.index(site) for site in run.sites]
    return Durations(
        sites=tuple(run.sites),
        train_s_DS=hospitals.train_s_per_patient_DS[:, columns] * _patients_trained(run),
        validate_s_DS=hospitals.validate_s_per_patient_DS[:, columns] * _in_order(run, run.valid_cases),
        download_s_DS=hospitals.download_s_DS[:, columns],
        upload_s_DS=hospitals.upload_s_DS[:, columns],
    )


def _patients_trained(run: MeasuredRun) -> np.ndarray:
    return np.array([cost.train_cases * cost.network_steps / cost.steps for cost in run.sites.values()])


def _in_order(run: MeasuredRun, values: Mapping[str, float]) -> np.ndarray:
    return np.array([values[site] for site in run.sites], dtype=float)


def _hospitals(sites: Sequence[str], places: Sequence[np.ndarray]) -> Hospitals:
    drawn = {
        f"{name}_DS": np.exp(np.log(low) + place_DS * (np.log(high) - np.log(low)))
        for (name, (low, high)), place_DS in zip(RANGES_S.items(), places, strict=True)
    }
    return Hospitals(sites=tuple(sites), **drawn)
