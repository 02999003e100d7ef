"""Who asks: a site as its plan and its files make it, without its patients."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from src.errors import FederationError, PlanSettingError
from src.exchange.address import split_address
from src.exchange.folder.shared_folder import folder_peers
from src.exchange.folder.site_keys import SiteKeys
from src.exchange.folder.transport import FolderTransport
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.initial_model import load_initial_model
from src.exchange.membership import Membership, roster_digest
from src.exchange.mixed_transport import MixedTransport
from src.exchange.peers_file import PeersFile, read_peers
from src.exchange.settings import ExchangeSettings, TimingSettings
from src.exchange.transport import PeerRefused, Transport
from src.peer_plan import is_peer_plan
from src.plan_check import build_task_runner
from src.plan_sections import check_plan

LONGEST_WAIT_S = 5.0
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, kw_only=True)
class Asker:
    """A site that asks how the others stand.

    Attributes:
        site, roster: own name, and all names, sorted.
        rounds: of training, in the whole run.
        structures: of the plan, in channel order.
        membership: what the others must agree on.
        addresses: of the others, and of this site's own server if it has one; None for who cannot be called.
        certificates: paths, under the names that ``GrpcTransport`` gives them.
        state_folder, log_folder: of this site; need not be there.
        timeout_s: for all answers together.
        missing_after_s: without a sign of life from a site, before that is said loudly.
        folder: the synchronised one; None when ``plan/peers.yaml`` names none.
        folder_peers: whom this site meets there.
        brought_by: who brings snapshots here, because nobody can call them.
        meets: whom this site can meet at all.
    """

    site: str
    roster: tuple[str, ...]
    rounds: int
    structures: tuple[str, ...]
    membership: Membership
    addresses: dict[str, str | None]
    certificates: dict[str, Path]
    state_folder: Path
    log_folder: Path
    timeout_s: float
    missing_after_s: float
    folder: Path | None = None
    folder_peers: tuple[str, ...] = ()
    brought_by: tuple[str, ...] = ()
    meets: tuple[str, ...] = ()

    @property
    def peers(self) -> list[str]:
        """The other sites."""
        return [name for name in self.roster if name != self.site]

    def open_transport(self) -> Transport:
        """A line to all that can be called, and to the cards of those that are met in the folder; it writes nothing there.

        Raises:
            FederationError: this site's certificate, its key or the authority's chain cannot be used.
        """
        try:
            calls = GrpcTransport(self.addresses, own=self.site, **self.certificates)
            if self.folder is None or not self.folder_peers:
                return calls
            cards = FolderTransport(self.folder, SiteKeys(self.site, **self.certificates))
        except PeerRefused as refused:
            raise FederationError(f"this site's own certificate cannot be used: {refused}") from refused
        return MixedTransport({name: cards if name in self.folder_peers else calls for name in self.roster})


def read_asker(site: str, plan_path: Path) -> Asker:
    """Reads plan, ``plan/peers.yaml`` and first weights; called in the workspace, as ``fx`` is.

    Args:
        site: its name, as given to ``fx collaborator start``.
        plan_path: of ``plan.yaml``.

    Raises:
        PlanSettingError: the plan is none without an aggregator, the site is not in its roster, or a setting is impossible.
        ModelCardError: the first weights are not there, or are not the plan's.
    """
    config, federation = _read_plan(plan_path)
    settings = config["collaborator"]["settings"]
    roster = tuple(sorted(settings["roster"]))
    if site not in roster:
        raise PlanSettingError(
            f"collaborator.settings.roster: expected this site's name '{site}', found {', '.join(roster)}; check the name "
            "given with -n, and the plan given with -p"
        )
    exchanges = settings["exchange"]["schedule"] != "none"
    peers = read_peers(Path(settings["peers_path"]), roster, site) if exchanges else None
    exchange = ExchangeSettings(**settings["exchange"])
    met_in_folder = folder_peers(roster, exchange.reachability, site, folder=exchange.folder) if exchanges else ()
    runner = build_task_runner(config)
    initial_digest = load_initial_model(Path(settings["init_state_path"]), runner)
    return Asker(
        site=site,
        roster=roster if exchanges else (site,),
        rounds=settings["rounds"],
        structures=tuple(runner.structures),
        membership=Membership(
            federation_id=federation,
            run_id=settings["run_id"],
            roster_digest=roster_digest(roster),
            architecture_hash=runner.card().architecture_hash(),
            initial_digest=initial_digest,
        ),
        addresses=addresses_of(site, peers) if peers else {},
        certificates=_certificates(site),
        state_folder=Path(settings["state_path"]) / site,
        log_folder=Path(config["task_runner"]["settings"]["log_path"]) / site,
        timeout_s=min(LONGEST_WAIT_S, settings["timing"]["connect_timeout_s"]),
        missing_after_s=TimingSettings(**settings["timing"]).missing_after_s,
        folder=peers.folder if peers else None,
        folder_peers=met_in_folder,
        brought_by=exchange.brought_by(roster, site) if exchanges else (),
        meets=exchange.meeting_peers(roster, site) if exchanges else (),
    )


def addresses_of(site: str, peers: PeersFile) -> dict[str, str | None]:
    """Where everybody is called from here; a site that listens on every network is called on the machine's own."""
    if peers.listen is None:
        return dict(peers.peers)
    host, port = split_address(peers.listen)
    host = _ANY_ADDRESS.get(host, host)
    return {**peers.peers, site: f"[{host}]:{port}" if ":" in host else f"{host}:{port}"}


def _read_plan(path: Path) -> tuple[dict, str]:
    """The plan as OpenFL resolves it, and the name of the federation that follows from it."""
    from openfl.federated import Plan

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PlanSettingError(
            f"expected a plan at '{path}', found none that can be read ({type(error).__name__}); give it with -p, from within "
            "the workspace"
        ) from error
    if not is_peer_plan(content):
        raise PlanSettingError(
            f"expected a plan without an aggregator at '{path}' (gossip, cyclic or individual), found another; sites of this "
            "plan are not asked, the aggregator's logs say how they stand"
        )
    check_plan(content)
    plan = Plan.parse(path.absolute())
    return plan.config, plan.federation_uuid


def _certificates(site: str) -> dict[str, Path]:
    """Where ``fx collaborator certify`` puts them; OpenFL's ``Plan.get_client_args`` reads them there too."""
    folder = Path("cert")
    return {
        "certificate": folder / "client" / f"col_{site}.crt",
        "private_key": folder / "client" / f"col_{site}.key",
        "root_certificate": folder / "cert_chain.crt",
    }
