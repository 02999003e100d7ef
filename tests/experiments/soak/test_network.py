"""Real TCP between two namespaces: what our network delays, loses, slows down, cuts and diverts."""

import pytest

from experiments.soak.line import GOOD, LineCondition
from experiments.soak.namespaces import Namespaces, NoNamespaces, address_of
from experiments.soak.network import Network
from tests.experiments.soak.namespaced import needs_namespaces, send, serve

A, B, C = (address_of(number) for number in range(3))


@pytest.fixture(scope="module")
def line():
    """Three namespaces; the second counts bytes. Gives them, and the network between."""
    addresses = {"a": A, "b": B, "c": C}
    with Namespaces(addresses, {"c": [B]}) as namespaces, Network(addresses, namespaces.files, seed=1) as network:
        servers = [serve(namespaces, "b"), serve(namespaces, "c")]
        yield namespaces, network
        for server in servers:
            server.kill()
            server.wait()


@pytest.fixture
def quiet(line):
    """The same, as it was."""
    yield line
    line[1].set_line("b", GOOD)
    line[1].set_apart([])
    line[1].set_owner("b", "b")


@needs_namespaces
def test_latency_holds_for_each_direction(quiet):
    namespaces, network = quiet
    network.set_line("b", LineCondition(latency_s=0.2))
    connected_s, _ = send(namespaces, "a", B, 1)
    assert 0.4 <= connected_s < 0.8, "there and back"


@needs_namespaces
def test_a_rate_is_kept(quiet):
    namespaces, network = quiet
    network.set_line("b", LineCondition(rate_bits_per_s=4e6))
    _, seconds = send(namespaces, "a", B, 500_000)
    assert 1.0 <= seconds < 2.0, "4 Mbit take a second on a line of 4 Mbit/s, headers beside"


@needs_namespaces
def test_of_many_packets_the_share_is_lost_and_tcp_brings_all_the_same(quiet):
    namespaces, network = quiet
    before = network.count()
    network.set_line("b", LineCondition(loss=0.05))
    assert send(namespaces, "a", B, 2_000_000, timeout_s=30) is not None
    since = {name: number - before.get(name, 0) for name, number in network.count().items()}
    share = since["lost"] / (since["lost"] + since["passed"])
    assert since["passed"] > 1000 and 0.03 < share < 0.07


@needs_namespaces
def test_who_is_apart_is_not_reached_and_found_again_afterwards(quiet):
    namespaces, network = quiet
    network.set_apart([["b"]])
    assert send(namespaces, "a", B, 1, timeout_s=0.5) is None
    network.set_apart([["a", "b"]])
    assert send(namespaces, "a", B, 1) is not None, "cut off together"
    network.set_apart([])
    assert send(namespaces, "a", B, 1) is not None


@needs_namespaces
def test_somebody_else_can_answer_at_an_address(quiet):
    namespaces, network = quiet
    passed = network.count()["passed"]
    network.set_owner("b", "c")
    network.set_apart([["b"]])  # so that it can only be the other
    assert send(namespaces, "a", B, 1000) is not None
    assert network.count()["passed"] > passed


def test_a_machine_without_namespaces_says_so_and_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # no command ip
    namespaces = Namespaces({"a": A})
    with pytest.raises(NoNamespaces, match=r"needs Linux, root, the command 'ip' and /dev/net/tun"):
        namespaces.__enter__()
    assert namespaces.files == {}
