"""A site's line to the aggregator, over real mutual TLS."""

import signal
import threading
import time

import numpy as np
import pytest

from src.aggregator_link import AggregatorLink
from src.errors import AggregatorRefused, AggregatorUnreachable
from tests.src.certificates import Authority
from tests.src.small_federation import TRAIN, VALIDATE, aggregator_in, encode, network
from tests.src.small_server import client_of, free_port, process_of_its_own, serving, wait_until_listening, within

PATIENCE_S = 3
SLACK_S = 5  # a busy machine's


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki") / "ours")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki") / "theirs")


@pytest.fixture(scope="module")
def server_certificate(authority):
    return authority.certify("localhost")


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.certify("site_a")


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def aggregator(tmp_path):
    return aggregator_in(tmp_path, ("site_a", "site_b"))


@pytest.fixture
def running(aggregator, port, server_certificate, monkeypatch):
    monkeypatch.setattr("openfl.transport.grpc.aggregator_server.random", lambda: 0.1)  # of the 5 s before a refusal
    with serving(aggregator, port, server_certificate):
        yield aggregator


def ask(port, site, certificate, **changes):
    link = AggregatorLink(client_of(port, site, certificate, **changes), PATIENCE_S)
    return within(PATIENCE_S + SLACK_S, link.get_tasks)


def test_everything_a_collaborator_does_goes_through(running, port, certificate):
    link = AggregatorLink(client_of(port, "site_a", certificate), PATIENCE_S)
    link.ping()
    tasks, round_number, _, leave = link.get_tasks()
    assert ([task.name for task in tasks], round_number, leave) == ([VALIDATE, TRAIN], 0, False)
    tensor = link.get_aggregated_tensor("head.bias", 0, False, ("model",), True)
    assert np.frombuffer(tensor.data_bytes, np.float32).tolist() == [1.0, 1.0]
    counts = {"train_cases/00/Liver": 1.0, "train_cases/01/Spleen": 1.0}
    for _ in range(2):  # a repeat after a lost answer does no harm
        link.send_local_task_results(0, TRAIN, 1, encode({**network(2.0), **counts}, 0))
    assert [task.name for task in link.get_tasks()[0]] == [VALIDATE]


def test_a_name_the_certificate_does_not_carry(running, port, certificate):
    error = ask(port, "site_b", certificate).error
    assert isinstance(error, AggregatorRefused)
    assert "'site_b'" in str(error) and "cols.yaml" in str(error)


def test_a_site_that_is_not_on_the_list(running, port, authority):
    error = ask(port, "site_c", authority.certify("site_c")).error
    assert isinstance(error, AggregatorRefused) and "site_c" in str(error)


def test_another_federation(running, port, certificate):
    error = ask(port, "site_a", certificate, federation_uuid="plan.yaml_2").error
    assert isinstance(error, AggregatorRefused)
    assert "another federation" in str(error) and "plan.yaml_2" in str(error)


def test_an_aggregator_certified_by_another_authority_is_refused_at_once(running, port, foreign):
    link = AggregatorLink(client_of(port, "site_a", foreign.certify("site_a")), give_up_after_s=600)
    error = within(60, link.get_tasks).error
    assert isinstance(error, AggregatorRefused) and "cert_chain.crt" in str(error)


def test_an_address_the_certificate_was_not_made_for(running, port, certificate):
    error = ask(port, "site_a", certificate, agg_addr="127.0.0.1").error
    assert isinstance(error, AggregatorRefused) and "127.0.0.1" in str(error)


def test_a_certificate_the_aggregator_does_not_trust(running, port, authority, foreign):
    # TLS 1.3 ends the client's handshake before the server has looked: it sees a closed socket, and can only guess.
    mixed = {**foreign.certify("site_a"), "root_certificate": str(authority.chain)}
    error = ask(port, "site_a", mixed).error
    assert isinstance(error, AggregatorUnreachable) and "col_site_a.crt" in str(error)


def test_nobody_there(port, certificate):
    began = time.monotonic()
    error = ask(port, "site_a", certificate).error
    assert isinstance(error, AggregatorUnreachable)
    assert f"localhost:{port}" in str(error) and f"{PATIENCE_S} s" in str(error)
    assert PATIENCE_S - 2 < time.monotonic() - began < PATIENCE_S + SLACK_S


def test_gone_for_good(aggregator, port, certificate, server_certificate):
    link = AggregatorLink(client_of(port, "site_a", certificate), PATIENCE_S)
    with serving(aggregator, port, server_certificate):
        link.get_tasks()
    assert isinstance(within(PATIENCE_S + SLACK_S, link.get_tasks).error, AggregatorUnreachable)


def test_gone_for_a_moment(aggregator, port, certificate, server_certificate):
    link = AggregatorLink(client_of(port, "site_a", certificate), 15)
    with serving(aggregator, port, server_certificate):
        link.get_tasks()
    answer = []
    asking = threading.Thread(target=lambda: answer.append(link.get_tasks()), daemon=True)
    asking.start()
    time.sleep(1.5)
    with serving(aggregator, port, server_certificate):
        asking.join(15)
    assert [task.name for task in answer[0][0]] == [VALIDATE, TRAIN]


def test_an_aggregator_that_starts_late(tmp_path, port, certificate, server_certificate):
    """gRPC works on a connection only while somebody waits for it: sleeping between tries, a site never got through.

    Only another process shows it; in this one, the server's threads would work on the site's connection too.
    """
    link = AggregatorLink(client_of(port, "site_a", certificate), 300)
    answer = []
    threading.Thread(target=lambda: answer.append(link.get_tasks()), daemon=True).start()
    with process_of_its_own(tmp_path, port, server_certificate) as process:
        wait_until_listening(port, 240)
        deadline = time.monotonic() + 15
        while not answer and time.monotonic() < deadline:
            time.sleep(0.1)
        assert answer, "no answer 15 s after the aggregator began to listen"
        # It is a real process, and starting another takes long: how it ends when it is told to is looked at here too.
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 11
        said = process.stderr.read()
        assert "Stopped: stopped by SIGTERM; the average of the last finished round" in said and "Traceback" not in said


def test_connected_and_never_answered(running, port, certificate, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(running, "get_tasks", lambda site: release.wait(30))
    error = ask(port, "site_a", certificate).error
    release.set()
    assert isinstance(error, AggregatorUnreachable) and "DEADLINE_EXCEEDED" in str(error)


def test_an_aggregator_that_has_failed_says_so(running, port, certificate):
    running._failure = RuntimeError("disk full")
    error = ask(port, "site_a", certificate).error
    assert isinstance(error, AggregatorRefused) and "disk full" in str(error)
