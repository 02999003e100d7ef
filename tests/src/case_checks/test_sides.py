"""Left and right, by the partner and by the middle of the body."""

import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from src.case_checks.body import find_body
from src.case_checks.mask_facts import in_patient_axes, mask_facts
from src.case_checks.sides import check_sides
from tests.src.case_checks.patient import body_ct, head_neck, organ


def findings(ct: sitk.Image, masks: dict[str, sitk.Image], *, body=True) -> list[tuple[str, str]]:
    ct = in_patient_axes(ct)
    facts = {name: mask_facts(mask) for name, mask in masks.items()}
    found = check_sides("case_1", ct, find_body(ct) if body else None, facts)
    return [(finding.severity, finding.what) for finding in found]


def test_a_sound_patient_in_any_orientation():
    ct, masks = head_neck()
    for orientation in ("LPS", "RAS", "PIR"):
        turned = {name: sitk.DICOMOrient(mask, orientation) for name, mask in masks.items()}
        assert findings(sitk.DICOMOrient(ct, orientation), turned) == []


def test_swapped_partners_are_refused_once():
    found = findings(body_ct(), {"Parotid_L": organ("Parotid_R"), "Parotid_R": organ("Parotid_L")})
    assert found == [("refused", "Parotid_L lies to the right of Parotid_R: the names or the image are swapped")]


@pytest.mark.parametrize(("name", "half"), [("Parotid_L", "right"), ("Parotid_R", "left")])
def test_a_lone_gland_in_the_other_half_is_a_warning(name, half):
    partner = {"Parotid_L": "Parotid_R", "Parotid_R": "Parotid_L"}[name]
    found = findings(body_ct(), {name: organ(partner)})
    assert found == [("warning", f"{name} lies in the {half} half of the body: is its name of the wrong side?")]
    assert findings(body_ct(), {name: organ(name)}) == []
    assert findings(body_ct(), {name: organ(partner)}, body=False) == []


def test_two_glands_of_one_side_are_a_warning():
    found = findings(body_ct(), {"Parotid_L": organ("Parotid_L"), "Parotid_R": organ("Parotid_L", moved_mm=(-25, 0, 0))})
    assert found == [("warning", "Parotid_R lies in the left half of the body: is its name of the wrong side?")]


def test_an_unpaired_organ_may_lie_anywhere():
    assert findings(body_ct(), {"Brainstem": organ("Brainstem", moved_mm=(60, 0, 0))}) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(-200, 200), st.integers(-200, 200), st.integers(-8, 4))
def test_only_the_patient_matters_and_not_where_the_scanner_counts_from(x, z, shift_columns):
    """A moved origin changes nothing, nor does a patient who lies off the middle of the image."""
    lone = organ("Parotid_R")
    ct = sitk.CyclicShift(body_ct(), [shift_columns, 0, 0])
    lone = sitk.CyclicShift(lone, [shift_columns, 0, 0])
    for moved in (ct, lone):
        moved.SetOrigin((float(x), 0.0, float(z)))
    assert len(findings(ct, {"Parotid_L": lone})) == 1
    assert findings(ct, {"Parotid_R": lone}) == []
