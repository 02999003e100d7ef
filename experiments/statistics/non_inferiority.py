"""Is a scheme at most a margin worse than a reference, and if so, is it better?

The one-sided 97.5 % bounds of the paired difference, which are the ends of its 95 % interval, are held against −margin. Asking
for superiority only after non-inferiority is shown needs no correction. One scheme against one reference is one hypothesis, to
be named before test patients are scored; several are several, each with its own 2.5 %.

Source: EMA, Guideline on the choice of the non-inferiority margin, EMEA/CPMP/EWP/2158/99; EMA, Points to consider on switching
between superiority and non-inferiority, CPMP/EWP/482/99.
"""

from dataclasses import dataclass
from typing import Literal

from experiments.statistics.averages import Weighting
from experiments.statistics.estimate import Estimate, estimate
from experiments.statistics.resampling import Resampling
from experiments.statistics.score import ScoreTableError
from experiments.statistics.study import Study

DEFAULT_MARGIN = 0.02  # Dice
LEVEL = 0.95  # two-sided; its ends are the one-sided 97.5 % bounds

Verdict = Literal["not inferior", "inferior", "not shown", "not tested"]


@dataclass(frozen=True, kw_only=True)
class NonInferiority:
    """The answer for one scheme and one reference.

    Attributes:
        margin: in units of the score.
        difference: scheme − reference; ``low`` and ``high`` are the one-sided 97.5 % bounds.
        verdict: ``not inferior``: low > −margin; ``inferior``: high < −margin; ``not shown``: −margin lies between;
            ``not tested``: too few patients for bounds.
        superior: not inferior, and low > 0.
    """

    margin: float
    difference: Estimate
    verdict: Verdict
    superior: bool


def non_inferiority(
    study: Study,
    resampling: Resampling,
    scheme: str,
    reference: str,
    *,
    margin: float = DEFAULT_MARGIN,
    weighting: Weighting = "macro",
) -> NonInferiority:
    """Tests one scheme against one reference on all patients.

    Args:
        study: the scores.
        resampling: the study's, with ``level`` 0.95.
        scheme, reference: of the study.
        margin: above 0, in units of the score.
        weighting: which mean; macro is the primary one.

    Raises:
        ScoreTableError: the margin is not above 0, the level is another, or a scheme is unknown.
    """
    if not margin > 0 or resampling.level != LEVEL:
        raise ScoreTableError(
            f"expected a margin above 0 and resamples with level {LEVEL}, found {margin} and {resampling.level}; state the"
            " margin as a positive number"
        )
    difference = estimate(study.series(scheme).less(study.series(reference)), resampling, weighting)
    verdict = _verdict(difference, margin)
    superior = verdict == "not inferior" and difference.low > 0
    return NonInferiority(margin=margin, difference=difference, verdict=verdict, superior=superior)


def _verdict(difference: Estimate, margin: float) -> Verdict:
    if difference.low is None or difference.high is None:
        return "not tested"
    if difference.low > -margin:
        return "not inferior"
    return "inferior" if difference.high < -margin else "not shown"
