"""Who takes part in a run, as one site sees it: a manifest per exchange, a warning for whoever is gone for long, the quorum.

A site is ``present`` after a sign of life: it answered, or it called. It is ``missing`` when it was asked since, in vain; and
``unknown`` while it was neither asked nor heard of. This site is always present. Times are the wall clock's and for people to
read; they decide nothing but a warning.
"""

import json
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from src.errors import QuorumNotMet
from src.exchange.inbox import NOTHING_NEW, RECEIVED
from src.exchange.whole_file import write_whole

logger = logging.getLogger(__name__)

FILE_NAME = "participation.json"
_SECONDS_PER_HOUR = 3600.0


class Participation:
    """Keeps account of the sites of a run.

    Args:
        site: own name.
        peers: those it can meet.
        quorum: sites that must have been met by the end, this one included; 0 demands nothing.
        missing_after_s: how long a peer may be missing before every round says so.
        path: of the manifest, written whole after each exchange; None writes none.
        now_s: the wall clock, in seconds since 1970.
    """

    def __init__(
        self,
        site: str,
        peers: Sequence[str],
        *,
        quorum: int,
        missing_after_s: float,
        path: Path | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.site, self.peers, self.quorum, self.missing_after_s = site, sorted(peers), quorum, missing_after_s
        self.path, self._now_s = path, now_s
        self._began_s = now_s()
        self._met_s: dict[str, float] = {}
        self._silent: set[str] = set()
        self._exchanges: list[dict] = []

    def note(self, exchange: int | str, round_number: int, outcomes: Mapping[str, str], callers: Collection[str]) -> None:
        """Takes account of an exchange, and writes the manifest.

        Args:
            exchange: its number, or ``closing``.
            round_number: the site is in.
            outcomes: what came of asking, by peer; see ``inbox.Outcome``.
            callers: peers that called since the last time.

        Raises:
            DiskError: the manifest cannot be written.
        """
        answered = {peer for peer, outcome in outcomes.items() if outcome in (RECEIVED, NOTHING_NEW)}
        heard = (answered | set(callers)) & set(self.peers)
        self._met_s |= dict.fromkeys(heard, self._now_s())
        self._silent = (self._silent | set(outcomes)) - heard
        # A round that is repeated after a restart repeats its exchange.
        self._exchanges = [entry for entry in self._exchanges if entry["exchange"] != exchange]
        self._exchanges.append({"exchange": exchange, "round": round_number, "asked": dict(outcomes), **self._standing()})
        self._write()

    def warn(self) -> None:
        """Says loudly who is missing for longer than ``missing_after_s``."""
        for peer in self.peers:
            gone_s = self._now_s() - self._since_s(peer)
            if (peer in self._silent or peer not in self._met_s) and gone_s > self.missing_after_s:
                logger.warning(
                    "%s: %s IS MISSING: not %s since %s, for %.1f hours; the run goes on without it. Ask that site whether its "
                    "process runs, and see 'fx collaborator ping'",
                    self.site,
                    peer,
                    "met" if peer in self._met_s else "heard of",
                    _as_text(self._since_s(peer)),
                    gone_s / _SECONDS_PER_HOUR,
                )

    def check_quorum(self) -> None:
        """Whether as many sites were met as the plan demands.

        Raises:
            QuorumNotMet: there were fewer.
        """
        if self._num_met() < self.quorum:
            never = ", ".join(peer for peer in self.peers if peer not in self._met_s)
            raise QuorumNotMet(
                f"expected at least {self.quorum} sites to take part (collaborator.settings.exchange.quorum), found "
                f"{self._num_met()}, this one included; never met: {never}. All models are saved; ask those sites "
                "why they were not there before the models are used"
            )

    def state(self) -> dict:
        """What a restart needs; plain values."""
        silent = sorted(self._silent)
        return {"began_s": self._began_s, "met_s": dict(self._met_s), "silent": silent, "exchanges": list(self._exchanges)}

    def restore(self, state: Mapping) -> None:
        """Takes over what ``state`` gave."""
        self._began_s, self._met_s = state["began_s"], dict(state["met_s"])
        self._silent, self._exchanges = set(state["silent"]), list(state["exchanges"])

    def manifest(self) -> dict:
        """What the file holds."""
        standing = self._standing()
        missing = [
            {"site": peer, "since": _as_text(self._since_s(peer)), "was_met": peer in self._met_s}
            for peer in standing["missing"]
        ]
        return {
            "site": self.site,
            "expected": sorted([self.site, *self.peers]),
            **standing,
            "missing": missing,
            "met": self._num_met(),
            "met_at": {peer: _as_text(self._met_s[peer]) for peer in sorted(self._met_s)},
            "quorum": self.quorum,
            "exchanges": self._exchanges,
        }

    def _standing(self) -> dict[str, list[str]]:
        unknown = [peer for peer in self.peers if peer not in self._met_s and peer not in self._silent]
        missing = [peer for peer in self.peers if peer in self._silent]
        present = sorted({self.site, *self.peers} - {*unknown, *missing})
        return {"present": present, "missing": missing, "unknown": unknown}

    def _since_s(self, peer: str) -> float:
        return self._met_s.get(peer, self._began_s)

    def _num_met(self) -> int:
        return 1 + len(self._met_s)

    def _write(self) -> None:
        if self.path is not None:
            write_whole(self.path, [(json.dumps(self.manifest(), indent=1) + "\n").encode()])


def read_manifest(path: Path) -> dict | None:
    """A site's manifest; None when it never wrote one, as a plan without exchanges does not."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _as_text(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, timezone.utc).isoformat(timespec="seconds")
