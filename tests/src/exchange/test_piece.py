"""Pieces written and read by hand are protobuf's."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from src.exchange import messages_pb2
from src.exchange.piece import read_piece, write_piece


@given(st.binary(min_size=1, max_size=400))
@example(bytes(127))
@example(bytes(128))
@example(bytes(16_383))
@example(bytes(16_384))
@example(bytes(3_000_000))
def test_a_piece_is_the_message_that_protobuf_writes_and_reads(data):
    message = messages_pb2.Piece(data=data).SerializeToString()
    assert write_piece(data) == message
    assert read_piece(message) == data


def test_an_empty_piece_is_read_however_it_was_written():
    assert read_piece(b"") == read_piece(write_piece(b"")) == b""
    assert messages_pb2.Piece.FromString(write_piece(b"")).data == b""


@given(st.binary(max_size=50))
@example(b"\x0a")
@example(b"\x0a\x80")
@example(b"\x0a\x80\x80\x80\x80\x80\x80")
@example(b"\x0a\x01ab")
@example(b"\x12\x01a")
def test_any_bytes_are_read_as_protobuf_would_or_refused(message):
    try:
        data = read_piece(message)
    except ValueError:
        return
    assert messages_pb2.Piece.FromString(message).data == data


@pytest.mark.parametrize("message", [b"\x0a", b"\x0a\x80", b"\x0a\x01ab", b"\x0a\x02a", b"\x12\x01a", b"a"])
def test_what_is_no_piece_is_refused(message):
    with pytest.raises(ValueError, match="one piece"):
        read_piece(message)
