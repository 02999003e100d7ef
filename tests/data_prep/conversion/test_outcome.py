"""An outcome that was written down is read as it was."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.conversion.outcome import CaseOutcome, RoiOutcome

texts = st.text(max_size=20)
lines = st.lists(texts, max_size=3).map(tuple)
rois = st.builds(
    RoiOutcome,
    native=texts,
    structure=st.none() | texts,
    decision=st.sampled_from(["converted", "left out", "undecided", "refused"]),
    why=texts,
    volume_cm3=st.none() | st.floats(0, 1e5),
    notes=lines,
)
outcomes = st.builds(
    CaseOutcome,
    case=texts,
    status=st.sampled_from(["converted", "refused"]),
    found=lines,
    rois=st.lists(rois, max_size=3).map(tuple),
    refusals=lines,
    warnings=lines,
    size=st.none() | st.tuples(*[st.integers(1, 1000)] * 3),
    spacing_mm=st.none() | st.tuples(*[st.floats(0.1, 10)] * 3),
    picture_png_base64=st.none() | texts,
)


@settings(max_examples=60, deadline=None)
@given(outcomes)
def test_round_trip(outcome):
    text = outcome.to_json()
    assert CaseOutcome.from_json(text) == outcome
    assert CaseOutcome.from_json(text).to_json() == text


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"case": 1}', '{"rois": 3}', '{"rois": [], "found": []}'])
def test_something_else_is_refused(text):
    with pytest.raises((ValueError, KeyError, TypeError)):
        CaseOutcome.from_json(text)


def test_a_roi_with_an_unknown_field_is_refused():
    row = json.loads(CaseOutcome(case="a", status="converted").to_json())
    row["rois"] = [{"native": "x", "structure": None, "decision": "refused", "why": "y", "notes": [], "colour": 1}]
    with pytest.raises(TypeError):
        CaseOutcome.from_json(json.dumps(row))
