"""Whether a soak was passed: one criterion each, with what was found and what was demanded."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from experiments.soak.federation import GARBAGE, RANDOM
from src.learning.judgement import BEGINNER_DICE

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One line of the verdict.

    Attributes:
        name: what is judged.
        passed: None when there was too little to judge by.
        found, demanded: in words.
    """

    name: str
    passed: bool | None
    found: str
    demanded: str

    def to_json(self) -> dict:
        """In plain types."""
        return asdict(self)


def judge_finish(exit_codes: Mapping[str, int | None]) -> Criterion:
    """Every honest site came to its end by itself."""
    unfinished = {site: code for site, code in exit_codes.items() if code != 0}
    found = "all ended with exit code 0" if not unfinished else f"not so {unfinished} (None: still running)"
    return Criterion(
        name="every honest site finishes, without a hand",
        passed=bool(exit_codes) and not unfinished,
        found=found,
        demanded="exit code 0 of each, restarted by the supervisor loop alone",
    )


def judge_rounds(events: Mapping[str, Sequence[dict]], rounds: int, kills: Mapping[str, int]) -> Criterion:
    """No finished round was lost, and at most one was repeated for each kill.

    Args:
        events: by site, in the order they were written.
        rounds: of the plan.
        kills: that struck, by site.
    """
    lost, repeated = [], 0
    for site, rows in events.items():
        trained = [event["round"] for event in rows if event["phase"] == "train"]
        steps = [later - earlier for earlier, later in pairwise(trained)]
        again = steps.count(0)
        repeated += again
        if set(trained) != set(range(rounds)) or any(step not in (0, 1) for step in steps) or again > kills.get(site, 0):
            lost.append(site)
    found = f"{repeated} rounds trained twice after {sum(kills.values())} kills"
    return Criterion(
        name="no round of local work lost beyond the one in progress",
        passed=bool(events) and not lost,
        found=found + (f"; rounds missing or repeated without a kill at {', '.join(lost)}" if lost else ", none missing"),
        demanded=f"rounds 0 to {rounds - 1} at each site, in order, each repeated at most once a kill",
    )


def lowest_expected(undisturbed: Mapping[int, Mapping[str, float]]) -> dict[str, float]:
    """By site the Dice below which one more undisturbed run would fall with 5 % probability, all sites taken together.

    The spread between seeds is pooled over the sites (Student's t, Bonferroni over the sites).

    Args:
        undisturbed: Dice by seed and site, of at least two seeds.
    """
    sites = sorted(next(iter(undisturbed.values())))
    dice_RS = np.array([[run[site] for site in sites] for run in undisturbed.values()])
    num_runs, num_sites = dice_RS.shape
    deviation = math.sqrt(float(dice_RS.var(axis=0, ddof=1).mean()))
    quantile = stats.t.ppf(1 - (1 - CONFIDENCE) / num_sites, num_sites * (num_runs - 1))
    margin = quantile * deviation * math.sqrt(1 + 1 / num_runs)
    return {site: float(mean) - margin for site, mean in zip(sites, dice_RS.mean(axis=0), strict=True)}


def judge_dice(found: Mapping[str, float], undisturbed: Mapping[int, Mapping[str, float]]) -> Criterion:
    """The models are as good as those of undisturbed runs, within the spread between seeds."""
    lowest = lowest_expected(undisturbed)
    worse = [site for site in lowest if not found.get(site, math.nan) >= lowest[site]]
    parts = [f"{site} {found.get(site, math.nan):.3f} (at least {lowest[site]:.3f})" for site in lowest]
    return Criterion(
        name="final Dice within the seed-to-seed spread of undisturbed runs",
        passed=not worse,
        found=", ".join(parts),
        demanded=f"no site below the {CONFIDENCE:.0%} prediction limit of {len(undisturbed)} undisturbed seeds",
    )


def judge_hostile(events: Mapping[str, Sequence[dict]], impostor: Sequence[dict]) -> Criterion:
    """Nothing of the hostile sites came into a model of who could tell, and nobody answered the impostor.

    A site whose own Dice is a beginner's cannot tell noise from another beginner, and may average it; how often is said.

    Args:
        events: of the honest sites.
        impostor: what it noted: ``found`` for each call, ``believed_by`` for each site that answered to it.
    """
    rows = [event for site_rows in events.values() for event in site_rows]
    outcomes = Counter((row["peer"], row["outcome"]) for row in rows if "peer" in row)
    used = [verdict for row in rows if (verdict := row.get("peers", {}).get(RANDOM)) and verdict["acceptable"]]
    knowingly = [verdict for verdict in used if (verdict["own_mean_dice"] or 0.0) >= BEGINNER_DICE]
    agreed = [row["site"] for row in rows if row["phase"] == "consensus" and {GARBAGE, RANDOM} & set(row["sites"])]
    taught = [row["site"] for row in rows if row.get("taught") and {GARBAGE, RANDOM} & set(row.get("teachers", ()))]
    answered = sum(note.get("found") == "answered" for note in impostor)
    believed = sum("believed_by" in note for note in impostor)
    refused, received = outcomes[GARBAGE, "refused"], outcomes[GARBAGE, "received"]
    calls = sum("found" in note for note in impostor)
    found = (
        f"garbage: {refused} refused, {received} taken; random weights: {outcomes[RANDOM, 'received']} came, {len(knowingly)} "
        f"averaged by a site that could tell, {len(used) - len(knowingly)} by beginners (own Dice below {BEGINNER_DICE:g}), in "
        f"{len(agreed)} consensus models, teacher at {len(taught)} sites; impostor: {calls} calls, {answered} answered, "
        f"{believed} sites believed it"
    )
    return Criterion(
        name="nothing of a hostile site in a model",
        passed=bool(refused and calls) and not (received or knowingly or agreed or taught or answered or believed),
        found=found,
        demanded="garbage refused, random weights never averaged by who can tell, taught or agreed on, the impostor unanswered",
    )


def judge_faults(done: Sequence[dict], kinds: Collection[str]) -> Criterion:
    """Everything that was to go wrong did: a calm soak proves nothing."""
    struck = Counter(entry["kind"] for entry in done if entry.get("struck", True))
    missing = sorted(set(kinds) - set(struck))
    found = ", ".join(f"{count} {kind}" for kind, count in sorted(struck.items())) or "none"
    return Criterion(
        name="the faults took place",
        passed=not missing,
        found=found + (f"; never: {', '.join(missing)}" if missing else ""),
        demanded="at least one of each kind",
    )


def judge_length(seconds: float, minutes: float) -> Criterion:
    """The run lasted as long as it was to."""
    return Criterion(
        name="length",
        passed=seconds >= 60 * minutes,
        found=f"{seconds / 60:.1f} minutes until the last site ended",
        demanded=f"at least {minutes:g} minutes",
    )
