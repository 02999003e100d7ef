"""JSON with one meaning is decoded as the standard library does; all other is refused, and nothing else ever escapes."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from src.exchange.strict_json import JsonFault, strict_json

CONTENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


def depth(content: object) -> int:
    inner = list(content.values()) if isinstance(content, dict) else content if isinstance(content, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(CONTENTS, st.booleans())
@example({'["[\\"{': [{"]": "\\"}]}, True)
def test_plain_json_comes_back_at_its_own_depth_and_no_less(content, ascii_only):
    encoded = json.dumps(content, ensure_ascii=ascii_only).encode()
    assert strict_json(encoded, depth(content)) == content
    if depth(content):
        with pytest.raises(JsonFault, match="deeper than"):
            strict_json(encoded, depth(content) - 1)


@given(st.binary(max_size=40) | st.text(alphabet='[]{}",:\\ue1d8 09-.NaNInfinity', max_size=40).map(str.encode))
def test_nothing_but_a_fault_escapes(content):
    try:
        decoded = strict_json(content, 3)
    except JsonFault:
        return
    assert json.loads(content) == decoded


@pytest.mark.parametrize("piece", ['"', '\\"', '"\\"', "\\", '""', "[", "]", "[]", '{"a":', '"a",', "1,", "1e9", "é", '"[\\\\'])
@pytest.mark.parametrize("begin", ["", '"', "[", '["'])
def test_a_megabyte_of_anything_is_judged_in_seconds(begin, piece):
    content = (begin + piece * (2**20 // len(piece))).encode()
    began = time.process_time()
    with pytest.raises(JsonFault):
        strict_json(content, 3)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b'{"a":1,"a":1}', "name twice"),
        (b'[{"b":{"a":1,"a":1}}]', "name twice"),
        (b"NaN", "contains NaN"),
        (b"[-Infinity]", "contains -Infinity"),
        (b"1e999", "beyond float64"),
        (b'"\\ud800"', "not JSON in UTF-8"),
        (b'{"\\udfff":1}', "not JSON in UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON in UTF-8"),
        (b"9" * 5000, "not JSON in UTF-8"),
        (b"1 2", "not JSON in UTF-8"),
        (b"[" * 2**20, "deeper than"),
        (b'{"a":' * 100_000, "deeper than"),
    ],
)
def test_each_kind_of_other_json_is_refused_by_name(content, fault):
    with pytest.raises(JsonFault, match=fault):
        strict_json(content, 3)
