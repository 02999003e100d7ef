"""What the aggregator learns in one round: accepted and refused results, Dice, bytes; one line of ``metrics.jsonl``."""

import math
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping

from src.evaluation.federation_dice import FederationDice
from src.learning.site_update import SiteUpdate, UpdateFault


class RoundReport:
    """One round, filled while results come in; only gRPC's results handler, which OpenFL runs one at a time, writes it."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._metrics: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
        self._refused: list[dict[str, str]] = []
        self._received_bytes: dict[str, int] = defaultdict(int)
        self._results: dict = {}

    def count_bytes(self, site: str, received: int) -> None:
        """Adds to what a site sent."""
        self._received_bytes[site] += received

    def accept(self, task_name: str, site: str, update: SiteUpdate) -> None:
        """Keeps the metrics of a result that passed its checks."""
        self._metrics[task_name][site] = update.metrics

    def refuse(self, task_name: str, site: str, fault: UpdateFault) -> None:
        """Records a result that did not."""
        self._refused.append({"site": site, "task": task_name, "tensor": fault.tensor, "reason": fault.reason})

    def accepted(self, task_name: str, sites: Iterable[str]) -> list[str]:
        """Those of ``sites`` whose result of a task was accepted, sorted."""
        return sorted(set(sites) & set(self._metrics[task_name]))

    def metrics(self, task_name: str, sites: Iterable[str]) -> dict[str, dict[str, float]]:
        """The metrics of some sites' accepted results, by site and name."""
        return {site: self._metrics[task_name][site] for site in sites}

    def set_dice(self, found: FederationDice, best: bool) -> None:
        """Records a validation."""
        self._results |= {"mean_dice": found.mean, "dice": found.by_structure, "best": best}

    def set_train_loss(self, task_name: str, weights: Mapping[str, float]) -> float:
        """Records and returns the weighted mean of the sites' finite losses; NaN when there is none."""
        losses = {site: self._metrics[task_name][site].get("train_loss", math.nan) for site in weights}
        finite = [site for site in sorted(losses) if math.isfinite(losses[site])]
        total = math.fsum(weights[site] for site in finite)
        mean = math.fsum(losses[site] * weights[site] for site in finite) / total if total else math.nan
        self._results["train_loss"] = mean
        return mean

    def why_none(self) -> str:
        """Why a round has no usable update, for a message."""
        if not self._refused:
            return "found no site with a training case; look into plan/data.yaml of the sites"
        refused = "; ".join(f"{entry['site']}: {entry['tensor']} {entry['reason']}" for entry in self._refused)
        return f"found none that can be used ({refused}); lower the learning rate, or look at these sites' data"

    def facts(self) -> dict:
        """The round as plain data, in an order that does not depend on who reported first."""
        return {
            **self._results,
            "refused": sorted(self._refused, key=lambda entry: (entry["site"], entry["task"])),
            "received_bytes": dict(sorted(self._received_bytes.items())),
            "seconds": round(time.monotonic() - self._began, 3),
        }
