"""A piece of a snapshot as Pull streams it; our own reading of it beside protobuf's."""

from google.protobuf.message import DecodeError

from src.exchange import messages_pb2
from src.exchange.piece import read_piece, write_piece


def seeds() -> list[bytes]:
    """Lengths of one, two and three bytes, and none."""
    return [b"", *(write_piece(bytes(size)) for size in (0, 1, 127, 128, 300, 20_000))]


def check(content: bytes) -> None:
    """What we take, protobuf reads the same way; what we write, we take."""
    try:
        data = bytes(read_piece(content))
    except ValueError:
        return
    assert bytes(read_piece(write_piece(data))) == data, "what is written is not taken"
    try:
        message = messages_pb2.Piece.FromString(content)
    except DecodeError as error:
        raise AssertionError("protobuf does not read what we take") from error
    assert message.data == data, "protobuf reads something else"
