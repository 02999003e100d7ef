"""Mutations of JSON that a fuzzer's own flips of bits never find: a wrong value in an entry of an otherwise valid text."""

import copy
import json
import random
from collections.abc import Iterator

VALUES = [
    *(None, True, False, 0, 1, -1, 7, 2**31, 2**63, 10**400, 0.0, -0.0, 0.5, 1e308, 1e39, float("nan"), float("inf")),
    *("", "F32", "BOOL", "float64", "x" * 201, "\x1b[2J", "\ud800", "__metadata__"),
    *([], {}, [[]], [0, 0], [0, 8], [0, 24], [0, 1e9], [True, 2], [-8, 0], {"weight": {}}),
]
# What no encoder spells; put in the place of this name.
PLACE, SPELLINGS = '"put here"', ["1e999", "[" * 1200 + "]" * 1200, "9" * 5000, "00", '"\\ud800"', '{"a":1,"a":2}']


def twist(content: bytes, draw: random.Random) -> bytes | None:
    """JSON with one entry replaced or added, by a value that is seldom right or by another of its own; None of no object."""
    try:
        decoded = json.loads(content)
        found = list(places(decoded)) if isinstance(decoded, dict) else []
    except (ValueError, RecursionError):
        return None
    if not found:
        return None
    (place, key), (source, source_key) = draw.choice(found), draw.choice(found)
    another = copy.deepcopy(source.get(source_key) if isinstance(source, dict) else source[source_key])
    place[key] = draw.choice([draw.choice(VALUES), PLACE.strip('"'), another])
    return json.dumps(decoded, sort_keys=True, separators=(",", ":")).replace(PLACE, draw.choice(SPELLINGS)).encode()


def places(decoded: dict | list) -> Iterator[tuple[dict | list, str | int]]:
    """Every entry there is, however deep, and one that might be added to each object: what holds it, and its key."""
    for key in [*decoded, "added"] if isinstance(decoded, dict) else range(len(decoded)):
        yield decoded, key
        inner = decoded.get(key) if isinstance(decoded, dict) else decoded[key]
        if isinstance(inner, dict | list):
            yield from places(inner)
