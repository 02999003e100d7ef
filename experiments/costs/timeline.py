"""When each site does what, in all draws at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bar:
    """Something a site does for a time: ``site`` is a number; seconds since the start, float64, one per draw."""

    site: int
    kind: str
    start_s_D: np.ndarray
    end_s_D: np.ndarray


class Timeline:
    """The sites' clocks.

    Args:
        sites: names.
        num_draws: D.

    Attributes:
        now_s_DS: each site's clock, float64, draws × sites, in seconds since the start.
        bars: what was done, in the order it was entered.
    """

    def __init__(self, sites: Sequence[str], num_draws: int) -> None:
        self.sites = tuple(sites)
        self.now_s_DS = np.zeros((num_draws, len(self.sites)))
        self.bars: list[Bar] = []

    def spend(self, site: int, kind: str, seconds_D: np.ndarray) -> None:
        """A site is busy for so long."""
        start_s_D = self.now_s_DS[:, site].copy()
        self.now_s_DS[:, site] += seconds_D
        self.bars.append(Bar(site, kind, start_s_D, self.now_s_DS[:, site].copy()))

    def wait_until(self, site: int, time_s_D: np.ndarray) -> None:
        """A site does nothing until then; not at all where its clock is past it."""
        self.spend(site, "wait", np.maximum(0.0, time_s_D - self.now_s_DS[:, site]))

    def gantt(self, draw: int) -> list[dict]:
        """The bars of one draw that last at all: ``site`` (name), ``kind``, ``start_s``, ``end_s``."""
        return [
            {"site": self.sites[bar.site], "kind": bar.kind, "start_s": float(start_s), "end_s": float(end_s)}
            for bar in self.bars
            if (end_s := bar.end_s_D[draw]) > (start_s := bar.start_s_D[draw])
        ]
