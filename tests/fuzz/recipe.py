"""Inputs of several parts: each part with its length before it, so that a fuzzer can change one and leave the others."""

import random
from collections.abc import Callable

from tests.fuzz.json_twist import twist

LENGTH_BYTES = 2
_MOST_PARTS = 64


def joined(*parts: bytes) -> bytes:
    """An input of these parts, each of at most 65535 bytes."""
    return b"".join(len(part).to_bytes(LENGTH_BYTES, "little") + part for part in parts)


def parted(content: bytes) -> list[bytes]:
    """The parts of any input; the last may be shorter than it says, and what is beyond the 64th is one part."""
    parts, begin = [], 0
    while begin < len(content) and len(parts) < _MOST_PARTS:
        end = begin + LENGTH_BYTES + int.from_bytes(content[begin : begin + LENGTH_BYTES], "little")
        parts.append(content[begin + LENGTH_BYTES : end])
        begin = end
    return parts


def mutated(content: bytes, largest_bytes: int, seed: int, of_bytes: Callable[[bytes, int], bytes]) -> bytes:
    """One part changed and the lengths made to fit: JSON in an entry or in its bytes, anything else in its bytes.

    Args:
        content, largest_bytes, seed: as libFuzzer gives them.
        of_bytes: libFuzzer's own mutation.
    """
    draw, parts = random.Random(seed), parted(content)
    if not parts or draw.random() < 0.1:
        return of_bytes(content, largest_bytes)
    chosen = draw.randrange(len(parts))
    if draw.random() < 0.1:
        parts[chosen : chosen + 1] = draw.choice([[], [parts[chosen]] * 2, [parts[chosen], draw.choice(parts)]])
    else:
        changed = twist(parts[chosen], draw) if draw.random() < 0.7 else None
        parts[chosen] = (changed or of_bytes(parts[chosen], largest_bytes))[:65535]
    return joined(*parts)[:largest_bytes]
