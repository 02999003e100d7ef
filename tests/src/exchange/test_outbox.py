"""Published snapshots: immutable, the newest kept, found again after a restart."""

import threading

import pytest
import torch

from src.exchange.outbox import Outbox
from src.exchange.snapshot import SnapshotFault, SnapshotFile, read_snapshot
from src.exchange.tensor_layout import TensorLayout
from tests.src.exchange.small_snapshots import STRUCTURES, manifest


def model(value: float) -> dict[str, torch.Tensor]:
    return {"weight": torch.full((50,), value)}


def publish(outbox: Outbox, sequence: int, *, epoch: int = 1, value: float | None = None) -> SnapshotFile:
    """Round is sequence − 1."""
    facts = manifest(epoch=epoch, sequence=sequence, round=sequence - 1)
    return outbox.publish(facts, model(float(sequence) if value is None else value), "float16")


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_empty_outbox_offers_nothing(tmp_path):
    outbox = Outbox(tmp_path / "outbox", keep=2)
    assert (outbox.newest(), outbox.of_round(0), outbox.by_digest("0" * 64)) == (None, None, None)
    with pytest.raises(ValueError, match="at least 1"):
        Outbox(tmp_path, keep=0)


def test_what_is_published_is_found_by_age_round_and_digest(tmp_path):
    outbox = Outbox(tmp_path, keep=3)
    files = [publish(outbox, sequence) for sequence in (1, 2, 3)]
    assert outbox.newest() == files[2]
    assert [outbox.of_round(number) for number in (0, 1, 2, 3)] == [*files, None]
    assert [outbox.by_digest(file.sha256) for file in files] == files
    _, found = read_snapshot(files[1].path, TensorLayout.of(model(0.0)), STRUCTURES)
    assert found["weight"].tolist() == [2.0] * 50
    assert names(tmp_path) == [f"epoch1-sequence{number}-round{number - 1}.snapshot" for number in (1, 2, 3)]


def test_only_the_newest_are_kept_and_an_open_file_stays_whole(tmp_path):
    outbox = Outbox(tmp_path, keep=2)
    oldest = publish(outbox, 1)
    with oldest.path.open("rb") as reader:
        head = reader.read(10)
        for sequence in (2, 3, 10):
            publish(outbox, sequence)
        assert not oldest.path.exists()
        assert len(head + reader.read()) == oldest.size_bytes
    assert outbox.by_digest(oldest.sha256) is None
    assert outbox.of_round(0) is None
    assert [outbox.of_round(number) is None for number in (1, 2, 9)] == [True, False, False]
    assert len(names(tmp_path)) == 2


def test_the_same_snapshot_again_replaces_nothing(tmp_path):
    outbox = Outbox(tmp_path, keep=2)
    file = publish(outbox, 1)
    before = file.path.stat()
    assert publish(outbox, 1) == file
    after = file.path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize("change", [{"value": 9.0}, {"sequence": 1, "value": 1.0}])
def test_other_bytes_under_a_number_that_is_taken_or_past_are_refused(tmp_path, change):
    outbox = Outbox(tmp_path, keep=1)
    publish(outbox, 1)
    newest = publish(outbox, 2)
    content = newest.path.read_bytes()
    with pytest.raises(SnapshotFault, match="raise its epoch") as refused:
        publish(outbox, **{"sequence": 2, **change})
    assert refused.value.reason == "sequence"
    assert newest.path.read_bytes() == content
    assert (outbox.newest(), len(names(tmp_path))) == (newest, 1)


def test_a_new_epoch_counts_anew_and_is_the_newest(tmp_path):
    outbox = Outbox(tmp_path, keep=5)
    publish(outbox, 7)
    again = publish(outbox, 1, epoch=2)
    assert outbox.newest() == again
    assert outbox.of_round(6).manifest.epoch == 1


def test_of_one_rounds_snapshots_the_newest_is_offered(tmp_path):
    outbox = Outbox(tmp_path, keep=5)
    publish(outbox, 3)
    later = outbox.publish(manifest(sequence=4, round=2, final=True), model(4.0), "float32")
    assert outbox.of_round(2) == later


def test_a_value_that_the_wire_cannot_hold_is_not_offered(tmp_path):
    outbox = Outbox(tmp_path, keep=2)
    file = publish(outbox, 1)
    with pytest.raises(SnapshotFault, match="not finite"):
        publish(outbox, 2, value=1e6)
    assert (outbox.newest(), len(names(tmp_path))) == (file, 1)


def test_a_restarted_site_offers_what_it_offered_and_sweeps_up(tmp_path):
    outbox = Outbox(tmp_path, keep=4)
    files = [publish(outbox, sequence) for sequence in (1, 2, 3, 4)]
    (tmp_path / ".epoch1-sequence5-round4.snapshot.partial").write_bytes(b"half")
    (tmp_path / "epoch1-sequence5-round4.snapshot").write_bytes(b"OARSNAP\1 torn")
    (tmp_path / "epoch1-sequence9-round8.snapshot").write_bytes(files[1].path.read_bytes())
    damaged = bytearray(files[3].path.read_bytes())
    damaged[-1] ^= 1
    files[3].path.write_bytes(damaged)
    (tmp_path / "notes.txt").write_text("somebody's")
    again = Outbox(tmp_path, keep=2)
    assert [again.of_round(number) for number in range(5)] == [None, files[1], files[2], None, None]
    assert again.newest() == files[2]
    assert names(tmp_path) == ["epoch1-sequence2-round1.snapshot", "epoch1-sequence3-round2.snapshot", "notes.txt"]
    assert publish(again, 3) == files[2]
    assert publish(again, 4).sha256 == files[3].sha256


def test_readers_meet_whole_snapshots_while_others_are_published(tmp_path):
    outbox, faults, reads, done = Outbox(tmp_path, keep=3), [], [], threading.Event()
    publish(outbox, 1)
    layout = TensorLayout.of(model(0.0))

    def read() -> None:
        last = 0
        while not done.is_set():
            newest = outbox.newest()
            try:
                found, tensors = read_snapshot(newest.path, layout, STRUCTURES)
            except SnapshotFault as fault:
                if fault.reason != "unreadable":  # outdated and deleted before it was opened
                    faults.append(fault)
                continue
            if found.sequence < last or tensors["weight"].tolist() != [float(found.sequence)] * 50:
                faults.append(found)
            last = found.sequence
            reads.append(last)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for sequence in range(2, 20):
            publish(outbox, sequence)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not faults and reads
    assert outbox.newest().manifest.sequence == 19
