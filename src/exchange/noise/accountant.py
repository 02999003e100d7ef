"""What noise amounts to: (epsilon, delta)-differential privacy of what a site has published, by Google's dp-accounting.

The unit is the site, not the patient. Two data sets are neighbours here when they are any two data sets of that site: whatever
is exchanged in them, one patient or all, both clipped differences lie within ``clip_norm`` of the first weights, so within
2 ``clip_norm`` of each other. That is the sensitivity; it is no smaller for one patient, because clipping is of the whole
difference and not of each patient's share in it. So one patient is promised what the whole site is promised.

A site's later models depend on what it and others published before. Composition holds nevertheless: each publication is a
Gaussian mechanism of the same sensitivity whatever was published before (adaptive composition; Mironov 2017,
arXiv:1702.07476, proposition 1), and everything that others do with it is post-processing.
"""

import math

from src.errors import PlanSettingError
from src.exchange.noise.settings import WHERE, NoiseSettings

_SENSITIVITY_IN_CLIP_NORMS = 2.0


def epsilon_of(settings: NoiseSettings, publications: int) -> float:
    """Epsilon at ``settings.delta`` after so many publications.

    Args:
        settings: of the plan.
        publications: models that left, each with noise of its own; 0 gives 0.

    Returns:
        At least 0; infinite without noise.

    Raises:
        PlanSettingError: dp-accounting is not installed.
    """
    library = accounting_library()
    if publications == 0:
        return 0.0
    if settings.noise_multiplier == 0:
        return math.inf
    accountant = library.rdp.RdpAccountant(neighboring_relation=library.NeighboringRelation.REPLACE_ONE)
    event = library.GaussianDpEvent(settings.noise_multiplier / _SENSITIVITY_IN_CLIP_NORMS)
    accountant.compose(event, publications)
    return float(accountant.get_epsilon(settings.delta))


def promise_of(settings: NoiseSettings, publications: int) -> str:
    """The same in a sentence, with what it is a promise about."""
    epsilon = epsilon_of(settings, publications)
    if math.isinf(epsilon):
        return f"{publications} models leave clipped and without noise, which promises nothing"
    return (
        f"{publications} models leave with noise: epsilon {epsilon:.4g} at delta {settings.delta:g} for the weights, of the "
        "whole site and of each of its patients alike; counts of cases and Dice leave as they are"
    )


def accounting_library():
    """The library, which only plans with noise need.

    Raises:
        PlanSettingError: it is not installed.
    """
    try:
        import dp_accounting
        import dp_accounting.rdp
    except ImportError as error:
        raise PlanSettingError(
            f"{WHERE}: expected dp-accounting, which says what the noise amounts to, found none; type: pip install "
            "'dp-accounting>=0.6,<1' (the extra 'privacy' of openfl-oar), or set noise: null at every site"
        ) from error
    return dp_accounting
