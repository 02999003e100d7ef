"""A piece of a snapshot as ``messages.proto`` defines it, written and read without the copies protobuf makes of it.

A quarter of a snapshot's way from disk to disk was spent in those. ``messages_pb2.Piece`` is the same on the wire.
Source of the encoding: protobuf.dev/programming-guides/encoding (field 1, length-delimited: 0x0A, length as varint, bytes).
"""

_TAG = b"\x0a"


def write_piece(data: bytes) -> bytes:
    """The message that carries ``data``."""
    length, left = bytearray(), len(data)
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    length.append(left)
    return b"".join((_TAG, length, data))


def read_piece(message: bytes) -> memoryview:
    """What a message carries; nothing for an empty message, as in protobuf.

    Raises:
        ValueError: it is not one field of exactly the length it says.
    """
    if not message:
        return memoryview(b"")
    length, start = 0, 1
    while start < 6 and start < len(message):
        length |= (message[start] & 0x7F) << 7 * (start - 1)
        start += 1
        if message[start - 1] < 0x80:
            break
    if message[:1] != _TAG or start < 2 or message[start - 1] > 0x7F or len(message) - start != length:
        raise ValueError("expected one piece and its length")
    return memoryview(message)[start:]
