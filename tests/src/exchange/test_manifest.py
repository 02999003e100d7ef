"""A manifest is believed as a whole or not at all."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.exchange.manifest import Manifest, ManifestFault, manifest_from_json
from tests.src.exchange.small_snapshots import MANIFEST, STRUCTURES

TEXTS = ("site", "federation_id", "run_id", "architecture_hash", "code_version")
WHOLE = st.integers(0, 2**31 - 1)
TEXT = st.text(st.characters(categories=["L", "N", "P"]), max_size=200)


def table(values):
    return st.fixed_dictionaries(dict.fromkeys(STRUCTURES, values))


MANIFESTS = st.builds(
    Manifest,
    **dict.fromkeys(TEXTS, TEXT),
    epoch=st.integers(1, 2**31 - 1),
    sequence=st.integers(1, 2**31 - 1),
    round=WHOLE,
    final=st.booleans(),
    train_cases=table(WHOLE),
    valid_cases=table(WHOLE),
    valid_dice=table(st.none() | st.floats(0, 1)),
    row_cases=table(st.floats(0, 1e9)),
)


@given(MANIFESTS)
def test_what_is_written_is_what_is_read(manifest):
    assert manifest_from_json(json.loads(json.dumps(manifest.to_json())), STRUCTURES) == manifest


NO_TEXT = ["x" * 201, "two\nlines", "\x1b[31mred", 7, None, ["site_b"]]
NO_COUNT = [-1, 2**31, 1.0, True, "3", None, math.nan]
NO_TABLE = [None, [], {}, {"Brainstem": 1}, {"Brainstem": 1, "Parotid_L": 1, "Heart": 1}]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in TEXTS for value in NO_TEXT),
        *((name, value) for name in ("epoch", "sequence") for value in (*NO_COUNT, 0)),
        *(("round", value) for value in NO_COUNT),
        *(("final", value) for value in (0, 1, None, "true")),
        *((name, value) for name in ("train_cases", "valid_cases", "valid_dice", "row_cases") for value in NO_TABLE),
    ],
)
def test_an_impossible_entry_is_named(name, value):
    with pytest.raises(ManifestFault, match=name):
        manifest_from_json({**MANIFEST.to_json(), name: value}, STRUCTURES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("train_cases", "valid_cases") for value in NO_COUNT),
        *(("valid_dice", value) for value in (-0.1, 1.1, math.nan, math.inf, True, "0.5")),
        *(("row_cases", value) for value in (-1, 2e9, math.nan, math.inf, True, "4", None)),
    ],
)
def test_an_impossible_value_of_one_structure_is_named(name, value):
    tables = {**getattr(MANIFEST, name), "Parotid_L": value}
    with pytest.raises(ManifestFault, match=f"an impossible {name} of Parotid_L"):
        manifest_from_json({**MANIFEST.to_json(), name: tables}, STRUCTURES)


@pytest.mark.parametrize("content", [None, [], "manifest", 7, {}])
def test_what_is_no_manifest_is_refused(content):
    with pytest.raises(ManifestFault, match="does not have the entries"):
        manifest_from_json(content, STRUCTURES)


def test_an_entry_too_few_or_too_many_is_refused():
    content = MANIFEST.to_json()
    for name in content:
        with pytest.raises(ManifestFault, match="does not have the entries"):
            manifest_from_json({key: value for key, value in content.items() if key != name}, STRUCTURES)
    with pytest.raises(ManifestFault, match="does not have the entries"):
        manifest_from_json({**content, "patient": "x"}, STRUCTURES)


@pytest.mark.parametrize("version", [0, 2, True, 1.0, "1", None])
def test_another_version_is_refused(version):
    with pytest.raises(ManifestFault, match=r"has version .*, expected 1"):
        manifest_from_json({**MANIFEST.to_json(), "manifest_version": version}, STRUCTURES)


def test_a_message_stays_short_whatever_a_peer_sends():
    with pytest.raises(ManifestFault) as fault:
        manifest_from_json({**MANIFEST.to_json(), "manifest_version": "9" * 10**6}, STRUCTURES)
    assert len(str(fault.value)) < 200
