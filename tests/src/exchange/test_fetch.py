"""One peer's model, or the one reason why not; whatever comes, our own model and the inbox stay as they were."""

import hashlib
import json
import threading
import time
from dataclasses import replace

import pytest
import torch

from experiments.toy_learner import timing_settings
from src.exchange.fetch import CLOSING, Fetcher
from src.exchange.in_memory import InMemoryNetwork, InMemoryTransport
from src.exchange.inbox import Inbox, Outcome
from src.exchange.ledger import Ledger
from src.exchange.membership import Description, SiteState
from src.exchange.snapshot import write_snapshot
from tests.src.exchange.small_snapshots import STRUCTURES, bits_of, facts, manifest, payload, sealed
from tests.src.exchange.tls import MEMBERSHIP, greeting_of

OURS = replace(MEMBERSHIP, architecture_hash="a" * 64)
FACTS = dict(site="site_b", federation_id=OURS.federation_id, run_id=OURS.run_id, architecture_hash=OURS.architecture_hash)


def model(scale: float = 1.0, values: int = 600) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "conv.weight": scale * torch.randn(4, values // 4, generator=generator),
        "bias": scale * torch.randn(5, generator=generator),
        "steps": torch.tensor(3),
    }


def written(folder, tensors=None, **changes) -> bytes:
    """A snapshot as site_b writes it, but for some entries of its manifest."""
    path = folder / "written"
    write_snapshot(path, manifest(**{**FACTS, **changes}), model(1.1) if tensors is None else tensors, "float32")
    return path.read_bytes()


class Peer:
    """A ``Service`` that says and sends what a test tells it to.

    Args:
        folder: its disk.
        content: the bytes it sends.
        described: entries of its description that are not what a sincere site would say.
    """

    def __init__(self, folder, content: bytes | None = None, **described) -> None:
        self.path, self.described, self.sent_bytes = folder / "offered", described, 0
        self.offer(written(folder) if content is None else content)
        self.after_piece = lambda: None

    def offer(self, content: bytes, **described) -> None:
        self.path.write_bytes(content)
        self.described |= described

    def greet(self, caller, greeting, *, wanted_round):
        content = self.path.read_bytes()
        told = dict(
            site="site_b",
            membership=OURS,
            state=SiteState.TRAINING,
            round=2,
            epoch=1,
            sequence=3,
            snapshot_round=2,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            train_cases={"Brainstem": 4},
        )
        return Description(**{**told, **self.described})

    def open_snapshot(self, caller, greeting, sha256):
        return self.path

    def count_sent(self, caller, num_bytes):
        self.sent_bytes += num_bytes
        self.after_piece()


class Site:
    """site_a: its model, its inbox, and what it asks peers with."""

    def __init__(self, folder, own=None, **timing) -> None:
        self.network, self.own, self.folder = InMemoryNetwork(), own or model(), folder / "site_a"
        self.ledger = Ledger(self.folder / "ledger.json")
        self.inbox = Inbox(self.folder / "inbox")
        self.fetcher = Fetcher(
            membership=OURS,
            structures=STRUCTURES,
            own_tensors=lambda: self.own,
            transport=InMemoryTransport(self.network, "site_a"),
            ledger=self.ledger,
            inbox=self.inbox,
            greeting=lambda: replace(greeting_of("site_a"), membership=OURS),
            timing=timing_settings(**timing),
        )

    def ask(self, peer=None, exchange: int = 0, **wanted) -> Outcome:
        if peer is not None:
            self.network.register("site_b", peer)
        return self.fetcher.fetch("site_b", 0.5, exchange, **wanted)

    def in_inbox(self) -> list[str]:
        return sorted(path.name for path in self.inbox.folder.iterdir())


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "site_b"
    folder.mkdir()
    return folder


def test_a_good_model_is_received_spooled_and_read_bit_for_bit(tmp_path, disk):
    site, peer = Site(tmp_path), Peer(disk)
    outcome = site.ask(peer)
    assert (outcome.outcome, outcome.reason, outcome.detail, outcome.state) == ("received", "", "", "training")
    assert outcome.received_bytes == peer.sent_bytes == peer.path.stat().st_size
    assert site.in_inbox() == [outcome.file]
    assert site.ledger.newest("site_b") == (1, 3)
    found = site.fetcher.open(outcome)
    assert (found.weight, found.manifest.site, found.manifest.round) == (0.5, "site_b", 2)
    first, again, expected = found.read(), found.read(), model(1.1)
    for name, tensor in expected.items():
        assert torch.equal(bits_of(first[name]), bits_of(tensor))
    first["bias"].zero_()
    assert again["bias"].any() and found.read()["bias"].any(), "in memory of their own"


def not_finite() -> bytes:
    spoiled = model(1.1)
    spoiled["bias"][2] = float("nan")
    return sealed(facts(**FACTS), payload(spoiled))


def of_shape(*shape: int) -> bytes:
    return sealed(facts(**FACTS), payload({**model(1.1), "bias": torch.ones(*shape)}))


# What is offered, made from the peer's disk; and the one reason it is refused with.
UNFIT = {
    "nan": (lambda disk: Peer(disk, not_finite()), "not_finite"),
    "huge": (lambda disk: Peer(disk, written(disk, model(1e3))), "norm"),
    "tiny": (lambda disk: Peer(disk, written(disk, model(1e-3))), "norm"),
    "one huge tensor": (lambda disk: Peer(disk, written(disk, {**model(), "bias": torch.full((5,), 40.0)})), "norm"),
    "other shape": (lambda disk: Peer(disk, of_shape(5, 1)), "shape"),
    "other size": (lambda disk: Peer(disk, of_shape(6)), "oversized"),
    "a tensor missing": (lambda disk: Peer(disk, sealed(facts(**FACTS), payload({"bias": torch.ones(5)}))), "truncated"),
    "a site's snapshot that is not its own": (lambda disk: Peer(disk, written(disk, site="site_c")), "name"),
    "last month's run": (lambda disk: Peer(disk, written(disk, run_id="last month")), "run"),
    "another federation's": (lambda disk: Peer(disk, written(disk, federation_id="other")), "federation"),
    "another architecture's": (lambda disk: Peer(disk, written(disk, architecture_hash="b" * 64)), "architecture"),
    "other structures": (
        lambda disk: Peer(disk, sealed(facts(**FACTS, train_cases={"Heart": 1}), payload(model()))),
        "manifest",
    ),
    "an older one than described": (lambda disk: Peer(disk, written(disk, sequence=2)), "replay"),
    "of another round than described": (lambda disk: Peer(disk, written(disk, round=1)), "replay"),
    "of another epoch than described": (lambda disk: Peer(disk, written(disk, epoch=2)), "replay"),
    "no snapshot at all": (lambda disk: Peer(disk, b"\x80\x04\x95 a pickle"), "format"),
    "half a snapshot": (lambda disk: Peer(disk, written(disk)[:-40]), "truncated"),
    "more than a snapshot": (lambda disk: Peer(disk, written(disk) + b"more"), "oversized"),
    "other bytes than described": (lambda disk: Peer(disk, sha256="0" * 64), "digest"),
    "fewer bytes than described": (lambda disk: Peer(disk, size_bytes=len(written(disk)) + 1), "size"),
    "more bytes than described": (lambda disk: Peer(disk, size_bytes=len(written(disk)) - 1), "size"),
    "bytes without end": (lambda disk: Peer(disk, size_bytes=10**12), "size"),
    "a site that says it is another": (lambda disk: Peer(disk, site="site_c"), "name"),
    "a site of last month's run": (lambda disk: Peer(disk, membership=replace(OURS, run_id="0")), "run"),
    "a site of other first weights": (lambda disk: Peer(disk, membership=replace(OURS, initial_digest="0")), "initial"),
    "a round that cannot be": (lambda disk: Peer(disk, round=-1), "range"),
    "a digest that would leave the folder": (lambda disk: Peer(disk, sha256="../../checkpoint"), "digest"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_is_unfit_is_refused_for_one_reason_and_leaves_nothing(tmp_path, disk, case):
    make, reason = UNFIT[case]
    site, peer = Site(tmp_path), make(disk)
    before = {name: tensor.clone() for name, tensor in site.own.items()}
    outcome = site.ask(peer)
    assert (outcome.outcome, outcome.reason, outcome.file) == ("refused", reason, ""), outcome.detail
    assert "site_b" in outcome.detail or reason not in ("name", "replay", "run"), "it says whose it was"
    assert str(tmp_path) not in outcome.detail
    assert outcome.received_bytes <= peer.sent_bytes
    assert all(torch.equal(bits_of(site.own[name]), bits_of(tensor)) for name, tensor in before.items())
    assert site.in_inbox() == []
    assert site.ledger.newest("site_b") == (0, 0)
    assert site.ask(Peer(disk), exchange=1).outcome == "received", "the next exchange works"


@pytest.mark.parametrize("case", ["nan", "huge", "other bytes than described", "last month's run"])
def test_bytes_that_came_for_nothing_are_counted_too(tmp_path, disk, case):
    peer = UNFIT[case][0](disk)
    assert Site(tmp_path).ask(peer).received_bytes == peer.sent_bytes == peer.path.stat().st_size


def test_a_peer_that_changes_its_model_after_describing_it_is_refused_once(tmp_path, disk):
    site, peer = Site(tmp_path), Peer(disk)
    described = peer.greet("site_a", None, wanted_round=None)
    peer.greet = lambda *_, **__: described
    peer.offer(written(disk, sequence=4, round=3))
    outcome = site.ask(peer)
    assert (outcome.outcome, outcome.reason) == ("refused", "digest")
    assert site.in_inbox() == []


def test_an_old_sequence_is_a_replay_and_other_bytes_of_the_same_too(tmp_path, disk):
    site = Site(tmp_path)
    assert site.ask(Peer(disk)).outcome == "received"
    held = site.in_inbox()
    for number, unfit in enumerate(
        (
            Peer(disk, written(disk, sequence=2, round=1), sequence=2, snapshot_round=1),
            Peer(disk, written(disk, model(1.2))),
            Peer(disk, written(disk, sequence=2), sequence=2, state=SiteState.FINISHED),
        ),
        start=1,
    ):
        outcome = site.ask(unfit, exchange=number)
        assert (outcome.outcome, outcome.reason, outcome.received_bytes) == ("refused", "replay", 0)
    assert site.in_inbox() == held
    assert site.ask(Peer(disk, written(disk, sequence=4), sequence=4), exchange=4).outcome == "received"


def test_nothing_new_is_no_fault(tmp_path, disk):
    site = Site(tmp_path)
    nothing = dict(sequence=0, epoch=0, snapshot_round=0, sha256="", size_bytes=0)
    outcome = site.ask(Peer(disk, **nothing))
    assert (outcome.outcome, outcome.reason, outcome.state) == ("nothing_new", "nothing_yet", "training")
    assert site.ask(Peer(disk)).outcome == "received"
    outcome = site.ask(exchange=1)
    assert (outcome.outcome, outcome.reason, outcome.received_bytes) == ("nothing_new", "seen", 0)


def test_at_the_end_a_model_may_be_one_that_was_learnt_from_and_is_not_fetched_twice(tmp_path, disk):
    site = Site(tmp_path)
    assert site.ask(Peer(disk, state=SiteState.FINISHED)).outcome == "received"
    assert site.ask(exchange=7).reason == "seen"
    outcome = site.ask(exchange=CLOSING)
    assert (outcome.outcome, outcome.received_bytes, outcome.state) == ("received", 0, "finished")


def test_at_the_end_a_model_may_be_older_than_the_newest_but_not_of_an_epoch_that_is_over(tmp_path, disk):
    site = Site(tmp_path)
    assert site.ask(Peer(disk, written(disk, epoch=2), epoch=2)).outcome == "received"
    older = Peer(disk, written(disk, epoch=2, sequence=1, round=1), epoch=2, sequence=1, snapshot_round=1)
    assert site.ask(older, exchange=CLOSING, wanted_round=1).outcome == "received"
    outcome = site.ask(Peer(disk, written(disk, sequence=9), sequence=9), exchange=CLOSING)
    assert (outcome.outcome, outcome.reason) == ("refused", "replay")
    assert site.ledger.newest("site_b") == (2, 3), "and exchanges go on from what they have seen"


def test_who_is_not_there_is_unreachable_in_words(tmp_path):
    outcome = Site(tmp_path).ask()
    assert (outcome.outcome, outcome.reason, outcome.state) == ("unreachable", "unreachable", "")
    assert "site_b cannot be reached" in outcome.detail


# One particular round.


def test_a_round_that_is_not_there_yet_is_waited_for(tmp_path, disk):
    site = Site(tmp_path)
    peer = Peer(disk, sequence=0, epoch=0, snapshot_round=0, sha256="", size_bytes=0)
    timer = threading.Timer(0.4, lambda: setattr(peer, "described", {}))
    timer.start()
    outcome = site.ask(peer, wanted_round=2)
    timer.join()
    assert outcome.outcome == "received"
    assert outcome.seconds >= 0.3


@pytest.mark.parametrize("there", [True, False])
def test_a_round_that_never_comes_is_waited_for_as_long_as_the_plan_says(tmp_path, disk, there):
    site = Site(tmp_path, round_wait_s=0.5)
    peer = Peer(disk, sequence=0, epoch=0, snapshot_round=0, sha256="", size_bytes=0) if there else None
    began = time.monotonic()
    outcome = site.ask(peer, wanted_round=2)
    assert 0.5 <= time.monotonic() - began < 5
    assert (outcome.outcome, outcome.reason) == ("unreachable", "unreachable")
    assert "waited 0.5 s" in outcome.detail


def test_a_peer_that_goes_between_its_answer_and_the_pull_and_comes_back_is_waited_for(tmp_path, disk):
    """Killed and restarted in the middle of our exchange: in lock-step a lost exchange would be another result."""
    site, peer = Site(tmp_path, large()), Peer(disk, written(disk, large(1.1)))
    breaks = iter([True] * 3)
    comes_back = threading.Event()

    def go_and_come_back():
        if next(breaks, False):
            site.network.take_offline("site_b")
            threading.Timer(0.2, lambda: (site.network.bring_online("site_b"), comes_back.set())).start()

    peer.after_piece = go_and_come_back
    outcome = site.ask(peer, wanted_round=2)
    assert comes_back.is_set() and next(breaks, None) is None
    assert outcome.outcome == "received"
    assert outcome.received_bytes == peer.sent_bytes == peer.path.stat().st_size, "all tries together"


def test_a_peer_that_answers_with_another_round_is_refused(tmp_path, disk):
    outcome = Site(tmp_path).ask(Peer(disk), wanted_round=1)
    assert (outcome.outcome, outcome.reason, outcome.received_bytes) == ("refused", "round", 0)
    assert "asked for its model of round 1, it offers 2" in outcome.detail


# Lines that break; a snapshot of several pieces.


def large(scale: float = 1.0) -> dict[str, torch.Tensor]:
    return model(scale, values=800_000)


def test_a_broken_pull_is_taken_up_and_no_byte_is_fetched_or_counted_twice(tmp_path, disk):
    site, peer = Site(tmp_path, large()), Peer(disk, written(disk, large(1.1)))
    peer.after_piece = lambda: site.network.take_offline("site_b")
    outcomes = []
    while not outcomes or outcomes[-1].outcome == "unreachable":
        site.network.bring_online("site_b")
        outcomes.append(site.ask(peer))
    assert [outcome.outcome for outcome in outcomes] == ["unreachable"] * (len(outcomes) - 1) + ["received"]
    assert len(outcomes) == 4, "one piece each"
    assert sum(outcome.received_bytes for outcome in outcomes) == peer.sent_bytes == peer.path.stat().st_size
    assert site.in_inbox() == [outcomes[-1].file]


def test_broken_pulls_of_ever_newer_models_do_not_fill_the_disk(tmp_path, disk):
    site, peer = Site(tmp_path, large()), Peer(disk)
    peer.after_piece = lambda: site.network.take_offline("site_b")
    for sequence in range(3, 7):
        peer.offer(written(disk, large(1.1), sequence=sequence), sequence=sequence)
        site.network.bring_online("site_b")
        assert site.ask(peer, exchange=sequence).outcome == "unreachable"
        (broken,) = site.in_inbox()
        assert f"-{sequence}-" in broken
    peer.after_piece = lambda: None
    site.network.bring_online("site_b")
    assert site.ask(peer, exchange=7).outcome == "received"
    site.inbox.note(7, [])
    assert site.in_inbox() == ["exchange-000007.json"]


def test_a_snapshot_that_was_spooled_but_is_no_longer_the_peers_is_not_taken_for_it(tmp_path, disk):
    """A site killed between the pull and its note; the peer meanwhile repeated a round, and published it anew."""
    site, peer = Site(tmp_path), Peer(disk)
    outcome = site.ask(peer)
    site.fetcher.ledger = Ledger(site.folder / "another.json")
    peer.offer(written(disk, model(1.2)))
    again = site.ask(peer)
    assert (again.outcome, again.received_bytes) == ("received", peer.path.stat().st_size)
    assert again.file != outcome.file
    assert torch.equal(site.fetcher.open(again).read()["bias"], model(1.2)["bias"])


# The inbox.


def test_an_exchange_is_recalled_as_it_was_and_forgotten_two_later(tmp_path, disk):
    site = Site(tmp_path)
    assert site.fetcher.recall(0) is None
    outcomes = [site.ask(Peer(disk)), Outcome(peer="site_c", weight=0.5, outcome="unreachable", detail="größer")]
    site.inbox.note(0, outcomes)
    assert Inbox(site.inbox.folder).recall(0) == site.fetcher.recall(0) == outcomes
    site.inbox.note(1, [])
    assert site.fetcher.recall(0) == outcomes, "a checkpoint that was spoiled goes back by one"
    site.inbox.note(2, [])
    assert site.fetcher.recall(0) is None
    assert site.in_inbox() == ["exchange-000001.json", "exchange-000002.json"]


def test_a_record_whose_model_is_gone_is_no_record(tmp_path, disk):
    site = Site(tmp_path)
    outcome = site.ask(Peer(disk))
    site.inbox.note(0, [outcome])
    (site.inbox.folder / outcome.file).unlink()
    assert site.fetcher.recall(0) is None
    again = site.ask()
    assert (again.outcome, again.file) == ("received", outcome.file), "and the same exchange may have it again"


def test_a_model_that_the_disk_spoiled_is_asked_for_again(tmp_path, disk):
    site = Site(tmp_path)
    outcome = site.ask(Peer(disk))
    site.inbox.note(0, [outcome])
    path = site.inbox.folder / outcome.file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert site.fetcher.recall(0) is None
    assert not path.exists()
    again = site.ask()
    assert (again.outcome, again.received_bytes) == ("received", len(content))


@pytest.mark.parametrize("content", ["", "[", "{}", '[{"peer": "site_b"}]', "[7]", "null", '["text"]'])
def test_a_record_that_the_disk_spoiled_is_no_record(tmp_path, content):
    inbox = Inbox(tmp_path)
    inbox.note(0, [])
    (tmp_path / "exchange-000000.json").write_text(content)
    assert not inbox.recall(0)
    inbox.note(1, [])
    assert json.loads((tmp_path / "exchange-000001.json").read_text()) == []


def test_an_inbox_forgets_all_but_the_exchanges_it_is_told_to_keep(tmp_path):
    inbox = Inbox(tmp_path)
    for name in ("early", "late", "unrecorded"):
        (tmp_path / name).touch()
    for number, name in enumerate(("early", "late")):
        inbox.note(number, [Outcome(peer="site_b", weight=1.0, outcome="received", file=name)])
        (tmp_path / f"{name}.0123.partial").touch()
    inbox.keep_only([0])
    assert {path.name for path in tmp_path.iterdir()} == {"exchange-000000.json", "early"}
    assert inbox.recall(0)[0].file == "early" and inbox.recall(1) is None
    inbox.keep_only([])
    assert not list(tmp_path.iterdir())
