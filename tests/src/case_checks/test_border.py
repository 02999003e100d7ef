"""The edge of the image: always suspect at the sides, at its ends only for organs that are normally whole."""

import pytest

from src.case_checks.border import check_border
from src.case_checks.mask_facts import mask_facts
from tests.src.case_checks.patient import organ


def findings(name: str, **place) -> list[str]:
    return [finding.what for finding in check_border("case_1", {name: mask_facts(organ(name, **place))})]


@pytest.mark.parametrize("moved_mm", [(84, 0, 0), (-196, 0, 0), (0, -126, 0), (0, 107, 0)])
def test_every_side_is_seen(moved_mm):
    assert [what for what in findings("Parotid_L", moved_mm=moved_mm) if "touches the side of the image" in what]


@pytest.mark.parametrize("moved_mm", [(0, 0, 0), (60, 0, 0), (0, 60, 0), (0, 0, 50)])
def test_a_mask_within_the_image_is_fine(moved_mm):
    assert findings("Parotid_L", moved_mm=moved_mm) == []


@pytest.mark.parametrize("up_mm", [70, -70])
def test_a_whole_organ_at_the_first_or_last_slice_is_named_and_a_long_one_is_not(up_mm):
    assert ["first or last slice" in what for what in findings("Parotid_L", moved_mm=(0, 0, up_mm))] == [True]
    assert findings("SpinalCord", moved_mm=(0, 0, up_mm + 25)) == []
