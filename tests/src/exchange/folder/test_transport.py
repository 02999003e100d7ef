"""Reading a peer's card and its snapshot: the same answers as over a network, and what a folder can do to them."""

import os
import shutil
import threading
import time
from dataclasses import replace

import pytest

from src.exchange.folder.sealed_model import CHUNK_BYTES, sealed_bytes
from src.exchange.folder.transport import FolderTransport
from src.exchange.membership import SiteState
from src.exchange.transport import PeerRefused, PeerUnreachable
from tests.src.exchange.folder.conftest import SNAPSHOT_BYTES
from tests.src.exchange.folder.folder_sites import Site, meet
from tests.src.exchange.tls import MEMBERSHIP, greeting_of

MODEL = "site_b-1-8.model"


def question(site):
    return replace(greeting_of(site), is_question=True)


def test_a_snapshot_arrives_whole_and_is_counted_by_both(site_a, site_b, folder, tmp_path):
    described = site_a.describe("site_b")
    assert described == site_b.service.greet("site_a", question("site_a"), wanted_round=None)
    assert site_a.pull("site_b", described, tmp_path / "pulled") == SNAPSHOT_BYTES
    assert (tmp_path / "pulled").read_bytes() == site_b.service.snapshot.read_bytes()
    written_bytes = (folder / MODEL).stat().st_size
    assert site_b.service.sent_bytes == {"folder": written_bytes}
    assert written_bytes == sealed_bytes(SNAPSHOT_BYTES)


def test_names_say_no_more_than_sites_and_numbers_and_nothing_is_readable(site_a, site_b, folder):
    assert {path.name for path in folder.iterdir()} == {"site_a.card", "site_a-1-8.model", "site_b.card", MODEL}
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    for secret in (MEMBERSHIP.federation_id.encode(), b"Parotid", b"of site_a", site_b.service.snapshot.read_bytes()[:64]):
        assert secret not in content


def test_a_stranger_to_the_card_reads_nothing_and_who_came_later_does(site_a, site_b, folder, keys, tmp_path):
    site_c = Site(keys["site_c"], folder, tmp_path / "c")
    with pytest.raises(PeerUnreachable, match="has not read this site's certificate yet"):
        site_c.describe("site_b")
    meet(site_c, site_b)
    before = (folder / MODEL).stat().st_mtime_ns
    site_c.pull("site_b", site_c.describe("site_b"), tmp_path / "pulled")
    assert (tmp_path / "pulled").read_bytes() == site_b.service.snapshot.read_bytes()
    assert (folder / MODEL).stat().st_mtime_ns == before, "its key was wrapped again; the snapshot was not encrypted again"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"size_bytes": SNAPSHOT_BYTES - 1}, "size"),
        ({"size_bytes": SNAPSHOT_BYTES + 1}, "size"),
        ({"sequence": 0}, "absent"),
        ({"sequence": 9}, "replay"),
        ({"sha256": "0" * 64}, "gone"),
    ],
)
def test_a_description_that_does_not_fit_the_snapshot_is_refused(site_a, site_b, tmp_path, changes, reason):
    with pytest.raises(PeerRefused) as refused:
        site_a.pull("site_b", replace(site_a.describe("site_b"), **changes), tmp_path / "pulled")
    assert refused.value.reason == reason
    assert not (tmp_path / "pulled").exists()


def test_a_greeting_in_anothers_name_is_refused(site_a, site_b):
    with pytest.raises(PeerRefused) as refused:
        site_a.transport.describe("site_b", greeting_of("site_c"), wanted_round=None, timeout_s=5)
    assert refused.value.reason == "name"


@pytest.mark.parametrize(("entry", "reason"), [("run_id", "run"), ("federation_id", "federation")])
def test_a_card_of_another_run_or_federation_is_refused(site_a, site_b, entry, reason):
    greeting = replace(greeting_of("site_a"), membership=replace(MEMBERSHIP, **{entry: "another"}))
    with pytest.raises(PeerRefused) as refused:
        site_a.transport.describe("site_b", greeting, wanted_round=None, timeout_s=5)
    assert refused.value.reason == reason


def test_where_a_site_is_in_its_run_is_read(site_a, site_b):
    described = replace(site_b.service.greet("site_a", question("site_a"), wanted_round=None), state=SiteState.CLOSED)
    site_b.service.greet = lambda caller, greeting, *, wanted_round: described
    assert site_a.describe("site_b").state is SiteState.TRAINING
    assert site_b.publication.renew()
    assert site_a.describe("site_b").state is SiteState.CLOSED


# Time, breaks.


def test_a_pull_goes_on_where_an_earlier_one_ended(site_a, site_b, tmp_path):
    described, content = site_a.describe("site_b"), site_b.service.snapshot.read_bytes()
    (tmp_path / f"pulled.{described.sha256[:16]}.partial").write_bytes(content[:CHUNK_BYTES])
    assert site_a.pull("site_b", described, tmp_path / "pulled") == SNAPSHOT_BYTES - CHUNK_BYTES
    assert (tmp_path / "pulled").read_bytes() == content


@pytest.mark.parametrize("kept_bytes", [1_000, CHUNK_BYTES, SNAPSHOT_BYTES, SNAPSHOT_BYTES + 1])
def test_a_kept_part_that_is_spoilt_is_fetched_again(site_a, site_b, tmp_path, kept_bytes):
    described = site_a.describe("site_b")
    (tmp_path / f"pulled.{described.sha256[:16]}.partial").write_bytes(b"\0" * kept_bytes)
    site_a.pull("site_b", described, tmp_path / "pulled")
    assert (tmp_path / "pulled").read_bytes() == site_b.service.snapshot.read_bytes()


def test_the_time_given_is_kept_even_when_the_mount_hangs(site_a, site_b, tmp_path, monkeypatch):
    described, hung = site_a.describe("site_b"), threading.Event()
    with pytest.raises(PeerUnreachable, match="in time"):
        site_a.pull("site_b", described, tmp_path / "pulled", timeout_s=0.0)
    plain = FolderTransport._card
    monkeypatch.setattr(FolderTransport, "_card", lambda self, peer: hung.wait(20))
    began = time.monotonic()
    for _ in range(2):
        with pytest.raises(PeerUnreachable, match="is its mount alive"):
            site_a.describe("site_b", timeout_s=0.2)
    assert time.monotonic() - began < 15
    hung.set()
    monkeypatch.setattr(FolderTransport, "_card", plain)
    assert site_a.describe("site_b") == described


# Another order, half a file, other names.


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
@pytest.mark.parametrize("name", ["site_b.card", MODEL])
def test_half_a_file_is_waited_for(site_a, site_b, folder, tmp_path, name, share):
    described, content = site_a.describe("site_b"), (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(PeerUnreachable):
        site_a.pull("site_b", site_a.describe("site_b"), tmp_path / "pulled")
    (folder / name).write_bytes(content)
    assert site_a.pull("site_b", site_a.describe("site_b"), tmp_path / "pulled") == described.size_bytes


def test_a_card_that_came_before_its_snapshot_is_waited_for(site_a, site_b, folder, tmp_path):
    (folder / MODEL).rename(tmp_path / "on its way")
    with pytest.raises(PeerUnreachable, match="expected the file"):
        site_a.pull("site_b", site_a.describe("site_b"), tmp_path / "pulled")
    (tmp_path / "on its way").rename(folder / MODEL)
    assert site_a.pull("site_b", site_a.describe("site_b"), tmp_path / "pulled") == SNAPSHOT_BYTES


def test_an_older_card_is_not_believed_again(site_a, site_b, folder):
    shutil.copy(folder / "site_b.card", folder / "kept")
    site_b.service.snapshot.write_bytes(b"another model")
    assert site_b.publication.renew()
    newer = site_a.describe("site_b")
    shutil.copy(folder / "kept", folder / "site_b.card")
    with pytest.raises(PeerUnreachable, match="was there before"):
        site_a.describe("site_b")
    assert newer.size_bytes == len(b"another model")


def test_what_else_lies_in_the_folder_is_nobodys(site_a, site_b, folder, tmp_path):
    described = site_a.describe("site_b")
    for name in (
        "site_b (1).card",
        "site_b-conflict.card",
        "SITE_B.card",
        f"{MODEL}.tmp",
        ".site_b.card",
        "site_b-1-8 (1).model",
    ):
        (folder / name).write_bytes(b"junk")
    for number in range(3000):
        (folder / f"junk-{number}.model").touch()
    began = time.monotonic()
    assert site_a.describe("site_b") == described
    assert site_a.pull("site_b", described, tmp_path / "pulled") == SNAPSHOT_BYTES
    assert not site_b.publication.renew()
    assert time.monotonic() - began < 20
    site_b.service.snapshot.write_bytes(b"another model")
    assert site_b.publication.renew()
    assert len(list(folder.iterdir())) == 3000 + 6 + 4, "others' files are left alone"


@pytest.mark.parametrize("name", ["site_b.card", MODEL])
@pytest.mark.parametrize("kind", ["link", "link to nothing", "pipe", "folder", "huge"])
def test_what_is_no_plain_file_of_its_size_is_not_read(site_a, site_b, folder, tmp_path, name, kind):
    (folder / name).rename(tmp_path / "moved")
    match kind:
        case "link":
            (folder / name).symlink_to(tmp_path / "moved")
        case "link to nothing":
            (folder / name).symlink_to(tmp_path / "nowhere")
        case "pipe":
            os.mkfifo(folder / name)
        case "folder":
            (folder / name).mkdir()
        case "huge":
            with (folder / name).open("wb") as file:
                file.truncate(2**40)
    began = time.monotonic()
    with pytest.raises(PeerUnreachable):
        site_a.pull("site_b", site_a.describe("site_b"), tmp_path / "pulled")
    assert time.monotonic() - began < 10
    assert sum(path.stat().st_size for path in tmp_path.glob("pulled*")) == 0


def test_a_folder_that_goes_away_and_comes_back(site_a, site_b, folder, tmp_path):
    described = site_a.describe("site_b")
    folder.rename(tmp_path / "unmounted")
    with pytest.raises(PeerUnreachable):
        site_a.describe("site_b")
    site_b.service.snapshot.write_bytes(b"another model")
    with pytest.raises(OSError, match="No such file"):
        site_b.publication.renew()
    (tmp_path / "unmounted").rename(folder)
    assert site_a.describe("site_b") == described
    assert site_b.publication.renew()
    assert site_a.describe("site_b").size_bytes == len(b"another model")
