"""Checks side by side: nothing hangs, nothing raises, nothing is left out; and a workspace in which all is well."""

import hashlib
import socket
import time
from pathlib import Path

import pytest

from src.doctor.checks import CHECKS
from src.doctor.finding import Level, exit_code, ok
from src.doctor.peer_answer import CONNECT_S
from src.doctor.run import examine
from src.doctor.workplace import Workplace
from src.exchange.membership import Greeting, SiteState
from src.exchange.state_lock import state_lock
from tests.src.doctor.workspace import dropping_port


def levels_of(findings):
    return {finding.check: finding.level for finding in findings}


def contents(folder: Path) -> dict:
    return {path: hashlib.sha256(path.read_bytes()).digest() for path in folder.rglob("*") if path.is_file()}


def test_a_workspace_in_order_is_found_in_order_and_left_as_it_was(workspace):
    with workspace.peer() as served:
        before = contents(workspace.folder)
        findings = workspace.findings()
        assert served.caller_states() == {}, "a question is remembered by nobody"
    assert {finding.level for finding in findings} == {Level.OK}, [it for it in findings if it.level is not Level.OK]
    assert exit_code(findings) == 0
    assert contents(workspace.folder) == before
    assert "peer site_b" in levels_of(findings)


def test_it_may_run_beside_the_site(workspace):
    with workspace.peer(), state_lock(Path("local_state/site_a")), socket.socket() as own:
        own.bind(("127.0.0.1", workspace.own_port))
        own.listen()
        findings = {finding.check: finding for finding in workspace.findings()}
    assert exit_code(findings.values()) == 0
    assert "this site is running" in findings["own port"].cause
    assert "the site is running" in findings["state folder"].cause


@pytest.mark.parametrize("content", ["", "[]", "a: [", "\x00", "collaborator: 3\n", "network: {settings: []}\n"])
def test_a_broken_plan_leaves_the_other_checks(workspace, content):
    (workspace.folder / "plan/plan.yaml").write_text(content)
    levels = levels_of(workspace.findings())
    assert levels["plan"] is Level.FAILED
    assert levels["python"] is levels["packages"] is Level.OK


def test_a_mistyped_setting_leaves_certificate_and_peers(workspace):
    plan = workspace.plan()
    plan["task_runner"]["settings"]["mistyped"] = 1
    with workspace.peer():
        workspace.write_plan(plan)
        findings = {finding.check: finding for finding in workspace.findings()}
    assert findings["plan"].level is findings["network"].level is Level.FAILED
    assert findings["certificate"].level is findings["dataset"].level is findings["own port"].level is Level.OK
    assert findings["peer site_b"].level is Level.NOT_CHECKED
    assert "it is there and certified" in findings["peer site_b"].cause


def test_a_plan_that_exchanges_nothing_needs_no_certificate_and_calls_nobody(workspace):
    plan = workspace.plan()
    plan["collaborator"]["settings"]["exchange"]["schedule"] = "none"
    workspace.write_plan(plan)
    for path in ("cert/cert_chain.crt", "cert/client/col_site_a.crt", "plan/peers.yaml"):
        (workspace.folder / path).unlink()
    findings = workspace.findings()
    assert exit_code(findings) == 0
    assert not [finding for finding in findings if finding.check.startswith("peer")]


def test_peers_that_do_not_answer_are_waited_for_at_once(workspace):
    plan, peers = workspace.plan(), workspace.peers()
    plan["collaborator"]["settings"]["roster"] = ["site_a", *(f"site_b{number}" for number in range(5))]
    with dropping_port() as port:
        peers["peers"] = {f"site_b{number}": f"127.0.0.1:{port}" for number in range(5)}
        workspace.write_plan(plan)
        workspace.write_peers(peers)
        began = time.monotonic()
        levels = levels_of(workspace.findings())
        assert time.monotonic() - began < 10
    assert [levels[f"peer site_b{number}"] for number in range(5)] == [Level.FAILED] * 5


def test_what_hangs_or_raises_has_failed_and_the_rest_is_said():
    def hangs(place):
        time.sleep(60)
        yield ok("hangs", "")

    def raises(place):
        yield ok("raises", "before")
        raise RuntimeError("broken\nin two lines")

    def fine(place):
        yield ok("fine", "well")

    began = time.monotonic()
    place = Workplace("site_a", Path("none.yaml"))
    findings = list(examine(place, [("hangs", hangs), ("raises", raises), ("fine", fine)], limit_s=0.5))
    assert time.monotonic() - began < 5
    assert [finding.level for finding in findings] == [Level.FAILED, Level.FAILED, Level.OK]
    assert "did not end within 0.5 s" in findings[0].cause
    assert "RuntimeError: broken in two lines" in findings[1].cause


def test_the_question_says_nothing_of_a_site_that_others_know_to_be_closed(workspace):
    with workspace.peer() as served:
        closed = Greeting(site="site_a", membership=served.membership, state=SiteState.CLOSED)
        served.greet("site_a", closed, wanted_round=None)
        workspace.findings()
        assert served.caller_states() == {"site_a": SiteState.CLOSED}


class SlowToLoad(Workplace):
    """As on a busy machine: what the run is made of takes its time to load."""

    LOADING_S = 5.0

    def _load(self) -> None:
        time.sleep(self.LOADING_S)
        super()._load()


@pytest.mark.slow
def test_peers_are_called_while_the_packages_load(workspace):
    with dropping_port() as port:
        workspace.write_peers({**workspace.peers(), "peers": {"site_b": f"127.0.0.1:{port}"}})
        began = time.monotonic()
        findings = {finding.check: finding for finding in examine(SlowToLoad("site_a", Path("plan/plan.yaml")), CHECKS)}
        took_s = time.monotonic() - began
    assert "a firewall on the way" in findings["peer site_b"].cause
    assert took_s < SlowToLoad.LOADING_S + CONNECT_S - 1, "one after the other they take the sum"


def test_slow_loading_is_no_fault_and_time_after_it_is_limited(workspace):
    class Slow(SlowToLoad):
        LOADING_S = 1.0

    def needs_the_packages(place):
        place.program  # noqa: B018
        yield ok("loaded", "they are there")

    def never_ends(place):
        place.program  # noqa: B018
        time.sleep(60)

    began = time.monotonic()
    place = Slow("site_a", Path("plan/plan.yaml"))
    first, second = examine(place, [("loaded", needs_the_packages), ("stuck", never_ends)], limit_s=0.5)
    assert first.level is Level.OK
    assert second.level is Level.FAILED and "did not end within 0.5 s" in second.cause
    assert time.monotonic() - began >= 1.5
