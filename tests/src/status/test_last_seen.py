"""Who answered when, remembered in a small file."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.status.last_seen import read_last_seen, remember_seen

names = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)


@settings(max_examples=20)  # each is on disk when it returns
@given(st.lists(st.dictionaries(names, st.integers(0, 2**36).map(float), max_size=4), max_size=4))
def test_the_last_time_of_each_is_kept(tmp_path_factory, answers):
    folder, expected = tmp_path_factory.mktemp("state"), {}
    for seen in answers:
        remember_seen(folder, seen)
        expected |= seen
    assert read_last_seen(folder) == expected


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[1]", b'{"site_b": {}}', b'{"site_b": NaN}', b'{"site_b": -1}', b'{"a": true}']
)
def test_a_spoiled_memory_is_no_memory_and_is_written_anew(tmp_path, content):
    (tmp_path / "last_seen.json").write_bytes(content)
    assert read_last_seen(tmp_path) == {}
    remember_seen(tmp_path, {"site_b": 5.0})
    assert read_last_seen(tmp_path) == {"site_b": 5.0}


def test_a_disk_that_refuses_is_said_and_stops_nothing(tmp_path, caplog):
    (tmp_path / "state").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        remember_seen(tmp_path / "state", {"site_b": 5.0})
    assert "cannot be remembered" in caplog.text
