"""The collaborator a gossip, cyclic or individual plan names: OpenFL starts it, and no aggregator is needed.

The only module of the exchange that knows OpenFL: it takes data, task runner and certificates from it and hands the rest to
``GossipSite``.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from src.data.dataset import TOOL
from src.errors import FederationError, PlanSettingError
from src.exchange.folder.shared_folder import SharedFolder, folder_peers
from src.exchange.gossip import GossipSite
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.initial_model import load_initial_model
from src.exchange.membership import Greeting, Membership, SiteState, roster_digest
from src.exchange.mixed_transport import MixedTransport
from src.exchange.participation import FILE_NAME
from src.exchange.peers_file import PeersFile, read_peers
from src.exchange.server import ExchangeServer
from src.exchange.settings import ExchangeSettings, TimingSettings
from src.exchange.state_lock import state_lock
from src.exchange.transport import PeerRefused, PeerUnreachable, Transport
from src.learning.peer_learner import PeerLearner
from src.learning.peer_settings import CompletionSettings, LearningSettings
from src.process_edge import process_edge, run_edge
from src.run_log import RunLog
from src.setting_range import check_whole
from src.stop_signal import stops_on_signal

logger = logging.getLogger(__name__)

_STOP_GRACE_S = 2.0
_FOLDER_GRACE_S = 120.0  # a last model may still have to be written to a slow mount
_HOW_TO_GO_ON = (
    "all finished rounds are on disk, the one in progress is repeated; start it with the same command and it goes on from there"
)


class GossipCollaborator:
    """Trains a site's own network and learns from its peers; asks no server.

    Args:
        collaborator_name, federation_uuid, client, task_runner: from OpenFL; of the client only the paths of the certificates
            are used, it is never connected.
        aggregator_uuid, task_config, compression_pipeline, secure_aggregation: from OpenFL, of no use here.
        roster: names of all sites.
        run_id: of this run of the plan.
        rounds: of training.
        init_state_path: the weights all sites begin with, ``.pbuf`` of ``fx plan initialize`` or ``.safetensors``.
        peers_path: where the peers are, see ``plan/peers.yaml``; not read when the schedule is ``none``.
        state_path: folder below which each site keeps what a restart needs.
        exchange, learning, completion, timing: see ``ExchangeSettings``, ``LearningSettings``, ``CompletionSettings``,
            ``TimingSettings``.

    Raises:
        PlanSettingError: a setting is impossible, or the site is not in the roster.
    """

    def __init__(
        self,
        *,
        collaborator_name: str,
        aggregator_uuid: str,
        federation_uuid: str,
        client,
        task_runner,
        task_config: dict,
        compression_pipeline,
        secure_aggregation: bool,
        roster: list[str],
        run_id: str,
        rounds: int,
        init_state_path: str,
        peers_path: str,
        state_path: str,
        exchange: dict,
        learning: dict,
        completion: dict,
        timing: dict,
    ) -> None:
        self.site, self.client, self.runner = collaborator_name, client, task_runner
        self.roster, self.run_id = sorted(roster), run_id
        self.rounds = check_whole("collaborator.rounds", rounds, 1)
        self.init_state_path, self.peers_path = Path(init_state_path), Path(peers_path)
        self.state_folder = Path(state_path) / collaborator_name
        self.exchange = read_settings("exchange", ExchangeSettings, exchange)
        self.learning = read_settings("learning", LearningSettings, learning)
        self.completion = read_settings("completion", CompletionSettings, completion)
        self.timing = read_settings("timing", TimingSettings, timing)
        if self.site not in self.roster:
            raise PlanSettingError(
                f"collaborator.roster: expected this site's name '{self.site}', found {', '.join(self.roster)}; check the name "
                "given with -n, and that all sites hold the same plan"
            )
        self.exchange.check_roster(self.roster)
        task_runner.federation = self.federation = federation_uuid

    def run(self) -> None:
        """Runs to the end of the plan; the process ends with the error's exit code when something is wrong."""
        with run_edge(), stops_on_signal(_HOW_TO_GO_ON), ExitStack() as stack:
            stack.enter_context(state_lock(self.state_folder))
            peers = self._read_peers()
            membership = self._begin()
            folder = self._open_folder(peers)
            transport = self._open_transport(peers, folder)
            if transport is not None:
                stack.callback(transport.close)
            site = self._make_site(membership, peers, transport)
            site.without_address = self._without_address(peers, folder)
            site.participation.path = self.runner.log_path / self.site / FILE_NAME
            if peers is not None and peers.listen is not None:
                server = self._open_server(site, peers.listen)
                site.refusals = lambda: server.refusals
                server.start()
                stack.callback(server.stop, _STOP_GRACE_S)
            if folder is not None:
                state_path, served = self.state_folder / "folder.json", site.served
                publisher = folder.publisher(served, site.outbox, membership, epoch=peers.epoch, state_path=state_path)
                publisher.start()
                stack.callback(publisher.stop, _FOLDER_GRACE_S)
            site.run()

    def ping(self) -> None:
        """Asks every peer for a sign of life, and prints one line each; exit code 1 when one gave none."""
        with process_edge():
            peers, membership = self._read_peers(), self._begin()
            transport = self._open_transport(peers, self._open_folder(peers))
            if transport is None:
                print("this plan exchanges nothing; there is nobody to ask")
                return
            greeting = Greeting(site=self.site, membership=membership, state=SiteState.TRAINING, is_question=True)
            calls_us = set(self.exchange.brought_by(self.roster, self.site))
            asked = [peer for peer in self.exchange.meeting_peers(self.roster, self.site) if peer not in calls_us]
            silent = [peer for peer in asked if not self._ask(transport, peer, greeting)]
            for peer in sorted(set(self.roster) - {self.site, *asked}):
                why = "it calls this site" if peer in calls_us else "this site never meets it"
                print(f"{peer}: by the plan {why}; not asked")
            transport.close()
            if silent:
                raise FederationError(f"expected an answer of every peer, found none of {', '.join(silent)}")

    def _ask(self, transport: Transport, peer: str, greeting: Greeting) -> bool:
        try:
            found = transport.describe(peer, greeting, wanted_round=None, timeout_s=self.timing.connect_timeout_s)
        except (PeerUnreachable, PeerRefused) as error:
            print(f"{peer}: {error}")
            return False
        print(f"{peer}: {found.state.value}, {found.round} rounds done")
        return True

    def _read_peers(self) -> PeersFile | None:
        return None if self.exchange.schedule == "none" else read_peers(self.peers_path, self.roster, self.site)

    def _begin(self) -> Membership:
        """Gives the network the first weights of the run; says what the others must agree on."""
        initial_digest = load_initial_model(self.init_state_path, self.runner)
        return Membership(
            federation_id=self.federation,
            run_id=self.run_id,
            roster_digest=roster_digest(self.roster),
            architecture_hash=self.runner.card().architecture_hash(),
            initial_digest=initial_digest,
        )

    def _open_folder(self, peers: PeersFile | None) -> SharedFolder | None:
        """The synchronised folder, if this site meets anybody there."""
        met = folder_peers(self.roster, self.exchange.reachability, self.site, folder=self.exchange.folder)
        if peers is None or not met:
            return None
        with self._own_certificate():
            return SharedFolder(peers.folder, own=self.site, peers=met, **self._certificates())

    def _open_transport(self, peers: PeersFile | None, folder: SharedFolder | None) -> Transport | None:
        if peers is None:
            return None
        with self._own_certificate():
            calls = GrpcTransport(peers.peers, own=self.site, **self._certificates())
        if folder is None:
            return calls
        return MixedTransport({peer: folder.transport if peer in folder.peers else calls for peer in peers.peers})

    @contextmanager
    def _own_certificate(self) -> Iterator[None]:
        try:
            yield
        except PeerRefused as refused:
            raise FederationError(f"this site's own certificate cannot be used: {refused}") from refused

    def _without_address(self, peers: PeersFile | None, folder: SharedFolder | None) -> list[str]:
        """Whom nobody can reach from here."""
        met = folder.peers if folder else ()
        return [name for name, address in peers.peers.items() if address is None and name not in met] if peers else []

    def _open_server(self, site: GossipSite, listen: str) -> ExchangeServer:
        return ExchangeServer(
            site.served,
            bind_address=listen,
            roster=self.roster,  # this site too: who runs it may ask how it stands
            max_pulls=max(1, len(self.roster) - 1),
            may_push=site.brought_by,
            **self._certificates(),
        )

    def _certificates(self) -> dict[str, Path]:
        names = ("certificate", "private_key", "root_certificate")
        return {name: Path(getattr(self.client, name)) for name in names}

    def _make_site(self, membership: Membership, peers: PeersFile | None, transport: Transport | None) -> GossipSite:
        learner = PeerLearner(
            self.runner,
            site=self.site,
            learning=self.learning,
            completion=self.completion,
            warm_up_rounds=self.exchange.warm_up_rounds,
        )
        return GossipSite(
            site=self.site,
            roster=self.roster,
            rounds=self.rounds,
            epoch=peers.epoch if peers else 1,
            exchange=self.exchange,
            timing=self.timing,
            membership=membership,
            learner=learner,
            transport=transport,
            state_folder=self.state_folder,
            log=RunLog(self.runner.log_path / self.site).event,
            code_version=TOOL,
        )


def read_settings(name: str, kind: Callable, settings: Mapping):
    """A nested section of the plan as its dataclass.

    Raises:
        PlanSettingError: an entry is unknown, missing or impossible.
    """
    try:
        return kind(**settings)
    except TypeError as error:
        raise PlanSettingError(f"collaborator.{name}: {error}") from error
