"""JSON from somebody who may mean harm: no repeated names, no NaN, no nesting that eats the stack."""

import json
import math
import re

# The closing quote may be missing: a pattern that could fail would be tried anew at each quote, and take hours for a megabyte.
_STRING = re.compile(r'"(?:[^"\\]+|\\.)*"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


class JsonFault(ValueError):
    """Why bytes are no JSON that can be believed; the message follows "it"."""


def strict_json(content: bytes, deepest: int) -> object:
    """Decodes JSON that has one meaning only.

    Args:
        content: UTF-8; its size is the caller's to bound.
        deepest: levels of brackets allowed.

    Raises:
        JsonFault: not UTF-8, not JSON, nested deeper, with a name twice in one object, with NaN or Infinity, with half a
            surrogate pair.
    """
    try:
        text = content.decode("utf-8")
        if _depth(text) > deepest:
            raise JsonFault(f"is nested deeper than {deepest} levels")
        decoded = json.loads(text, object_pairs_hook=_without_repeats, parse_float=_finite, parse_constant=_refuse_constant)
        # JSON can spell half a surrogate pair, which no text can hold: it would break whoever prints or stores it.
        json.dumps(decoded, ensure_ascii=False).encode("utf-8")
    except JsonFault:
        raise
    except ValueError as error:
        raise JsonFault(f"is not JSON in UTF-8 ({error!s:.80})") from error
    return decoded


def _depth(text: str) -> int:
    """Levels of brackets outside of strings; never fewer than a parser meets before its first error."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _without_repeats(pairs: list[tuple[str, object]]) -> dict:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise JsonFault("has a name twice in one object")
    return content


def _finite(text: str) -> float:
    """JSON can spell numbers that are Infinity without saying so, such as 1e999."""
    if not math.isfinite(value := float(text)):
        raise JsonFault("contains a number beyond float64")
    return value


def _refuse_constant(name: str) -> None:
    raise JsonFault(f"contains {name}")
