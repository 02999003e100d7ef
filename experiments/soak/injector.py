"""Carries the faults out, each at its time, and writes down what was done, when, and what it found."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from experiments.soak.faults import LINE_FAULTS, Fault
from experiments.soak.federation import IMPOSTOR
from experiments.soak.line import LineCondition
from experiments.soak.network import Network
from experiments.soak.site_process import SiteProcess

# A slow process runs for its share of this time, and is stopped for the rest.
_DUTY_PERIOD_S = 4.0


class Injector:
    """Everything that goes wrong in a soak.

    Args:
        faults: by time; see ``draw_faults``.
        sites: the honest sites' processes.
        network: between all sites.
        log: of the faults, a JSON line each, written as they happen.
        where: what a site was last known to do, for the log.
    """

    def __init__(
        self,
        faults: Sequence[Fault],
        sites: Mapping[str, SiteProcess],
        network: Network,
        log: Path,
        where: Callable[[str], dict],
    ) -> None:
        self._waiting, self._active = list(faults), []
        self._sites, self._network, self._log, self._where = sites, network, log, where
        self._stopped: dict[str, bool] = {}
        self.done: list[dict] = []

    def step(self, now_s: float) -> None:
        """Does what is due.

        Args:
            now_s: since the sites were started.
        """
        ended = [fault for fault in self._active if fault.end_s <= now_s]
        begun = [fault for fault in self._waiting if fault.time_s <= now_s]
        if ended or begun:
            self._waiting = [fault for fault in self._waiting if fault not in begun]
            self._active = [fault for fault in self._active if fault not in ended]
            for fault in begun:
                self._begin(fault, now_s)
            self._set_network()
        self._keep_slow(now_s)

    def finish(self) -> None:
        """Ends what still goes on; nothing more begins."""
        self._waiting, self._active = [], []
        self._set_network()
        self._keep_slow(0.0)

    def _begin(self, fault: Fault, now_s: float) -> None:
        facts = {}
        if fault.kind == "kill":
            (site,) = fault.sites
            facts = {"at": self._where(site), "struck": self._sites[site].kill()}
        elif fault.duration_s:
            self._active.append(fault)
        entry = {**fault.to_json(), "time_s": round(now_s, 2), **facts}
        self.done.append(entry)
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def _set_network(self) -> None:
        self._network.set_apart([fault.sites for fault in self._active if fault.kind == "partition"])
        taken = {site for fault in self._active if fault.kind == "takeover" for site in fault.sites}
        for site in self._sites:
            conditions: dict = {}
            for fault in self._active:
                if fault.kind in LINE_FAULTS and site in fault.sites:
                    conditions |= fault.parameters
            self._network.set_line(site, LineCondition(**conditions))
            self._network.set_owner(site, IMPOSTOR if site in taken else site)

    def _keep_slow(self, now_s: float) -> None:
        slow = {site: fault for fault in self._active if fault.kind == "slow" for site in fault.sites}
        for site in {*slow, *self._stopped}:
            runs_s = _DUTY_PERIOD_S / slow[site].parameters["factor"] if site in slow else _DUTY_PERIOD_S
            stopped = now_s % _DUTY_PERIOD_S >= runs_s
            if stopped != self._stopped.get(site):
                self._stopped[site] = stopped
                self._sites[site].stop(stopped)
