"""The ways to set a site up wrongly that the doctor must find: how each is made, and what is then said; also in the manual.

Each entry spoils a workspace in which all is well (``tests/src/doctor/workspace.py``); what must keep running meanwhile, a peer
or another program, stays so while the block is open.
"""

import json
import os
import resource
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk
import torch

from experiments.federation.plan import read_plan
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from src.doctor.finding import Level
from src.exchange.checkpoint import Checkpoints
from tests.conftest import sphere_case, write_sphere_dataset
from tests.src.doctor.workspace import (
    ROSTER,
    LastingAuthority,
    Workspace,
    certificate_paths,
    dropping_port,
    write_first_weights,
)

OTHER_DIGEST = "0" * 64


@dataclass(frozen=True)
class Misconfiguration:
    """One way to set it up wrongly.

    Attributes:
        wrong: in words, for the manual.
        check, level: of the line that says so.
        says: part of the cause.
        fix: part of what is to be typed or done.
        spoil: does it to a workspace.
    """

    wrong: str
    check: str
    level: Level
    says: str
    fix: str
    spoil: Callable

    @contextmanager
    def spoiled(self, workspace: Workspace) -> Iterator[None]:
        """Wrong inside the block."""
        with ExitStack() as stack:
            self.spoil(workspace, stack)
            yield


TABLE: list[Misconfiguration] = []


def found_as(wrong: str, check: str, says: str, fix: str, level: Level = Level.FAILED):
    """Enters what the decorated function does into the table."""

    def enter(spoil: Callable) -> Callable:
        TABLE.append(Misconfiguration(wrong, check, level, says, fix, spoil))
        return spoil

    return enter


def in_plan(change: Callable[[dict], None]) -> Callable:
    """Spoils the plan, after the peer has taken up its place in the right one."""

    def spoil(ws: Workspace, stack: ExitStack) -> None:
        plan = ws.plan()
        change(plan)
        ws.write_plan(plan)

    return spoil


# The machine's software.


@found_as("NumPy too new", "packages", "expected numpy >=1.26,<2.4, found 2.4.0", 'pip install "numpy>=1.26,<2.4"')
def numpy_too_new(ws, stack):
    fake = ws.folder / "fake/numpy-2.4.0.dist-info"
    fake.mkdir(parents=True)
    (fake / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 2.4.0\n")
    sys.path.insert(0, str(fake.parent))
    stack.callback(sys.path.remove, str(fake.parent))


@found_as("a package that is not installed", "packages", "found no a-package-that-is-not-there", "pip install")
def package_missing(ws, stack):
    with (ws.folder / "requirements.txt").open("a") as file:
        file.write("a-package-that-is-not-there>=1\n")


# Plan and name.


@found_as("the path of the plan mistyped", "plan", "expected a plan at 'plan/plan.yaml', found none", "ls plan/plan.yaml")
def plan_missing(ws, stack):
    (ws.folder / "plan/plan.yaml").unlink()


@found_as(
    "a setting of the plan mistyped",
    "plan",
    "unknown setting 'batchsize'; did you mean 'batch_size'?",
    "python -m src.plan_check",
)
def setting_mistyped(ws, stack):
    in_plan(lambda plan: plan["data_loader"]["settings"].update(batchsize=2))(ws, stack)


@found_as("a patch that the network cannot take", "network", "patch_voxels", "python -m src.plan_check")
def patch_does_not_fit(ws, stack):
    in_plan(lambda plan: plan["data_loader"]["settings"].update(patch_voxels=[17, 16, 16]))(ws, stack)


@found_as(
    "another name than the roster's",
    "site name",
    "expected one of the plan's roster (site_a, site_b), found site_x",
    "-n <name of the roster>",
)
def wrong_name(ws, stack):
    ws.site = "site_x"


@found_as("the name in capitals", "site name", "lower-case letters", "-n site_a")
def name_in_capitals(ws, stack):
    ws.site = "SITE_A"


@found_as("this site taken out of the roster", "site name", "found site_a", "send the same file to every site")
def not_in_roster(ws, stack):
    in_plan(lambda plan: plan["collaborator"]["settings"].update(roster=["site_b", "site_c"]))(ws, stack)


# Certificates.


@found_as("no certificate yet", "certificate", "found no such file", "fx collaborator generate-cert-request -n site_a")
def certificate_missing(ws, stack):
    (ws.folder / "cert/client/col_site_a.crt").unlink()


@found_as(
    "another site's certificate",
    "certificate",
    "found one of site_b",
    "openssl x509 -in cert/client/col_site_a.crt -noout -subject",
)
def certificate_of_another(ws, stack):
    ws.install(ws.authority.issue("site_b"))


@found_as(
    "a certificate with another alternative name",
    "certificate",
    "only alternative name",
    "fx collaborator generate-cert-request",
)
def alternative_name_differs(ws, stack):
    ws.install(ws.authority.issue("site_a", alternative=["site_a.example.org"]))


@found_as(
    "a certificate of another authority",
    "authority",
    "is not signed by the authority in",
    "openssl verify -CAfile cert/cert_chain.crt",
)
def wrong_authority(ws, stack):
    ws.install(LastingAuthority(ws.folder / "other").issue("site_a"))


@found_as("an authority's chain that is missing", "authority", "found no such file", "fx collaborator certify --import")
def chain_missing(ws, stack):
    (ws.folder / "cert/cert_chain.crt").unlink()


@found_as(
    "a certificate that has expired", "expiry", "this site's certificate expired on", "fx collaborator generate-cert-request"
)
def expired(ws, stack):
    ws.install(ws.authority.issue("site_a", expired=True))


@found_as("a certificate that expires soon", "expiry", "in 5 days", "fx collaborator generate-cert-request", Level.WARNING)
def expires_soon(ws, stack):
    files = certificate_paths(ws.authority.certify("site_a"))
    ws.authority.renew("site_a", days=5)
    ws.install(files)


@found_as("the key of another certificate", "private key", "is not the key of", "bring back the key that belongs to it")
def key_of_another(ws, stack):
    other = ws.authority.issue("site_a", file="again")
    shutil.copy(other["private_key"], ws.folder / "cert/client/col_site_a.key")


@found_as("a key that others can read", "private key", "mode 0644, expected 0600", "chmod 600 cert/client/col_site_a.key")
def key_readable(ws, stack):
    (ws.folder / "cert/client/col_site_a.key").chmod(0o644)


# Addresses and ports.


@found_as("the own port taken by another program", "own port", "taken by another program", "ss -ltnp 'sport = :")
def port_taken(ws, stack):
    other = stack.enter_context(socket.socket())
    other.bind(("127.0.0.1", ws.own_port))
    other.listen()


@found_as(
    "`listen` with another machine's address", "own port", "must be an address of this machine", 'listen: "0.0.0.0:50061"'
)
def listen_elsewhere(ws, stack):
    ws.write_peers({**ws.peers(), "listen": "192.0.2.17:50061"})


@found_as("a site without a line in `plan/peers.yaml`", "addresses", "peers.site_b: is missing", "nano plan/peers.yaml")
def peer_missing(ws, stack):
    ws.write_peers({**ws.peers(), "peers": {}})


@found_as("a site with two lines", "addresses", "expected each entry once, found ['site_b'] twice", "nano plan/peers.yaml")
def peer_twice(ws, stack):
    path = ws.folder / "plan/peers.yaml"
    path.write_text(path.read_text() + "  site_b: 127.0.0.1:50061\n")


@found_as(
    "a site that the plan does not know", "addresses", "peers.site_z: is not in the plan's roster", "nano plan/peers.yaml"
)
def peer_unknown(ws, stack):
    peers = ws.peers()
    ws.write_peers({**peers, "peers": {**peers["peers"], "site_z": None}})


@found_as("an address without a port", "addresses", "expected host:port", "nano plan/peers.yaml")
def address_without_port(ws, stack):
    ws.write_peers({**ws.peers(), "peers": {"site_b": "127.0.0.1"}})


@found_as(
    "a peer's port that nobody listens at", "peer site_b", "nobody listens at 127.0.0.1", "nc -vz 127.0.0.1", Level.WARNING
)
def peer_port_wrong(ws, stack):
    """The peer is not started at all."""


@found_as("a peer's host mistyped", "peer site_b", "the name site-b.invalid is not known here", "getent hosts site-b.invalid")
def peer_host_unknown(ws, stack):
    ws.write_peers({**ws.peers(), "peers": {"site_b": "site-b.invalid:50061"}})


@found_as(
    "a firewall that drops",
    "peer site_b",
    "a firewall on the way, or the machine is off",
    "ask both sites' network people to open TCP",
)
def firewall_drops(ws, stack):
    ws.write_peers({**ws.peers(), "peers": {"site_b": f"127.0.0.1:{stack.enter_context(dropping_port())}"}})


@found_as(
    "another program at the peer's port", "peer site_b", "hangs up on TLS: another program's port", "openssl s_client -connect"
)
def peer_is_another_program(ws, stack):
    other = stack.enter_context(socket.socket())
    other.bind(("127.0.0.1", ws.peer_port))
    other.listen()

    def hang_up() -> None:
        while True:
            try:
                other.accept()[0].close()
            except OSError:
                return

    threading.Thread(target=hang_up, daemon=True).start()
    stack.callback(other.shutdown, socket.SHUT_RDWR)


@found_as(
    "the address of another site", "peer site_b", "site_b shows a certificate that is not its own", "openssl s_client -connect"
)
def peer_is_another_site(ws, stack):
    stack.enter_context(ws.peer(name="site_c"))


@found_as(
    "a peer whose certificate another authority signed", "peer site_b", "not its own or not valid", "openssl verify -CAfile"
)
def peer_of_another_authority(ws, stack):
    stack.enter_context(ws.peer(authority=LastingAuthority(ws.folder / "other")))


@found_as(
    "`listen: null` at a site the others should call",
    "reachability",
    "listen: null",
    "reachability site_a: outbound",
    Level.WARNING,
)
def does_not_listen(ws, stack):
    stack.enter_context(ws.peer())
    ws.write_peers({**ws.peers(), "listen": None})


@found_as(
    "`null` for a site that can be called",
    "reachability",
    "site_b can be called (direct)",
    "write it into plan/peers.yaml",
    Level.WARNING,
)
def peer_without_address(ws, stack):
    ws.write_peers({**ws.peers(), "peers": {"site_b": None}})


@found_as(
    "sites that can never meet", "reachability", "these never meet: site_a (outbound); site_b (outbound)", "nano plan/plan.yaml"
)
def never_meet(ws, stack):
    table = {"site_a": "outbound", "site_b": "outbound"}
    in_plan(lambda plan: plan["collaborator"]["settings"]["exchange"].update(reachability=table))(ws, stack)


@found_as("a synchronised folder that is not mounted", "shared folder", "expected a folder at", "mount ")
def folder_not_mounted(ws, stack):
    in_plan(lambda plan: plan["collaborator"]["settings"]["exchange"].update(reachability=dict.fromkeys(ROSTER, "folder")))(
        ws, stack
    )
    ws.write_peers({"listen": None, "epoch": 1, "peers": {"site_b": None}, "folder": str(ws.folder / "not-mounted")})


# What must be the same everywhere.


@found_as(
    "another plan than the peer's", "peer site_b", "another federation than here", "sha256sum plan/plan.yaml at both sites"
)
def other_plan(ws, stack):
    stack.enter_context(ws.peer(federation_id="plan.yaml_00000000"))


@found_as(
    "another `run_id` than the peer's",
    "peer site_b",
    "another run, federation than here",
    "grep run_id plan/plan.yaml at both sites",
)
def other_run(ws, stack):
    stack.enter_context(ws.peer(federation_id="plan.yaml_00000000", run_id="run_0"))


@found_as(
    "another roster than the peer's",
    "peer site_b",
    "another roster, federation than here",
    "grep roster plan/plan.yaml at both sites",
)
def other_roster(ws, stack):
    stack.enter_context(ws.peer(federation_id="plan.yaml_00000000", roster_digest=OTHER_DIGEST))


@found_as(
    "other structures, or another table of them",
    "peer site_b",
    "another architecture than here",
    "plan/structures.yaml at both sites",
)
def other_structures(ws, stack):
    stack.enter_context(ws.peer(architecture_hash=OTHER_DIGEST))


@found_as(
    "other first weights than the peer's", "peer site_b", "another initial than here", "sha256sum save/init.pbuf at both sites"
)
def other_first_weights(ws, stack):
    stack.enter_context(ws.peer())
    write_first_weights(ws, factor=0.5)


@found_as(
    "no first weights",
    "first weights",
    "expected the weights that all sites begin with",
    "copy the coordinator's save/init.pbuf here",
)
def first_weights_missing(ws, stack):
    (ws.folder / "save/init.pbuf").unlink()


@found_as(
    "first weights of another network",
    "first weights",
    "are not of this plan's network",
    "fx plan initialize -p plan/plan.yaml",
)
def first_weights_of_another_network(ws, stack):
    in_plan(lambda plan: plan["task_runner"]["settings"]["network"].update(features=6))(ws, stack)


@found_as(
    "a clock that is minutes off", "clock", "site_b's is 300 s ahead of this one", "timedatectl set-ntp true", Level.WARNING
)
def clock_off(ws, stack):
    stack.enter_context(ws.peer(ahead_s=300))


# Patients.


@found_as(
    "no line for this site in `plan/data.yaml`",
    "dataset",
    "expected a line 'site_a,<path>'",
    "fx collaborator create -n site_a",
)
def not_in_data_config(ws, stack):
    (ws.folder / "plan/data.yaml").write_text("site_b,data/site_b\n")


@found_as(
    "a path without a dataset", "dataset", "found no dataset.json in it", "fx collaborator create -n site_a -d data/site_a"
)
def dataset_missing(ws, stack):
    (ws.folder / "plan/data.yaml").write_text("site_a,data\n")


@found_as(
    "a dataset of another anatomy",
    "dataset",
    "expected CTs of head_neck, as the plan, found a dataset of liver",
    "nano plan/data.yaml",
)
def other_anatomy(ws, stack):
    change_index(ws, lambda index: index.update(anatomy="liver"))


@found_as(
    "another site's dataset",
    "dataset",
    "expected the dataset of site_a, found one made at site_q",
    "fx collaborator create",
    Level.WARNING,
)
def dataset_of_another_site(ws, stack):
    change_index(ws, lambda index: index.update(site="site_q"))


@found_as("a dataset that was not split", "dataset", "no training case among 6", "python -m data_prep split data/site_a")
def no_training_case(ws, stack):
    change_index(ws, lambda index: [row.update(split=None) for row in index["cases"].values()])


@found_as("no case for validation", "dataset", "none for validation", "python -m data_prep split data/site_a", Level.WARNING)
def no_validation_case(ws, stack):
    change_index(ws, lambda index: [row.update(split="train") for row in index["cases"].values()])


@found_as(
    "a dataset that was copied in half", "dataset", "its CT is recorded and not there", "python -m data_prep check data/site_a"
)
def ct_missing(ws, stack):
    (ws.folder / "data/site_a/cases/site_a_00/ct.nii.gz").unlink()


@found_as(
    "a CT that is not one", "dataset", "ct.nii.gz is missing or not a NIfTI file", "python -m data_prep check data/site_a"
)
def ct_broken(ws, stack):
    (ws.folder / "data/site_a/cases/site_a_01/ct.nii.gz").write_bytes(b"spoiled")


@found_as(
    "contours of none of the plan's structures",
    "contours",
    "no training case has a contour of the plan",
    "python -m data_prep names",
)
def nothing_contoured(ws, stack):
    shutil.rmtree(ws.folder / "data/site_a")
    write_sphere_dataset(ws.folder / "data/site_a", structures=())


@found_as(
    "a structure that nobody contours",
    "structures",
    "Larynx: not contoured here, at none of the 1 peers",
    "leaves it out of structures",
    Level.WARNING,
)
def nobody_contours(ws, stack):
    in_plan(lambda plan: plan["data_loader"]["settings"]["structures"].append("Larynx"))(ws, stack)
    write_first_weights(ws)
    stack.enter_context(ws.peer())


@found_as(
    "a structure without a validation case",
    "contours",
    "nothing here judges Brainstem",
    "more validation cases of Brainstem",
    Level.WARNING,
)
def not_validated(ws, stack):
    shutil.rmtree(ws.folder / "data/site_a")
    writer = DatasetWriter(ws.folder / "data/site_a", anatomy="head_neck", site="site_a")
    for number, split in enumerate(("train", "valid")):
        ct, masks = sphere_case(number, ("Parotid_L", "Brainstem") if split == "train" else ("Parotid_L",))
        writer.add_case(f"case_{number}", ct, masks, split=split)


# What a run leaves and takes.


@found_as(
    "the state folder of another run",
    "state folder",
    "run_id run_0, expected run_1",
    "mv local_state/site_a local_state/site_a.before",
)
def state_of_another_run(ws, stack):
    save_state(ws, run_id="run_0")


@found_as("checkpoints that cannot be read", "state folder", "found none of 1", "raise epoch in plan/peers.yaml")
def state_spoiled(ws, stack):
    save_state(ws, run_id="run_1")
    (ws.folder / "local_state/site_a/checkpoint/checkpoint.safetensors").write_bytes(b"spoiled")


@found_as("a disk too small for the prepared cases", "disk", "needed", "link one of cache, save, local_state to a larger disk")
def disk_too_small(ws, stack):
    for path in (ws.folder / "data/site_a/cases").glob("*/ct.nii.gz"):
        widen(path)
    in_plan(lambda plan: plan["data_loader"]["settings"].update(spacing_mm=[0.1, 0.1, 0.1]))(ws, stack)


@found_as("a batch too large for the memory", "memory", "needed to train on the processor", "free -h")
def memory_too_small(ws, stack):
    in_plan(lambda plan: plan["data_loader"]["settings"].update(batch_size=10_000_000))(ws, stack)


@found_as("a GPU asked for and absent", "GPU", "CUDA_VISIBLE_DEVICES=99 asks for one", "nvidia-smi")
def gpu_absent(ws, stack):
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = "99"
    if before is None:
        stack.callback(os.environ.pop, "CUDA_VISIBLE_DEVICES")
    else:
        stack.callback(os.environ.__setitem__, "CUDA_VISIBLE_DEVICES", before)


@found_as("`/dev/shm` too small for `num_workers`", "shared memory", "/dev/shm has", "docker run --shm-size=")
def shared_memory_too_small(ws, stack):
    in_plan(lambda plan: plan["data_loader"]["settings"].update(num_workers=64, batch_size=100_000))(ws, stack)


@found_as("too few file handles", "file handles", "140 allowed, at least 144 needed", "ulimit -n 4096")
def too_few_handles(ws, stack):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (140, hard))
    stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))


# With an aggregator.


@found_as("an aggregator that does not run", "aggregator", "nobody listens at localhost", "nc -vz -w 5 localhost")
def aggregator_absent(ws, stack):
    with_aggregator(ws, "localhost")


@found_as(
    "the aggregator's name mistyped",
    "aggregator",
    "the name aggregator.invalid is not known here",
    "getent hosts aggregator.invalid",
)
def aggregator_unknown(ws, stack):
    with_aggregator(ws, "aggregator.invalid")


def with_aggregator(ws: Workspace, host: str) -> None:
    """Puts a plan with an aggregator in place, for the same structures."""
    plan, averaging = ws.plan(), read_plan("fedavg_head_neck")
    averaging["data_loader"], averaging["task_runner"]["settings"]["network"] = (
        plan["data_loader"],
        plan["task_runner"]["settings"]["network"],
    )
    averaging["network"]["settings"] |= {"agg_addr": host, "agg_port": ws.peer_port}
    ws.write_plan(averaging)


def change_index(ws: Workspace, change: Callable[[dict], object]) -> None:
    """Changes ``dataset.json``."""
    path = ws.folder / "data/site_a/dataset.json"
    index = json.loads(path.read_text())
    change(index)
    path.write_text(json.dumps(index))
    Dataset.open(path.parent)  # still a dataset, or the test shows something else


def save_state(ws: Workspace, run_id: str) -> None:
    """A checkpoint as a run of that id leaves it."""
    run = {"federation_id": ws.place().federation_id, "run_id": run_id}
    facts = {"round": 3, "sequence": 3, "closed": False, "learner": {}, "run": run}
    Checkpoints(Path("local_state/site_a/checkpoint")).save({"weights": torch.zeros(3)}, facts)


def widen(path: Path) -> None:
    """Makes the voxels of a CT 19 mm wide."""
    image = sitk.ReadImage(str(path))
    image.SetSpacing((19.0, 19.0, 19.0))
    sitk.WriteImage(image, str(path))
