"""plan/peers.yaml: read as written, or refused with the entry's name and what to write instead."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from src.errors import PlanSettingError
from src.exchange.address import split_address
from src.exchange.peers_file import PeersFile, read_peers

ROSTER = ["site_a", "site_b", "site_c"]
TEMPLATE = Path(__file__).resolve().parents[3] / "plan/peers.yaml"
GOOD = {"listen": "0.0.0.0:50061", "epoch": 2, "peers": {"site_b": "host-b.example.org:50061", "site_c": None}}


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "peers.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return read_peers(path, ROSTER, "site_a")

    return read


def test_a_file_is_read_as_written(read):
    assert read(GOOD) == PeersFile(**GOOD)


def test_a_site_may_serve_nothing(read):
    assert read({**GOOD, "listen": None}).listen is None


@pytest.mark.parametrize(
    ("changes", "entry"),
    [
        ({"listen": "0.0.0.0"}, "listen"),
        ({"listen": "0.0.0.0:0"}, "listen"),
        ({"listen": 50061}, "listen"),
        ({"epoch": 0}, "epoch"),
        ({"epoch": True}, "epoch"),
        ({"epoch": "1"}, "epoch"),
        ({"peers": None}, "peers"),
        ({"peers": ["site_b"]}, "peers"),
        ({"peers": {"site_b": None}}, "site_c"),
        ({"peers": {**GOOD["peers"], "site_d": None}}, "site_d"),
        ({"peers": {**GOOD["peers"], "site_a": None}}, "site_a"),
        ({"peers": {**GOOD["peers"], "site_b": "host:65536"}}, "site_b"),
        ({"peers": {**GOOD["peers"], "site_b": "https://host:50061"}}, "site_b"),
        ({"peers": {**GOOD["peers"], "site_b": "host"}}, "site_b"),
        ({"peers": {**GOOD["peers"], "site_b": False}}, "site_b"),
        ({"transport": "grpc"}, "transport"),
    ],
)
def test_an_impossible_entry_is_refused_by_name(read, changes, entry):
    with pytest.raises(PlanSettingError, match=entry):
        read({**GOOD, **changes})


@pytest.mark.parametrize("missing", list(GOOD))
def test_a_missing_entry_is_refused(read, missing):
    with pytest.raises(PlanSettingError, match="epoch, listen and peers"):
        read({name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize("content", ["", "just text", "peers: [", "peers: \x00"])
def test_what_is_no_such_file_is_refused(read, content):
    with pytest.raises(PlanSettingError, match=r"plan/peers\.yaml"):
        read(content)


def test_a_site_that_stands_there_twice_is_refused(read):
    with pytest.raises(PlanSettingError, match="site_b"):
        read("listen: null\nepoch: 1\npeers:\n  site_b: 'one:1'\n  site_c: null\n  site_b: 'two:2'\n")


def test_a_file_that_is_not_there_is_asked_for_without_naming_a_folder(tmp_path):
    with pytest.raises(PlanSettingError, match="expected this file") as refused:
        read_peers(tmp_path / "peers.yaml", ROSTER, "site_a")
    assert str(tmp_path) not in str(refused.value)


def test_the_template_asks_for_the_peers_of_a_roster_and_serves_a_site_alone():
    assert read_peers(TEMPLATE, ["site_a"], "site_a") == PeersFile(listen="0.0.0.0:50061", epoch=1, peers={})
    with pytest.raises(PlanSettingError, match="site_b: host:port"):
        read_peers(TEMPLATE, ROSTER, "site_a")


def test_the_example_in_the_template_is_one(tmp_path):
    lines = TEMPLATE.read_text().splitlines()
    example = [line.removeprefix("# ") for line in lines[lines.index("# peers:") :] if line.startswith("# ")]
    path = tmp_path / "peers.yaml"
    path.write_text("\n".join(["listen: null", "epoch: 1", *example]))
    assert read_peers(path, ["site_a", "site_b", "site_c", "site_d"], "site_a").peers["site_d"] is None


@given(st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True), st.integers(1, 65535))
def test_an_address_is_split_where_it_was_joined(host, port):
    assert split_address(f"{host}:{port}") == (host, port)
    assert split_address(f"[2001:db8::1]:{port}") == ("2001:db8::1", port)


@pytest.mark.parametrize(("entry", "folder"), [("/srv/shared", Path("/srv/shared")), ("shared", Path("shared")), (None, None)])
def test_a_synchronised_folder_may_be_named(read, entry, folder):
    assert read({**GOOD, "folder": entry}) == PeersFile(**GOOD, folder=folder)


@pytest.mark.parametrize("entry", ["", "  ", 7, True, ["shared"], {"path": "shared"}])
def test_a_folder_that_is_no_path_is_refused(read, entry):
    with pytest.raises(PlanSettingError, match="folder: expected the path"):
        read({**GOOD, "folder": entry})


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("peers: " + "[" * 600, "readable YAML"),
        ("a: &a [x, x]\nb: [*a, *a]\n", "a reference such as"),
        ('listen: null\nepoch: 1\npeers: {"\\e[2J": null, site_b: null, site_c: null}\n', "is not in the plan's roster"),
        ("".join(f"{number}{'x' * 500}: 1\n" for number in range(20)), "expected the entries"),
    ],
)
def test_what_is_made_to_do_harm_is_refused_in_a_short_sentence(tmp_path, content, found):
    path = tmp_path / "peers.yaml"
    path.write_text(content)
    with pytest.raises(PlanSettingError, match=found) as refused:
        read_peers(path, ["site_a", "site_b", "site_c"], "site_a")
    assert str(refused.value).isprintable() and len(str(refused.value)) < 1000
