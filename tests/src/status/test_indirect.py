"""Sites that cannot be called: what their card in the folder and the snapshot they brought say of them, and how old that is."""

import json
import os
import time
from dataclasses import replace

import pytest

from src.exchange.folder.publication import FolderPublication
from src.exchange.membership import SiteState
from src.status.ask import ask_all
from src.status.overview import overview_of
from tests.src.exchange.folder.folder_sites import RsaAuthority
from tests.src.exchange.tls import MEMBERSHIP, ROSTER
from tests.src.status.status_federation import ROUNDS, StatusFederation, publish

CASES = {"Brainstem": 2, "Parotid_L": 1}


class FolderStatus(StatusFederation):
    """site_a has called nobody: it meets site_b in the folder, and site_c brings it snapshots."""

    def __init__(self, folder):
        super().__init__(folder)
        self.rsa, self.shared = RsaAuthority(folder / "rsa"), folder / "shared"
        self.shared.mkdir()
        self.certificates = {site: self.rsa.issue(site) for site in ROSTER}

    def overview(self, **changes):
        here = dict(folder=self.shared, folder_peers=("site_b",), brought_by=("site_c",), meets=("site_b", "site_c"))
        asker = self.asker(addresses=dict.fromkeys(ROSTER), **{**here, **changes})
        return overview_of(asker, ask_all(asker, asker.open_transport()), time.time())

    def write_card(self, site):
        """As the publisher of ``site`` does, after it has read that of site_a."""
        for name, service in (("site_a", self.site("site_a", {})), (site.site, site)):
            settings = dict(folder=self.shared, membership=MEMBERSHIP, epoch=1, state_path=self.folder / f"{name}.seals")
            peer = site.site if name == "site_a" else "site_a"
            FolderPublication(service, lambda: (), keys=self.rsa.keys(name), peers=[peer], **settings).renew()

    def bring(self, of="site_c", round_number=4, run_id=MEMBERSHIP.run_id):
        """A snapshot, as it lies here when it has come whole from site_c; the file."""
        site = self.site(of, CASES)
        ids = dict(federation_id=MEMBERSHIP.federation_id, architecture_hash=MEMBERSHIP.architecture_hash, run_id=run_id)
        publish(site, round_number, train_cases=CASES, **ids)
        source = site.outbox.newest()
        target = self.folder / "site_a" / "brought" / "site_c"
        target.mkdir(parents=True, exist_ok=True)
        path = target / f"epoch1-sequence{source.manifest.sequence}-round{source.manifest.round}-{source.sha256}.snapshot"
        path.write_bytes(source.path.read_bytes())
        return path

    def write_participation(self, **changes):
        """As the run of site_a does."""
        content = {"present": ["site_a"], "missing": [], "unknown": ["site_b", "site_c"], **changes}
        path = self.folder / "logs" / "site_a" / "participation.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
        return path


@pytest.fixture
def federation(tmp_path):
    return FolderStatus(tmp_path)


def card_of(overview, site):
    return next(card for card in overview.cards if card.site == site)


def text(unix_s):
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(unix_s))


def test_the_card_in_the_folder_says_how_its_site_stood_when_it_was_written(federation, monkeypatch):
    site = federation.site("site_b", CASES)
    publish(site, 3)
    site.stand(SiteState.TRAINING, 3)
    site.note_exchange("site_c", "received", 500)
    hour_ago = time.time() - 3600
    with monkeypatch.context() as earlier:
        earlier.setattr(time, "time", lambda: hour_ago)
        federation.write_card(site)
    before = sorted((path.name, path.stat().st_mtime_ns) for path in federation.shared.iterdir())
    found = federation.overview(missing_after_s=7200.0)
    card = card_of(found, "site_b")
    assert (card.answer, card.state, card.round, card.train_cases) == ("in the folder", "training", 3, CASES)
    assert (card.last_peer, card.last_outcome) == ("site_c", "received")
    assert card.seen_unix_s == pytest.approx(hour_ago, abs=1)
    assert card.snapshot_age_s == pytest.approx(3600, abs=60) and card.last_age_s == pytest.approx(3600, abs=60)
    assert (found.missing, found.lost, found.exit_code) == ([], {}, 0)
    assert before == sorted((path.name, path.stat().st_mtime_ns) for path in federation.shared.iterdir()), "it writes nothing"
    # What is waited for no longer than the plan says.
    found = federation.overview(missing_after_s=1800.0)
    assert found.lost == {"site_b": card_of(found, "site_b").seen_unix_s} and found.exit_code == 1


def test_a_site_that_has_done_its_rounds_is_no_loss(federation, monkeypatch):
    site = federation.site("site_b", CASES)
    site.stand(SiteState.FINISHED, ROUNDS)
    with monkeypatch.context() as earlier:
        earlier.setattr(time, "time", lambda: 1_000_000.0)
        federation.write_card(site)
    found = federation.overview()
    assert (card_of(found, "site_b").state, found.lost) == ("finished", {})


def test_a_card_that_is_not_there_and_a_folder_that_is_not_mounted_are_told(federation):
    found = federation.overview()
    assert card_of(found, "site_b").answer == "unreachable" and "site_b.card" in card_of(found, "site_b").fault
    assert (found.missing, found.exit_code) == (["site_b"], 1)
    gone = federation.overview(folder=federation.folder / "not mounted")
    assert card_of(gone, "site_b").answer == "unreachable"
    unnamed = federation.overview(folder=None)
    assert (card_of(unnamed, "site_b").answer, unnamed.missing) == ("not called", [])
    assert card_of(unnamed, "site_b").fault == "it is met in the synchronised folder, and plan/peers.yaml names none"


def test_a_brought_snapshot_says_what_is_known_of_its_site_and_when_it_came(federation):
    came_s = time.time() - 1000
    os.utime(federation.bring(), (came_s, came_s))
    found = federation.overview()
    card = card_of(found, "site_c")
    assert (card.answer, card.state, card.round, card.train_cases) == ("brought", "training", 4, CASES)
    assert (card.valid_dice, card.valid_cases["Brainstem"], card.code_version) == ({"Brainstem": 0.5}, 2, "0.1.0")
    assert card.snapshot_age_s == pytest.approx(1000, abs=60) and card.seen_unix_s == pytest.approx(came_s, abs=1)
    assert found.lost == {} and "site_c" not in found.missing
    # It has called since, with nothing new: the run knows, and status reads what the run wrote down.
    federation.write_participation(present=["site_a", "site_c"], unknown=["site_b"], met_at={"site_c": text(came_s + 900)})
    assert card_of(federation.overview(), "site_c").seen_unix_s == pytest.approx(came_s + 900, abs=1)
    assert list(federation.overview(missing_after_s=50.0).lost) == ["site_c"]


@pytest.mark.parametrize("changes", [{"run_id": "2"}, {"of": "site_b"}, {"round_number": ROUNDS + 1}])
def test_a_brought_snapshot_that_is_not_of_this_run_and_site_is_refused(federation, changes):
    federation.bring(**changes)
    assert card_of(federation.overview(), "site_c").answer == "refused"


def test_who_has_brought_nothing_and_who_is_never_met_are_told_apart(federation):
    card = card_of(federation.overview(), "site_c")
    assert (card.answer, card.fault) == ("not called", "by the plan it calls this site, and has brought nothing yet")
    found = federation.overview(brought_by=(), meets=("site_b",))
    assert card_of(found, "site_c").fault == "by the plan this site never meets it"


def test_who_took_part_is_read_and_who_is_missing_for_too_long_is_lost(federation):
    assert federation.overview().took_part is None
    since = time.time() - 7200
    federation.write_participation(missing=[{"site": "site_b", "since": text(since), "was_met": False}], unknown=["site_c"])
    found = federation.overview()
    assert (found.took_part.present, found.took_part.unknown) == (("site_a",), ("site_c",))
    assert found.lost == {"site_b": pytest.approx(since, abs=1)} and found.exit_code == 1
    federation.write_participation(missing=[{"site": "site_b", "since": text(time.time()), "was_met": False}])
    assert federation.overview().lost == {}


@pytest.mark.parametrize("content", ["", "[]", '{"present": 1}', '{"present": [], "missing": [{}], "unknown": []}', "\xff"])
def test_a_manifest_that_cannot_be_read_hides_nothing_else(federation, content, caplog):
    federation.write_participation().write_bytes(content.encode("latin-1"))
    found = federation.overview()
    assert found.took_part is None and "participation.json cannot be read" in caplog.text


def test_a_damaged_brought_snapshot_is_passed_over(federation):
    path = federation.bring()
    path.write_bytes(path.read_bytes()[:20])
    assert card_of(federation.overview(), "site_c").answer == "not called"


def test_another_membership_in_the_folder_is_refused(federation):
    federation.write_card(federation.site("site_b", CASES))
    assert card_of(federation.overview(membership=replace(MEMBERSHIP, run_id="2")), "site_b").answer == "refused"
