"""A site with a proper certificate that means harm: it speaks the protocol, learns nothing, and serves what it makes up."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.simulation.runner import make_runner
from experiments.soak.federation import GARBAGE, INSIDERS
from experiments.soak.forged_models import Forged, garbage, random_weights
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.initial_model import load_initial_model
from src.exchange.membership import Description, Greeting, Membership, SiteState, roster_digest
from src.exchange.snapshot import read_snapshot
from src.exchange.tensor_layout import TensorLayout
from src.exchange.transport import PeerRefused, PeerUnreachable

_KEPT_FILES = 12
_TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class HostileSettings:
    """Attributes:
    site: whose certificate it has; decides what it serves.
    workspace: with plan, certificate, first weights and addresses.
    data: a dataset; the network is built as an honest site builds it.
    listen: ``host:port``.
    federation_id: of the federation.
    """

    site: str
    workspace: str
    data: str
    listen: str
    federation_id: str


class HostileSite:
    """The ``Service`` of such a site; see ``src.exchange.transport``.

    Args:
        settings: see there.
        plan: of the federation.
    """

    def __init__(self, settings: HostileSettings, plan: dict) -> None:
        self.site, workspace = settings.site, Path(settings.workspace)
        self.roster = tuple(plan["collaborator"]["settings"]["roster"])
        self._wire_dtype = plan["collaborator"]["settings"]["exchange"]["wire_dtype"]
        runner = make_runner(plan, self.site, Path(settings.data), workspace / "save", workspace / "logs", workspace / "cache")
        initial_digest = load_initial_model(workspace / "save" / "init.pbuf", runner)
        self.membership = Membership(
            federation_id=settings.federation_id,
            run_id=plan["collaborator"]["settings"]["run_id"],
            roster_digest=roster_digest(self.roster),
            architecture_hash=runner.card().architecture_hash(),
            initial_digest=initial_digest,
        )
        self._structures = tuple(runner.structures)
        self._layout = TensorLayout.of(dict(runner.network.state_dict()))
        self._folder = workspace / "forged"
        self._folder.mkdir(exist_ok=True)
        self._honest: tuple | None = None
        self._lock, self._number = threading.Lock(), 0
        self._offered: OrderedDict[str, Forged] = OrderedDict()

    def greeting(self) -> Greeting:
        """What it says when it calls: the truth, or nobody would answer."""
        return Greeting(site=self.site, membership=self.membership, state=SiteState.TRAINING)

    def fetch_honest(self, transport: GrpcTransport) -> None:
        """Takes an honest site's newest model, to make its own of."""
        for peer in sorted({*self.roster} - {*INSIDERS}):
            try:
                found = transport.describe(peer, self.greeting(), wanted_round=None, timeout_s=_TIMEOUT_S)
                if not found.sequence:
                    continue
                path = self._folder / "honest.snapshot"
                transport.pull(peer, self.greeting(), found, path, timeout_s=_TIMEOUT_S)
            except (PeerUnreachable, PeerRefused):
                continue
            self._honest = read_snapshot(path, self._layout, self._structures)
            return

    # Service.

    def greet(self, caller: str, greeting: Greeting, *, wanted_round: int | None) -> Description:
        """A new forged model at every question; said to be of the very round that was wanted."""
        with self._lock:
            forged = self._forge(wanted_round)
        closed = greeting.state is not SiteState.TRAINING
        offer = {} if forged is None else _as_offer(forged)
        return Description(
            site=self.site,
            membership=self.membership,
            state=SiteState.CLOSED if closed else SiteState.TRAINING,
            round=offer.get("snapshot_round", 0),
            **{"epoch": 1, "sequence": 0, "snapshot_round": 0, "sha256": "", "size_bytes": 0, **offer},
        )

    def open_snapshot(self, caller: str, greeting: Greeting, sha256: str) -> Path:
        """What was offered."""
        with self._lock:
            found = self._offered.get(sha256)
        if found is None:
            raise PeerRefused("gone", "ask again")
        return found.path

    def count_sent(self, caller: str, num_bytes: int) -> None:
        """It does not care."""

    def receive(self, caller: str, greeting: Greeting, description: Description):
        """It takes nothing."""
        raise PeerRefused("roster", "nothing may be brought here")

    def _forge(self, wanted_round: int | None) -> Forged | None:
        if self._honest is None:
            return None
        manifest, tensors = self._honest
        self._number += 1
        round_number = manifest.round if wanted_round is None else wanted_round
        own = replace(manifest, site=self.site, sequence=self._number, epoch=1, round=round_number)
        path = self._folder / f"{self._number}.snapshot"
        if self.site == GARBAGE:
            forged = garbage(path, own, tensors, self._number, self._wire_dtype, victim=self.roster[0])
        else:
            forged = random_weights(path, own, tensors, self._number, self._wire_dtype)
        self._offered[forged.sha256] = forged
        while len(self._offered) > _KEPT_FILES:
            self._offered.popitem(last=False)[1].path.unlink(missing_ok=True)
        return forged


def _as_offer(forged: Forged) -> dict:
    return {
        "sequence": forged.manifest.sequence,
        "snapshot_round": forged.manifest.round,
        "sha256": forged.sha256,
        "size_bytes": forged.size_bytes,
        "train_cases": dict(forged.manifest.train_cases),
    }
