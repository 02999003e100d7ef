"""Every scheme of a study beside a base, one line each: what differs, its Dice, the paired difference, and what it cost.

Schemes may have been trained by different sites, so each is held against the base on the patients of the sites that both
trained to the end. Validation patients and last models: this is for choosing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from experiments.costs import cost_table
from experiments.federation.traffic import BYTES_PER_MB
from experiments.results.changed_settings import changed_settings
from experiments.results.measures import DICE_LIMITS
from experiments.results.runs import chosen_learning_rates
from experiments.results.scored_study import Arm, ScoredStudy, read_scored_study
from experiments.statistics.estimate import Estimate, estimate
from experiments.statistics.resampling import resample
from experiments.statistics.score import Score, ScoreTableError
from experiments.statistics.study import Study
from experiments.statistics.views import own_site

SPLIT = "valid"
NUM_RESAMPLES = 10_000


@dataclass(frozen=True, kw_only=True)
class Line:
    """One scheme beside the base.

    Attributes:
        scheme: its name.
        differs: what is not as in the base; empty for the base.
        seeds: that were scored.
        dice: macro mean of its models on their own sites' patients.
        difference: to the base, paired; None for the base.
        mb_per_site: sent and received, mean of its sites, in MB of 1e6 bytes; None where no models travel or no run is done.
        network_steps: mean of its sites, those of co-trained copies included; None where no run is done.
    """

    scheme: str
    differs: str
    seeds: tuple[int, ...]
    dice: Estimate
    difference: Estimate | None
    mb_per_site: float | None
    network_steps: float | None


def lines_of(
    folder: Path, base: str | None = None, schemes: Sequence[str] | None = None, *, num_resamples: int = NUM_RESAMPLES
) -> list[Line]:
    """The lines of a study, the base first.

    Args:
        folder: of the study; schemes without scores are left out.
        base: what the others are held against; by default the study's first scheme.
        schemes: the others to show; by default all.
        num_resamples: of each interval.

    Raises:
        ScoreTableError: nothing was scored, a scheme that was asked for is unknown or not scored, or it has no patient in
            common with the base.
    """
    scored = read_scored_study(folder, SPLIT)
    base, arms = base or next(iter(scored.settings["schemes"])), _primary_arms(scored)
    if unknown := [name for name in (base, *(schemes or ())) if name not in arms]:
        raise ScoreTableError(f"expected a scheme with scores ({', '.join(arms)}), found '{unknown[0]}'")
    others = [name for name in arms if name != base and (schemes is None or name in schemes)]
    costs, settings = {row["arm"]: row for row in cost_table(folder)}, _settings_of(scored)
    return [
        _line(scored, arms[name], arms[base], settings, costs, num_resamples)
        for name in tqdm([base, *others], desc="schemes", disable=None, leave=False)
    ]


def _primary_arms(scored: ScoredStudy) -> dict[str, Arm]:
    """By scheme what a site works with in the end: its own model where the scheme leaves it one, else the shared one."""
    arms: dict[str, Arm] = {}
    for arm in scored.arms:
        if arm.scheme not in arms or (arms[arm.scheme].shared and not arm.shared):
            arms[arm.scheme] = arm
    return arms


def _settings_of(scored: ScoredStudy) -> dict[str, dict]:
    rates = chosen_learning_rates(scored.folder, scored.settings)
    rates = {scheme: {"learning_rate": chosen["learning_rate"]} for scheme, chosen in rates.items()}
    return {scheme: {**entry, **rates.get(scheme, {})} for scheme, entry in scored.settings["schemes"].items()}


def _line(
    scored: ScoredStudy, arm: Arm, base: Arm, settings: Mapping[str, dict], costs: Mapping[str, dict], num_resamples: int
) -> Line:
    sites = {row.patient_site for row in scored.rows}
    in_common = [site for site in sites if not {site} & (_gone(settings[arm.scheme]) | _gone(settings[base.scheme]))]
    scores = _scores(scored, [arm, base], in_common)
    if not scores:
        raise ScoreTableError(
            f"expected patients of a site that both {arm.scheme} and {base.scheme} trained to the end, found none; choose "
            "another base"
        )
    study = Study.of(scores, DICE_LIMITS)
    resampling, series = resample(study, num_resamples), study.series(arm.name)
    cost = costs.get(arm.name)
    return Line(
        scheme=arm.scheme,
        differs=changed_settings(settings[arm.scheme], settings[base.scheme], sites),
        seeds=arm.seeds,
        dice=estimate(series, resampling),
        difference=None if arm == base else estimate(series.less(study.series(base.name)), resampling),
        mb_per_site=_mb_per_site(cost),
        network_steps=None if cost is None else _per_site(cost, cost["total"]["network_steps"]),
    )


def _gone(settings: Mapping) -> set[str]:
    """Sites that took no part, or not to the end."""
    silent = settings.get("silent")
    return {*(settings.get("without") or ()), *([silent["site"]] if silent else [])}


def _scores(scored: ScoredStudy, arms: Sequence[Arm], sites: Sequence[str]) -> list[Score]:
    names = [arm.name for arm in arms]
    return [score for score in own_site(scored.scores(arms=names)) if score.patient_site in sites]


def _mb_per_site(cost: Mapping | None) -> float | None:
    if cost is None or cost["total"]["sent_bytes"] is None:
        return None
    return _per_site(cost, cost["total"]["sent_bytes"] + cost["total"]["received_bytes"]) / BYTES_PER_MB


def _per_site(cost: Mapping, total: float | None) -> float | None:
    return None if total is None else total / len(cost["sites"])
