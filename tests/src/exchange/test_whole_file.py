"""A file is there whole, or what was there before still is."""

import signal
import subprocess
import sys
import time

import pytest

from src.exchange.whole_file import write_whole


def test_chunks_are_joined_in_order_and_folders_made(tmp_path):
    write_whole(tmp_path / "new" / "file", [b"one ", memoryview(b"two "), b"", b"three"])
    assert (tmp_path / "new" / "file").read_bytes() == b"one two three"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]
    write_whole(tmp_path / "new" / "file", [])
    assert (tmp_path / "new" / "file").read_bytes() == b""


def test_what_was_there_stays_when_the_content_breaks_off(tmp_path):
    def broken():
        yield b"half of it"
        raise RuntimeError("no more")

    write_whole(tmp_path / "file", [b"before"])
    with pytest.raises(RuntimeError, match="no more"):
        write_whole(tmp_path / "file", broken())
    assert (tmp_path / "file").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_was_there_stays_when_the_place_cannot_be_taken(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError):
        write_whole(tmp_path / "file", [b"after"])
    assert (tmp_path / "file").is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_process_killed_while_it_writes_leaves_what_was_there(tmp_path):
    write_whole(tmp_path / "file", [b"before"])
    script = (
        "import sys, time, itertools, pathlib\n"
        "from src.exchange.whole_file import write_whole\n"
        "chunks = (time.sleep(0.01) or b'x' * 100000 for _ in itertools.count())\n"
        "write_whole(pathlib.Path(sys.argv[1]), chunks)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "file")])
    partial, deadline = tmp_path / ".file.partial", time.monotonic() + 30
    while not (partial.exists() and partial.stat().st_size):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (tmp_path / "file").read_bytes() == b"before"
    write_whole(tmp_path / "file", [b"after"])
    assert (tmp_path / "file").read_bytes() == b"after"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
