"""Volumes outside the normal range are named; the lower limit needs the whole organ."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.case_checks.mask_facts import mask_facts
from src.case_checks.volume import check_volumes
from tests.src.case_checks.patient import image, organ


def findings(name: str, mask) -> list[str]:
    return [finding.what for finding in check_volumes("case_1", {name: mask_facts(mask)})]


@pytest.mark.parametrize(("volume_cm3", "expected"), [(2, "smaller than 7.2"), (27, None), (120, "larger than 83")])
def test_a_parotid_gland_of_2_27_and_120_cm3(volume_cm3, expected):
    found = findings("Parotid_L", organ("Parotid_L", volume_cm3=volume_cm3))
    assert [expected in what for what in found] == ([True] if expected else [])


@pytest.mark.parametrize(("moved_mm", "expected"), [(0, 1), (71, 0), (66, 0), (50, 1)])
def test_a_small_rest_at_the_end_of_the_ct_is_no_small_organ(moved_mm, expected):
    """2 cm3 are three slices of 5 mm about the middle; the last slice of the CT lies at 72.5 mm."""
    assert len(findings("Parotid_L", organ("Parotid_L", volume_cm3=2, moved_mm=(0, 0, moved_mm)))) == expected


def test_a_structure_without_a_source_has_any_volume():
    assert findings("OpticChiasm", organ("Liver")) == []


@settings(max_examples=30, deadline=None)
@given(st.integers(-40, 40), st.integers(-40, 40), st.integers(-20, 20), st.sampled_from([2, 27, 120]))
def test_the_place_within_the_ct_does_not_matter(x, y, z, volume_cm3):
    moved = organ("Parotid_L", volume_cm3=volume_cm3, moved_mm=(6 * (x // 6), 6 * (y // 6), 5 * (z // 5)))
    assert findings("Parotid_L", moved) == findings("Parotid_L", organ("Parotid_L", volume_cm3=volume_cm3))


def test_the_volume_counts_millimetres_and_not_voxels():
    import SimpleITK as sitk

    voxels = sitk.GetArrayFromImage(organ("Parotid_L"))
    assert findings("Parotid_L", image(voxels)) == []
    assert "larger" in findings("Parotid_L", image(voxels, (12.0, 12.0, 5.0)))[0]
    assert "smaller" in findings("Parotid_L", image(voxels, (2.0, 2.0, 5.0)))[0]
