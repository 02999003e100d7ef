"""After the last round: the others' final models, what is made of them, and serving until nobody needs this site any more.

What is asked for are the models of the last round before those that each site trains alone at the end: rounds alone fit a model
to one site's patients, and an average of models that have drifted apart is worse than any of them.
"""

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from src.exchange.fetch import CLOSING
from src.exchange.inbox import NOTHING_NEW, RECEIVED, REFUSED, UNREACHABLE, Outcome
from src.exchange.learner import PeerModel
from src.exchange.membership import Description, SiteState
from src.exchange.snapshot import read_snapshot
from src.exchange.transport import PeerRefused, PeerUnreachable

if TYPE_CHECKING:
    from src.exchange.gossip import GossipSite

logger = logging.getLogger(__name__)

_PAUSE_S = 1.0
_SHORTEST_S = 1.0  # for an answer, when hardly any time is left


class Closing:
    """The end of one site's run.

    Args:
        run: the site, with all its rounds done.
    """

    def __init__(self, run: "GossipSite") -> None:
        self.run_of = run
        self.peers = list(run.meets)
        # Of these we hear whatever our own list of addresses says: by the plan they call us.
        self.without_address = set(run.without_address) - set(run.brought_by)
        self.shared_rounds = run.rounds - run.exchange.local_rounds_at_end

    def run(self) -> None:
        """Finishes, and serves on."""
        self.finish()
        self.serve_on()

    def finish(self) -> None:
        """Collects what is final within ``closing_wait_s``, and makes of it what the learner makes; once in a run."""
        run = self.run_of
        if not run.closed:
            outcomes = self._collect()
            self._log_presence(outcomes)
            chain_end = run.exchange.chain_order(run.roster)[-1] if run.exchange.schedule == "chain" else None
            for facts in run.learner.finish(run.round, self._models(outcomes), chain_end):
                run.log(**facts)
            run.closed = True
            run.save()
        run.served.stand(SiteState.CLOSED, run.round)

    def serve_on(self) -> None:
        """Tells everybody that this site is done, and serves those who are not, for ``serve_after_s`` at most."""
        run = self.run_of
        deadline = time.monotonic() + run.timing.serve_after_s
        told: set[str] = set()
        closed: set[str] = set()
        while True:
            run.courier.bring_final(but=closed)
            # Also who is known to be closed must be told once, or it would wait for a site that has gone.
            for peer in self.peers:
                if peer not in told & closed:
                    self._tell(peer, told, closed, deadline)
            # Who cannot be called is told when it calls.
            told = (told - set(run.brought_by)) | run.served.told_closed()
            closed |= {peer for peer, state in run.served.caller_states().items() if state is SiteState.CLOSED}
            left_s = deadline - time.monotonic()
            if (closed >= set(self.peers) and told >= set(run.brought_by)) or left_s <= 0:
                break
            time.sleep(min(_PAUSE_S, left_s))
        sent = run.served.take_sent_bytes()
        run.log("served", sent_bytes=sum(sent.values()), sent_to=sent, refused_callers=dict(run.refusals()))

    def _collect(self) -> dict[str, Outcome]:
        """The outcome of each peer; those that are not final in time keep the last one."""
        run, found = self.run_of, {}
        deadline = time.monotonic() + run.timing.closing_wait_s
        while True:
            for peer in self.peers:
                # Everybody is asked once, however long the others before took.
                if peer not in found or (not self._is_settled(found[peer]) and time.monotonic() < deadline):
                    found[peer] = self._ask(peer, deadline)
            waiting = [peer for peer in self.peers if not self._is_settled(found[peer])]
            all_brought = run.courier.bring_final()
            left_s = deadline - time.monotonic()
            if (not waiting and all_brought) or left_s <= 0:
                return found
            time.sleep(min(_PAUSE_S, left_s))

    def _is_settled(self, outcome: Outcome) -> bool:
        """Whether asking again can bring nothing else."""
        # A final model that came and cannot be used stays what it is; fetching it every second would not make it another.
        is_unfit = outcome.outcome == REFUSED and outcome.received_bytes > 0
        has_none = outcome.reason == "nothing_to_offer"
        return outcome.outcome == RECEIVED or is_unfit or has_none or outcome.peer in self.without_address

    def _ask(self, peer: str, deadline: float) -> Outcome:
        """A final model, or why there is none."""
        run = self.run_of
        nothing = Outcome(peer=peer, weight=1.0, outcome=NOTHING_NEW, reason="not_final")
        try:
            description = self._describe(peer, deadline)
        except PeerUnreachable:
            return replace(nothing, outcome=UNREACHABLE, reason="unreachable")
        except PeerRefused as refused:
            return replace(nothing, outcome=REFUSED, reason=refused.reason, detail=str(refused))
        if not description.sequence:
            done = description.state is not SiteState.TRAINING
            return replace(nothing, state=description.state.value, reason="nothing_to_offer" if done else "not_final")
        return run.fetcher.fetch(peer, 1.0, CLOSING, wanted_round=self.shared_rounds)

    def _models(self, outcomes: dict[str, Outcome]) -> list[PeerModel]:
        """The final models by name; ours as the others see it, rounded to the wire's precision."""
        run, own = self.run_of, self.run_of.outbox.of_round(self.shared_rounds)
        layout, structures = run.fetcher.layout, run.fetcher.structures
        models = [run.fetcher.open(outcome) for outcome in outcomes.values() if outcome.outcome == RECEIVED]
        if own is not None:

            def read_own() -> dict:
                return read_snapshot(own.path, layout, structures)[1]

            models.append(PeerModel(weight=1.0, manifest=own.manifest, read=read_own))
        return sorted(models, key=lambda model: model.manifest.site)

    def _log_presence(self, outcomes: dict[str, Outcome]) -> None:
        for outcome in outcomes.values():
            self.run_of.log_outcome("closing", outcome)
            self.run_of.served.note_exchange(outcome.peer, outcome.outcome, outcome.received_bytes)
        self.run_of.note_participation("closing", outcomes.values())
        missing = sorted(peer for peer, outcome in outcomes.items() if outcome.outcome != RECEIVED)
        if missing:
            logger.warning("%s closes without the final models of %s", self.run_of.site, ", ".join(missing))

    def _tell(self, peer: str, told: set[str], closed: set[str], deadline: float) -> None:
        """Greets a peer as closed, and hears where it is."""
        try:
            description = self._describe(peer, deadline)
        except (PeerUnreachable, PeerRefused):
            return
        told.add(peer)
        if description.state is SiteState.CLOSED:
            closed.add(peer)

    def _describe(self, peer: str, deadline: float) -> Description:
        run = self.run_of
        timeout_s = min(run.timing.connect_timeout_s, max(_SHORTEST_S, deadline - time.monotonic()))
        return run.transport.describe(peer, run.served.greeting(), wanted_round=self.shared_rounds, timeout_s=timeout_s)
