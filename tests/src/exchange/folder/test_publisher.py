"""The publisher's thread: what is new is in the folder soon, what fails is said once and tried again, the end is written."""

import logging
import time
from dataclasses import replace

from src.exchange.folder.publisher import FolderPublisher
from src.exchange.membership import SiteState


def wait_until(holds, within_s=10):
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_new_is_published_when_it_is_woken_and_the_end_when_it_is_stopped(site_a, site_b):
    publisher = FolderPublisher(site_b.publication, pause_s=60)
    publisher.start()
    site_b.service.snapshot.write_bytes(b"a newer model")
    publisher.wake()
    wait_until(lambda: site_a.describe("site_b").size_bytes == len(b"a newer model"))
    greet = site_b.service.greet
    site_b.service.greet = lambda *given, **named: replace(greet(*given, **named), state=SiteState.CLOSED)
    publisher.stop(10)
    assert site_a.describe("site_b").state is SiteState.CLOSED


def test_a_folder_that_is_gone_is_said_once_and_written_to_when_it_is_back(site_a, site_b, folder, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    folder.rename(tmp_path / "unmounted")
    site_b.service.snapshot.write_bytes(b"a newer model")
    publisher = FolderPublisher(site_b.publication, pause_s=0.01)
    publisher.start()
    wait_until(lambda: "nothing can be published" in caplog.text)
    time.sleep(0.2)
    assert caplog.text.count("nothing can be published") == 1
    (tmp_path / "unmounted").rename(folder)
    wait_until(lambda: site_a.describe("site_b").size_bytes == len(b"a newer model"))
    publisher.stop(10)


def test_nothing_new_is_not_written_again(site_b, folder):
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert not site_b.publication.renew()
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
