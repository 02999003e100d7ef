"""The command, in a workspace with a plan, certificates and first weights; beside a peer that runs."""

import io
import json
from contextlib import contextmanager

import pytest
import yaml
from rich.console import Console

from experiments.federation.plan import change_plan, free_ports, read_plan
from src.errors import PlanSettingError
from src.exchange.ledger import Ledger
from src.exchange.outbox import Outbox
from src.exchange.peers_file import PeersFile
from src.exchange.served import ServedSite
from src.exchange.server import ExchangeServer
from src.model.card import write_model
from src.model.state import network_state
from src.plan_check import build_task_runner
from src.status.__main__ import main, show
from src.status.asker import addresses_of, read_asker
from tests.src.exchange.small_snapshots import STRUCTURES
from tests.src.exchange.tls import ExchangeAuthority
from tests.src.status.status_federation import StatusFederation

PAIR = ["site_a", "site_b"]
CHANGES = [
    "collaborator.settings.roster=[site_a, site_b]",
    "collaborator.settings.init_state_path=save/init.safetensors",
    "aggregator.settings.init_state_path=save/init.safetensors",
    "data_loader.settings.structures=[Liver, Spleen]",
    "data_loader.settings.patch_voxels=[16, 16, 16]",
    "task_runner.settings.network.features=4",
    "task_runner.settings.network.arguments.channels=[4, 8]",
    "task_runner.settings.network.arguments.strides=[2]",
    "task_runner.settings.network.arguments.num_res_units=0",
]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """site_a's, with all that ``fx`` puts there; the working folder of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (tmp_path / "plan").mkdir()
    plan = read_plan("gossip_phantom")
    change_plan(plan, CHANGES)
    (tmp_path / "plan" / "plan.yaml").write_text(yaml.safe_dump(plan))
    authority, ports = ExchangeAuthority(tmp_path / "cert"), free_ports(2)
    (tmp_path / "cert" / "client").mkdir()
    for site in PAIR:
        authority.issue(site, file=f"client/col_{site}")
    address = {site: f"127.0.0.1:{port}" for site, port in zip(PAIR, ports, strict=True)}
    peers = {"listen": address["site_a"], "epoch": 1, "peers": {"site_b": address["site_b"]}}
    (tmp_path / "plan" / "peers.yaml").write_text(yaml.safe_dump(peers))
    runner = build_task_runner(plan)
    (tmp_path / "save").mkdir()
    write_model(tmp_path / "save" / "init.safetensors", runner.card(), network_state(runner.network))
    return tmp_path


@contextmanager
def peer_running(workspace, asker):
    """site_b, of the same plan."""
    state = workspace / "state_b"
    outbox, ledger = Outbox(state / "outbox", keep=1), Ledger(state / "ledger.json")
    site = ServedSite("site_b", PAIR, asker.membership, outbox, ledger, {"Liver": 3, "Spleen": 0})
    files = {
        "certificate": workspace / "cert" / "client" / "col_site_b.crt",
        "private_key": workspace / "cert" / "client" / "col_site_b.key",
        "root_certificate": workspace / "cert" / "cert_chain.crt",
    }
    server = ExchangeServer(site, bind_address=asker.addresses["site_b"], roster=PAIR, max_pulls=1, **files)
    server.start()
    try:
        yield site
    finally:
        server.stop(0)


def test_the_command_asks_with_what_the_plan_says(workspace, capsys):
    asker = read_asker("site_a", workspace / "plan" / "plan.yaml")
    assert (asker.structures, asker.rounds, asker.timeout_s) == (("Liver", "Spleen"), 10, 5.0)
    assert asker.membership.federation_id.startswith("plan.yaml_")
    with peer_running(workspace, asker), pytest.raises(SystemExit) as ended:
        main(["-n", "site_a", "--json"])
    facts = json.loads(capsys.readouterr().out)
    assert (ended.value.code, facts["missing"]) == (0, [])
    assert facts["sites"]["site_b"]["train_cases"] == {"Liver": 3, "Spleen": 0}
    assert facts["sites"]["site_a"]["answer"] == "not running"
    # Gone now.
    with pytest.raises(SystemExit) as ended:
        main(["-n", "site_a"])
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert "site_b: unreachable; last sign of life" in said.out and "Traceback" not in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-n", "site_x"], "expected this site's name 'site_x', found site_a, site_b"),
        (["-n", "site_a", "-p", "plan/none.yaml"], "expected a plan at 'plan/none.yaml', found none that can be read"),
        (["-n", "site_a", "-p", "server.yaml"], "expected a plan without an aggregator"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(workspace, capsys, arguments, words):
    (workspace / "server.yaml").write_text(yaml.safe_dump(read_plan("fedavg_phantom")))
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr().err
    assert ended.value.code == PlanSettingError.exit_code
    assert words in said and "Traceback" not in said


@pytest.mark.parametrize("arguments", [[], ["-n", "site_a", "--every", "0"], ["-n", "site_a", "--every", "nan"]])
def test_a_mistyped_command_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("listen", "own"),
    [
        ("0.0.0.0:50061", "127.0.0.1:50061"),
        ("[::]:50061", "[::1]:50061"),
        ("[2001:db8::1]:7", "[2001:db8::1]:7"),
        ("oar.example.org:7", "oar.example.org:7"),
    ],
)
def test_a_site_is_called_where_it_listens(listen, own):
    peers = PeersFile(listen=listen, epoch=1, peers={"site_b": None})
    assert addresses_of("site_a", peers) == {"site_b": None, "site_a": own}
    assert addresses_of("site_a", PeersFile(listen=None, epoch=1, peers={"site_b": None})) == {"site_b": None}


def test_a_plan_that_exchanges_nothing_shows_this_site_alone(tmp_path):
    asker = StatusFederation(tmp_path).asker(roster=("site_a",), addresses={})
    file = io.StringIO()
    assert show(asker, watch=False, as_json=True, console=Console(file=file)) == 0
    assert list(json.loads(file.getvalue())["sites"]) == ["site_a"]


class Interrupting(io.StringIO):
    """A file at which somebody types Ctrl-C after so many overviews."""

    def __init__(self, overviews: int) -> None:
        super().__init__()
        self.left = overviews

    def flush(self) -> None:
        if self.getvalue().count("\n") >= self.left:
            raise KeyboardInterrupt


def test_watching_goes_on_until_ctrl_c_and_ends_with_what_was_found_last(tmp_path):
    federation = StatusFederation(tmp_path)
    file = Interrupting(overviews=3)
    with federation.serving(federation.site("site_b", dict.fromkeys(STRUCTURES, 1))):
        asker = federation.asker(timeout_s=1.0)
        assert show(asker, watch=True, as_json=True, every_s=0.01, console=Console(file=file)) == 1
    overviews = [json.loads(line) for line in file.getvalue().splitlines()]
    assert len(overviews) == 3 and all(entry["missing"] == ["site_c"] for entry in overviews)
