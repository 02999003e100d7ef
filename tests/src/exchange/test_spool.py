"""A file that arrives in pieces is put in place when it is whole and what was described, and never otherwise."""

import hashlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.exchange.spool import Spool
from src.exchange.transport import PeerRefused

CONTENT = os.urandom(5000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@settings(max_examples=50)
@given(st.lists(st.integers(0, len(CONTENT)), max_size=6), st.data())
def test_however_it_is_cut_and_interrupted_the_whole_is_the_content(cuts, data):
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "snapshot"
        for end in [*sorted(cuts), len(CONTENT)]:
            with Spool(target, SHA256, len(CONTENT)) as spool:  # each time after an interruption
                assert not target.exists()
                assert spool.resumed_bytes == spool.offset
                middle = data.draw(st.integers(spool.offset, end))
                spool.append(CONTENT[spool.offset : middle])
                spool.append(memoryview(CONTENT)[middle:end])
                assert spool.whole == (end == len(CONTENT))
                if spool.whole:
                    spool.finish()
                    break
        assert target.read_bytes() == CONTENT
        assert list(Path(folder).iterdir()) == [target]


def test_more_than_described_is_refused_and_forgotten(tmp_path):
    with Spool(tmp_path / "snapshot", SHA256, len(CONTENT)) as spool, pytest.raises(PeerRefused) as refused:
        spool.append(CONTENT + b"x")
    assert refused.value.reason == "size"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [bytes(len(CONTENT)), CONTENT[:-1]])
def test_other_content_is_refused_and_forgotten(tmp_path, content):
    with Spool(tmp_path / "snapshot", SHA256, len(CONTENT)) as spool:
        spool.append(content)
        with pytest.raises(PeerRefused) as refused:
            spool.finish()
    assert refused.value.reason == "digest"
    assert not list(tmp_path.iterdir())


def test_an_older_snapshot_stays_in_place_until_the_newer_one_is_whole(tmp_path):
    target = tmp_path / "snapshot"
    target.write_bytes(b"older")
    with Spool(target, SHA256, len(CONTENT)) as spool:
        spool.append(CONTENT[:-1])
        assert target.read_bytes() == b"older"
        spool.append(CONTENT[-1:])
        spool.finish()
    assert target.read_bytes() == CONTENT


def test_what_is_left_of_another_snapshot_is_removed_and_other_files_are_not(tmp_path):
    (tmp_path / "snapshot.0123456789abcdef.partial").write_bytes(b"other")
    (tmp_path / "else.0123456789abcdef.partial").write_bytes(b"another target's")
    with Spool(tmp_path / "snapshot", SHA256, len(CONTENT)):
        names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"snapshot.{SHA256[:16]}.partial", "else.0123456789abcdef.partial"}


def test_a_restart_forgets_what_was_there(tmp_path):
    with Spool(tmp_path / "snapshot", SHA256, len(CONTENT)) as spool:
        spool.append(b"spoilt")
        spool.restart()
        spool.append(CONTENT)
        spool.finish()
    assert (tmp_path / "snapshot").read_bytes() == CONTENT
