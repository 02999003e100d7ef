"""A workspace of one of two sites with nothing wrong in it, and a peer that answers; tests then spoil one thing."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from openfl.pipelines import NoCompressionPipeline
from openfl.protocols import utils

from experiments.federation.plan import free_ports, read_plan
from experiments.federation.template import REPOSITORY
from src.doctor.checks import CHECKS
from src.doctor.finding import Finding
from src.doctor.run import examine
from src.doctor.workplace import Workplace
from src.exchange.ledger import Ledger
from src.exchange.membership import Description
from src.exchange.outbox import Outbox
from src.exchange.served import ServedSite
from src.exchange.server import ExchangeServer
from src.model.state import network_state
from src.plan_check import build_task_runner
from tests.conftest import SPHERE_STRUCTURES
from tests.src.exchange.tls import ExchangeAuthority

ROSTER = ["site_a", "site_b"]
TINY_NETWORK = {
    "name": "UNet",
    "features": 4,
    "arguments": {"channels": [4, 8], "strides": [2], "num_res_units": 1, "norm": ["instance", {"affine": True}]},
}


class LastingAuthority(ExchangeAuthority):
    """An authority whose certificates, its own included, last for more than a year."""

    def _write(self, path: Path, subject: x509.Name, public_key, *extensions: x509.ExtensionType, days: int = 400) -> None:
        now = datetime.now(timezone.utc)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=2)).not_valid_after(now + timedelta(days=days, hours=1))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        path.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def renew(self, name: str, days: int) -> None:
        """Signs a site's key once more, for so many days."""
        key = serialization.load_pem_private_key((self.folder / f"{name}.key").read_bytes(), None)
        subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
        san = x509.SubjectAlternativeName([x509.DNSName(name)])
        self._write(self.folder / f"{name}.crt", subject, key.public_key(), san, days=days)


class ClockAhead:
    """A site whose clock is ahead; otherwise the service it is made of."""

    def __init__(self, service: ServedSite, ahead_s: float) -> None:
        self._service, self._ahead_s = service, ahead_s

    def greet(self, caller: str, greeting, *, wanted_round) -> Description:
        found = self._service.greet(caller, greeting, wanted_round=wanted_round)
        return replace(found, unix_time_s=found.unix_time_s + self._ahead_s)


@dataclass
class Workspace:
    """Site_a's workspace.

    Attributes:
        folder: what ``fx`` would be started in.
        authority: of both sites.
        own_port, peer_port: that site_a listens at, and that it expects site_b at.
    """

    folder: Path
    authority: LastingAuthority
    own_port: int
    peer_port: int
    site: str = "site_a"

    def plan(self) -> dict:
        """The plan as it stands."""
        return yaml.safe_load((self.folder / "plan/plan.yaml").read_text())

    def write_plan(self, plan: dict) -> None:
        """Puts another in its place."""
        (self.folder / "plan/plan.yaml").write_text(yaml.safe_dump(plan))

    def peers(self) -> dict:
        """``plan/peers.yaml`` as it stands."""
        return yaml.safe_load((self.folder / "plan/peers.yaml").read_text())

    def write_peers(self, content: dict) -> None:
        """Puts another in its place."""
        (self.folder / "plan/peers.yaml").write_text(yaml.safe_dump(content))

    def install(self, files: dict[str, Path]) -> None:
        """Puts a certificate and its key where ``fx`` has them."""
        client = self.folder / "cert/client"
        client.mkdir(parents=True, exist_ok=True)
        shutil.copy(files["certificate"], client / "col_site_a.crt")
        shutil.copy(files["private_key"], client / "col_site_a.key")
        (client / "col_site_a.key").chmod(0o600)

    def place(self) -> Workplace:
        """What the checks look at; the current folder must be ``folder``."""
        return Workplace(self.site, Path("plan/plan.yaml"))

    def findings(self) -> list[Finding]:
        """What the doctor says."""
        return list(examine(self.place(), CHECKS))

    @contextmanager
    def peer(
        self, *, authority: LastingAuthority | None = None, name: str = "site_b", ahead_s: float = 0, **differences
    ) -> Iterator:
        """Site_b, as its own process would serve; ``differences`` change what it says must be equal."""
        membership = replace(self.place().membership, **differences)
        state = self.folder / "peer"
        cases = dict.fromkeys(self.plan()["data_loader"]["settings"]["structures"][: len(SPHERE_STRUCTURES)], 4)
        served = ServedSite(name, ROSTER, membership, Outbox(state / "outbox", 2), Ledger(state / "ledger.json"), cases)
        service = ClockAhead(served, ahead_s) if ahead_s else served
        files = certificate_paths((authority or self.authority).certify(name))
        server = ExchangeServer(service, bind_address=f"127.0.0.1:{self.peer_port}", roster=ROSTER, max_pulls=1, **files)
        server.start()
        try:
            yield served
        finally:
            server.stop(0)


def make_workspace(folder: Path, dataset: Path) -> Workspace:
    """A workspace in which all is well once the peer serves."""
    own_port, peer_port = free_ports(2)
    for name in ("plan", "cert", "save", "data"):
        (folder / name).mkdir(parents=True)
    shutil.copy(REPOSITORY / "workspace/requirements.txt", folder)
    shutil.copytree(dataset, folder / "data/site_a")
    (folder / "plan/data.yaml").write_text("# name,path\nsite_a,data/site_a\n")
    made = Workspace(folder, LastingAuthority(folder / "authority"), own_port, peer_port)
    made.write_plan(tiny_plan())
    made.write_peers({"listen": f"127.0.0.1:{own_port}", "epoch": 1, "peers": {"site_b": f"127.0.0.1:{peer_port}"}})
    shutil.copy(made.authority.chain, folder / "cert/cert_chain.crt")
    made.install(certificate_paths(made.authority.certify("site_a")))
    write_first_weights(made)
    return made


def write_first_weights(workspace: Workspace, factor: float = 1.0) -> None:
    """``save/init.pbuf`` as ``fx plan initialize`` writes it, of the plan as it stands."""
    tensors = network_state(build_task_runner(workspace.plan()).network)
    proto = utils.construct_model_proto({name: factor * values for name, values in tensors.items()}, 0, NoCompressionPipeline())
    utils.dump_proto(proto, str(workspace.folder / "save/init.pbuf"))


def tiny_plan() -> dict:
    """A gossip plan of two sites and three spheres."""
    plan = read_plan("gossip_head_neck")
    plan["collaborator"]["settings"]["roster"] = list(ROSTER)
    plan["data_loader"]["settings"] |= {
        "structures": list(SPHERE_STRUCTURES),
        "spacing_mm": [4.0, 4.0, 5.0],
        "patch_voxels": [16, 16, 16],
        "augmentation": {},
    }
    plan["task_runner"]["settings"]["network"] = TINY_NETWORK
    return plan


@contextmanager
def dropping_port() -> Iterator[int]:
    """A port at which connections are neither taken nor refused, as behind a firewall that drops: its queue is full."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        try:
            for _ in range(4):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(full.getsockname())
                waiting.append(one)
            yield full.getsockname()[1]
        finally:
            for one in waiting:
                one.close()


def certificate_paths(files: dict[str, str]) -> dict[str, Path]:
    """What ``Authority.certify`` returns, as what ``issue`` returns."""
    return {name: Path(path) for name, path in files.items()}
