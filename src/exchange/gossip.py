"""One site's run: pull, learn, validate, save, publish; round after round, waiting for nobody.

Order within a round, and why: what was pulled is written down before it is used; the checkpoint is written before the snapshot
is published. So a site that is killed at any moment repeats the round it was in with the same models, and what it publishes
then is, byte for byte, what it had published.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import torch

from src.errors import FederationError
from src.exchange.brought import BroughtSnapshots, BroughtTransport
from src.exchange.checkpoint import Checkpoints
from src.exchange.closing import Closing
from src.exchange.courier import Courier
from src.exchange.fetch import Fetcher
from src.exchange.inbox import RECEIVED, Inbox, Outcome
from src.exchange.learner import Learner, PeerModel
from src.exchange.ledger import Ledger
from src.exchange.manifest import Manifest
from src.exchange.membership import Membership, SiteState
from src.exchange.mixed_transport import MixedTransport
from src.exchange.noise.leaving import LeavingModels
from src.exchange.noise.record import NoiseRecord
from src.exchange.noise.settings import read_noise
from src.exchange.outbox import Outbox
from src.exchange.participation import Participation
from src.exchange.reception import Reception
from src.exchange.schedule import Link
from src.exchange.served import ServedSite
from src.exchange.settings import ExchangeSettings, TimingSettings
from src.exchange.snapshot import SnapshotFault
from src.exchange.tensor_layout import TensorLayout
from src.exchange.transport import Transport

logger = logging.getLogger(__name__)

# Snapshots kept for whoever is in the middle of pulling one.
_KEPT_SNAPSHOTS = 3


class GossipSite:
    """One site of a federation without a server.

    Args:
        site, roster: own name, and all names.
        rounds: of training.
        epoch: of this site; its operator raises it when the state folder was lost.
        exchange, timing: see there.
        membership: what the others must agree on.
        learner: owns the model.
        transport: the line to the peers; None when the schedule is ``none``.
        state_folder: checkpoints, inbox, outbox and ledger; nothing else may write there.
        log: takes ``round_number``, ``phase`` and facts.
        code_version: of openfl-oar.
    """

    def __init__(
        self,
        *,
        site: str,
        roster: Sequence[str],
        rounds: int,
        epoch: int,
        exchange: ExchangeSettings,
        timing: TimingSettings,
        membership: Membership,
        learner: Learner,
        transport: Transport | None,
        state_folder: Path,
        log: Callable[..., None],
        code_version: str,
    ) -> None:
        self.site, self.roster, self.rounds, self.epoch = site, tuple(sorted(roster)), rounds, epoch
        self.exchange, self.timing, self.membership, self.learner = exchange, timing, membership, learner
        self.transport, self._log, self.code_version = transport, log, code_version
        self.round = self.sequence = 0
        self.closed = False
        # Calls turned away so far, by reason; whoever runs a server sets it.
        self.refusals: Callable[[], Mapping[str, int]] = dict
        # Peers that nobody can call from here; whoever knows addresses sets it.
        self.without_address: Collection[str] = ()
        # Where its manifest goes; whoever knows where logs are sets ``path``.
        self.participation = Participation(
            site, exchange.meeting_peers(self.roster, site), quorum=exchange.quorum, missing_after_s=timing.missing_after_s
        )
        self.checkpoints = Checkpoints(state_folder / "checkpoint")
        self._noise_folder = state_folder / "noise"
        # What makes noise of what leaves, once ``resume`` has seen the first weights; None where the plan wants none.
        self.leaving: LeavingModels | None = None
        self.ledger = Ledger(state_folder / "ledger.json")
        standing = learner.standing()
        self.outbox = Outbox(state_folder / "outbox", self._kept_snapshots())
        self.served = ServedSite(site, self.roster, membership, self.outbox, self.ledger, standing.train_cases, code_version)
        # Whom it can meet; and who of them nobody can call, so that they bring what they have.
        self.meets = exchange.meeting_peers(self.roster, site)
        self.brought_by = exchange.brought_by(self.roster, site) if transport is not None else ()
        if self.brought_by:
            self.transport = transport = self._open_to_bringers(transport, state_folder / "brought")
        self.fetcher = (
            Fetcher(
                membership=membership,
                structures=tuple(standing.train_cases),
                own_tensors=learner.tensors,
                transport=transport,
                ledger=self.ledger,
                inbox=Inbox(state_folder / "inbox"),
                greeting=self.served.greeting,
                timing=timing,
            )
            if transport is not None
            else None
        )
        self.courier = Courier(self)

    def run(self) -> None:
        """All rounds that are left, the closing, and serving until nobody needs this site any more.

        Raises:
            CheckpointError: the state on disk cannot be read.
            FederationError: it is of another run.
            QuorumNotMet: everything is done and saved, and the plan demands more sites than were met.
        """
        self.resume()
        while self.round < self.rounds:
            self.step()
        if self.fetcher is not None:
            Closing(self).run()
            self.note_participation("served", [])
            if self.leaving is not None:
                logger.info("%s: %s", self.site, self.leaving.promise())
            self.participation.check_quorum()
        elif not self.closed:
            self.finish_alone()

    def resume(self) -> None:
        """Takes up the state on disk, and offers what it offered before."""
        found = self.checkpoints.load()
        self.leaving = self._noise(goes_on=found is not None)
        if found is not None:
            tensors, facts = found
            self._check_run(facts["run"])
            self.round, self.sequence, self.closed = facts["round"], facts["sequence"], facts["closed"]
            self.learner.restore(tensors, facts["learner"])
            if "participation" in facts:  # not written by versions before this one
                self.participation.restore(facts["participation"])
            logger.info("%s goes on after round %d", self.site, self.round)
            # After the closing the model is another than the final one that was offered, and that others may still need.
            if self.round and not self.closed:
                self._publish()
                self.courier.after_round()
        self._stand()

    def step(self) -> None:
        """One round."""
        began = time.monotonic()
        peers = self._exchange()
        exchanged = time.monotonic()
        facts = self.learner.learn(self.round, peers)
        trained = time.monotonic()
        self.log("train", **facts, seconds=round(trained - exchanged, 3))
        facts = self.learner.validate(self.round)
        validated = time.monotonic()
        self.log("validate", **facts, seconds=round(validated - trained, 3))
        self.round += 1
        self.sequence += 1
        self.save()
        self._publish()
        self.courier.after_round()
        self._stand()
        if self.fetcher is not None:
            self.participation.warn()
        overhead_s = exchanged - began + time.monotonic() - validated
        logger.info("%s: round %d done, %.2f s of it exchanging and saving", self.site, self.round, overhead_s)

    def save(self) -> None:
        """Writes the checkpoint."""
        tensors, facts = self.learner.state()
        content = {"round": self.round, "sequence": self.sequence, "closed": self.closed, "learner": facts}
        self.checkpoints.save(tensors, {**content, "run": self._run(), "participation": self.participation.state()})

    def log(self, phase: str, **facts) -> None:
        """Records an event of the round the site is in."""
        self._log(round_number=self.round, phase=phase, site=self.site, **facts)

    def log_outcome(self, phase: str, outcome: Outcome, **facts) -> None:
        """Records what came of asking one peer, and what was sent meanwhile."""
        sent = self.served.take_sent_bytes()
        self.log(
            phase,
            peer=outcome.peer,
            outcome=outcome.outcome,
            reason=outcome.reason,
            received_bytes=outcome.received_bytes,
            sent_bytes=sum(sent.values()),
            sent_to=sent,
            refused_callers=dict(self.refusals()),
            seconds=outcome.seconds,
            **facts,
        )

    def note_participation(self, exchange: int | str, outcomes: Iterable[Outcome]) -> None:
        """Takes account of who answered and who called."""
        asked = {outcome.peer: outcome.outcome for outcome in outcomes}
        self.participation.note(exchange, self.round, asked, self.served.take_callers())

    def _run(self) -> dict[str, str]:
        return {"federation_id": self.membership.federation_id, "run_id": self.membership.run_id}

    def _check_run(self, found: Mapping[str, str]) -> None:
        if found != self._run():
            raise FederationError(
                f"expected the saved state of this run ({self._run()}), found that of another ({found}); to begin anew, move "
                "the state folder, logs and saved models of that run away"
            )

    # Before the training of a round.

    def _exchange(self) -> list[PeerModel]:
        number = self.exchange.exchange_at(self.round, self.rounds)
        if number is None or self.fetcher is None:
            return []
        outcomes = self.fetcher.recall(number)
        replayed = outcomes is not None
        if outcomes is None:
            outcomes = [self._fetch(link, number) for link in self.exchange.links(self.roster, self.site, number)]
            self.fetcher.inbox.note(number, outcomes)
        for outcome in outcomes:
            self.log_outcome("exchange", outcome, exchange=number, replayed=replayed)
            if not replayed:
                self.served.note_exchange(outcome.peer, outcome.outcome, outcome.received_bytes)
        self.note_participation(number, outcomes)
        return [self.fetcher.open(outcome) for outcome in outcomes if outcome.outcome == RECEIVED]

    def _fetch(self, link: Link, number: int) -> Outcome:
        return self.fetcher.fetch(link.peer, link.weight, number, wanted_round=self._round_of(link))

    def _round_of(self, link: Link) -> int | None:
        if link.round_lead is not None:
            return self.round + link.round_lead
        return self.round if self.exchange.lock_step else None

    # After it.

    def _publish(self) -> None:
        if self.fetcher is None:
            return
        try:
            self._offer()
        except SnapshotFault as fault:
            if fault.reason != "sequence":
                # Nobody is helped by a model that is not one; the next round may bring a better.
                logger.error("%s: the model of round %d is not offered (%s)", self.site, self.round, fault)
                return
            # A round that was repeated from an older checkpoint came out differently: it is another snapshot.
            self.sequence = self.outbox.newest().manifest.sequence + 1
            self._offer()

    def _offer(self) -> None:
        standing = self.learner.standing()
        manifest = Manifest(
            site=self.site,
            federation_id=self.membership.federation_id,
            run_id=self.membership.run_id,
            architecture_hash=self.membership.architecture_hash,
            epoch=self.epoch,
            sequence=self.sequence,
            round=self.round,
            final=self.round == self.rounds,
            train_cases=standing.train_cases,
            valid_cases=standing.valid_cases,
            valid_dice=standing.valid_dice,
            row_cases=standing.row_cases,
            code_version=self.code_version,
        )
        self.outbox.publish(manifest, self._what_leaves(), self.exchange.wire_dtype)

    def _what_leaves(self) -> Mapping[str, torch.Tensor]:
        """The weights, or what the plan makes of them; nothing leaves that did not pass here."""
        if self.leaving is None:
            return self.learner.tensors()
        left = self.leaving.of(self.learner.tensors(), self.round)
        self.log("noise", **left.facts())
        return left.tensors

    def _noise(self, *, goes_on: bool) -> LeavingModels | None:
        settings = read_noise(self.exchange.noise)
        if settings is None or self.fetcher is None:
            return None
        # A site whose disk was lost has published once a round before.
        record = NoiseRecord(self._noise_folder, goes_on=goes_on, lost=(self.epoch - 1) * self.rounds)
        return LeavingModels(settings, self.learner.tensors(), record)

    def _stand(self) -> None:
        state = SiteState.TRAINING if self.round < self.rounds else SiteState.FINISHED
        self.served.stand(SiteState.CLOSED if self.closed else state, self.round)

    def _kept_snapshots(self) -> int:
        # At the end the model before the rounds alone is asked for.
        kept = _KEPT_SNAPSHOTS + self.exchange.local_rounds_at_end
        if self.waits_for_rounds:
            # Whoever waits for one particular round may be behind by as many rounds as knowledge needs to go around.
            kept += 2 * len(self.roster) * self.exchange.exchange_every
        return kept

    @property
    def waits_for_rounds(self) -> bool:
        """Whether sites wait for each other's model of one particular round."""
        return self.exchange.lock_step or self.exchange.schedule == "chain"

    def _open_to_bringers(self, transport: Transport, folder: Path) -> Transport:
        """Lets in what outbound sites bring, and looks for it there when the schedule names them."""
        snapshots = BroughtSnapshots(folder, self.brought_by, self._kept_snapshots() if self.waits_for_rounds else 1)
        # Their bytes count when the snapshot is used.
        snapshots.on_arrival = lambda site: self.served.note_exchange(site, "brought", 0)
        self.served.reception = Reception(
            membership=self.membership,
            roster=self.roster,
            may_bring=self.brought_by,
            ledger=self.ledger,
            layout=TensorLayout.of(self.learner.tensors()),
            snapshots=snapshots,
        )
        brought = BroughtTransport(snapshots, self.membership, self.served.caller_states)
        return MixedTransport({peer: brought if peer in self.brought_by else transport for peer in self.meets})

    def finish_alone(self) -> None:
        for facts in self.learner.finish(self.round, [], None):
            self.log(**facts)
        self.closed = True
        self.save()
        self._stand()
