"""What a person is told of predicted structures."""

import numpy as np
import pytest
import SimpleITK as sitk

from src.case_checks.mask_facts import mask_facts
from src.errors import CaseError
from src.predict.case_warnings import FIRST, find_warnings, refuse_no_ct
from tests.conftest import sphere_case


def facts_of(ct: sitk.Image, **boxes) -> dict:
    facts = {}
    for name, box in boxes.items():
        mask_ZYX = np.zeros(ct.GetSize()[::-1], np.uint8)
        mask_ZYX[box] = 1
        image = sitk.GetImageFromArray(mask_ZYX)
        image.CopyInformation(ct)
        facts[name] = mask_facts(image)
    return facts


def test_an_empty_structure_is_named_and_a_swap_of_sides_comes_first():
    ct, _ = sphere_case(1)
    left, right = np.s_[8:14, 12:20, 4:10], np.s_[8:14, 12:20, 22:28]  # x grows to the patient's left
    found = find_warnings("patient_1", ct, facts_of(ct, Brainstem=np.s_[0:0], Parotid_L=left, Parotid_R=right))
    assert found[0].startswith(FIRST) and "swapped" in found[0]
    assert "Brainstem was not found: is it in the CT?" in found


def test_the_border_of_the_ct_and_abnormal_volumes_are_told():
    ct, _ = sphere_case(1)
    found = " ".join(find_warnings("patient_1", ct, facts_of(ct, Brainstem=np.s_[10:20, 4:28, 0:28])))
    assert "Brainstem touches the side of the image" in found
    assert "Brainstem reaches the first or last slice" in found
    assert "Brainstem is larger than" in found


def test_nothing_is_said_twice():
    ct, _ = sphere_case(1)
    found = find_warnings("patient_1", ct, {})
    assert len(found) == len(set(found))


def test_what_holds_no_hu_is_refused():
    ct, _ = sphere_case(1)
    refuse_no_ct("patient_1", ct)
    with pytest.raises(CaseError, match=r"patient_1.*1024 too high"):
        refuse_no_ct("patient_1", ct + 1024)
