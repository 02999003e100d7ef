"""Whether what a process uses grows with time: memory, threads, file handles, disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from experiments.soak.federation import ROSTER
from experiments.soak.judgement import CONFIDENCE, Criterion

# Growth over the time that was watched, as a share of the level, which is too small to matter.
SHARE = 0.05
# What fills up on demand, and is full then: the server's threads; two connections with each peer, one of either's making; in
# the inbox the models of two exchanges and of one that broke off, 0.62 MB each.
FILLS = {"threads": 4, "files": 2 * (len(ROSTER) - 1), "state_bytes": 3 * 620_000}
# A process loads its libraries, prepares its cases and meets its first peers before it is what it stays.
SETTLES_AFTER_S = 120.0
_FEWEST_SAMPLES = 40
_MOST_SAMPLES = 600  # Theil and Sen compare all pairs
MEASURES = {
    "rss_bytes": "memory",
    "threads": "threads",
    "files": "file handles",
    "state_bytes": "disk (local_state)",
}


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How much a measure grew at a site.

    Attributes:
        site: whose.
        watched_s: how long.
        level: median.
        growth, lowest, highest: over ``watched_s``, by the slope of Theil and Sen and its 95 % confidence limits.
    """

    site: str
    watched_s: float
    level: float
    growth: float
    lowest: float
    highest: float


def growth_of(site: str, at_s: Sequence[float], values: Sequence[float]) -> Growth | None:
    """How much a measure grew; None with fewer than 40 samples."""
    if len(at_s) < _FEWEST_SAMPLES:
        return None
    stride = -(-len(at_s) // _MOST_SAMPLES)
    times, found = np.asarray(at_s, float)[::stride], np.asarray(values, float)[::stride]
    slope, _, lowest, highest = stats.theilslopes(found, times, alpha=CONFIDENCE)
    watched_s = float(times[-1] - times[0])
    return Growth(
        site=site,
        watched_s=watched_s,
        level=float(np.median(found)),
        growth=float(slope) * watched_s,
        lowest=float(lowest) * watched_s,
        highest=float(highest) * watched_s,
    )


def growths(
    samples: Sequence[Mapping], measure: str, until_s: Mapping[str, float], filled_s: Mapping[str, float]
) -> list[Growth]:
    """By site the growth of a measure during training, in the longest life of its process; of disk, in the whole run.

    Args:
        samples: see ``Watch``.
        measure: of ``MEASURES``.
        until_s: by site, when its last round ended: what comes then is other work.
        filled_s: by site, when it had as many snapshots on disk as it keeps; disk counts from there.
    """
    found = []
    for site in sorted(until_s):
        rows = [row for row in samples if row["site"] == site and row["at_s"] <= until_s[site]]
        lives: dict[int, list[Mapping]] = {}
        for row in rows:
            lives.setdefault(0 if measure == "state_bytes" else row["pid"], []).append(row)
        longest = max(lives.values(), key=lambda life: life[-1]["at_s"] - life[0]["at_s"], default=[])
        begin_s = longest[0]["at_s"] + SETTLES_AFTER_S if longest else 0.0
        if measure == "state_bytes":
            begin_s = max(begin_s, filled_s.get(site, 0.0))
        settled = [row for row in longest if row["at_s"] >= begin_s]
        grown = growth_of(site, [row["at_s"] for row in settled], [row[measure] for row in settled])
        if grown is not None:
            found.append(grown)
    return found


def judge_growth(measure: str, found: Sequence[Growth]) -> Criterion:
    """Flat means: no site whose growth is, with 95 % confidence, more than 5 % of its level (or of what fills up on demand)."""
    name = f"{MEASURES[measure]} flat"
    unit, divisor = (" MB", 1e6) if measure.endswith("_bytes") else ("", 1.0)
    or_fills = f" or {FILLS[measure] / divisor:g}{unit}" if measure in FILLS else ""
    demanded = f"growth not above {SHARE:.0%} of the level{or_fills}, with {CONFIDENCE:.0%} confidence"
    if not found:
        return Criterion(name=name, passed=None, found="too short to judge", demanded=demanded)
    growing = [entry for entry in found if entry.lowest > max(SHARE * entry.level, FILLS.get(measure, 0))]
    worst = max(found, key=lambda entry: entry.growth / max(1.0, entry.level))
    growth, lowest, highest, level = (value / divisor for value in (worst.growth, worst.lowest, worst.highest, worst.level))
    text = (
        f"most at {worst.site}: {growth:+.2f}{unit} ({lowest:+.2f} to {highest:+.2f}) in {worst.watched_s / 60:.0f} minutes, "
        f"at a median of {level:.1f}{unit}; {len(found)} sites watched"
    )
    return Criterion(name=name, passed=not growing, found=text, demanded=demanded)
