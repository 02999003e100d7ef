"""All checks together: silent on a sound patient, the same in any orientation, and right about real patients."""

import re
from functools import lru_cache

import numpy as np
import pytest
import SimpleITK as sitk

from src.case_checks.case import check_images
from src.case_checks.finding import Finding
from tests.conftest import SHARED_DATA
from tests.src.case_checks.patient import body_ct, head_neck, image, organ, said

OPENKBP = SHARED_DATA / "openkbp_head_neck"
LABELS = {1: "Brainstem", 2: "SpinalCord", 3: "Parotid_R", 4: "Parotid_L", 5: "Esophagus", 6: "Larynx", 7: "Bone_Mandible"}


def test_nothing_is_said_of_a_sound_patient():
    assert check_images("case_1", *head_neck()) == []
    assert check_images("case_1", body_ct(), {}) == []


def test_all_that_is_wrong_is_said_at_once_and_names_nobody_but_the_pseudonym():
    ct, masks = head_neck()
    masks["Parotid_L"] = organ("Parotid_R", moved_mm=(-60, 0, 0))  # right of its partner, and half outside
    masks["Brainstem"] = masks["Bone_Mandible"]  # bone, and one file under two names
    found = check_images("case_1", ct, masks)
    for part in ("lies to the right of", "are the same voxels", "outside the body", "Brainstem or more is not its tissue"):
        assert len(said(found, part)) == 1, part
    assert {finding.case for finding in found} == {"case_1"}
    assert not any("case_1" in finding.what for finding in found)  # the same words in every case, so that they are grouped


@pytest.mark.parametrize("orientation", ["RAS", "PIR", "SLA"])
def test_the_axes_of_the_file_do_not_matter(orientation):
    ct, masks = head_neck()
    masks["Parotid_L"] = organ("Parotid_R", moved_mm=(-20, 0, 0))
    masks["Brainstem"] = organ("Brainstem", moved_mm=(0, 0, 60))
    turned = {name: sitk.DICOMOrient(mask, orientation) for name, mask in masks.items()}
    found = check_images("case_1", sitk.DICOMOrient(ct, orientation), turned)
    assert found == check_images("case_1", ct, masks)
    assert said(found, "first or last slice")


def test_a_ct_that_is_no_hu_is_not_searched_for_a_body():
    ct, masks = head_neck()
    found = check_images("case_1", ct + 1024, masks)
    assert [finding.severity for finding in found] == ["refused"]
    assert said(found, "1024 too high")
    broken = sitk.GetArrayFromImage(sitk.Cast(ct, sitk.sitkFloat32))
    broken[0, 0, 0] = np.nan
    assert said(check_images("case_1", image(broken), masks), "NaN")


def test_fractions_of_hu_are_fine():
    ct, masks = head_neck()
    assert check_images("case_1", sitk.Cast(ct, sitk.sitkFloat32) + 0.5, masks) == []


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_voxels_and_axes_are_there_is_an_answer(seed):
    random = np.random.default_rng(seed)
    shape, spacing_mm = random.integers(1, 9, 3), [float(value) for value in random.uniform(0.1, 9, 3)]
    direction = np.linalg.qr(random.normal(size=(3, 3)))[0].ravel().tolist()
    ct = image(random.integers(-1100, 2000, shape).astype(np.int16), spacing_mm)
    masks = {name: image((random.random(shape) < random.random()).astype(np.uint8), spacing_mm) for name in LABELS.values()}
    for turned in (ct, *masks.values()):
        turned.SetDirection(direction)
    assert all(finding.what for finding in check_images("case_1", ct, masks))


@lru_cache(maxsize=32)
def findings_of_patient(case: str) -> tuple[Finding, ...]:
    if not OPENKBP.is_dir():
        pytest.skip("the real OpenKBP patients are not on this machine (../shared/data/openkbp_head_neck)")
    labels = sitk.ReadImage(str(OPENKBP / "label" / f"{case}.nii.gz"))
    there = np.unique(sitk.GetArrayViewFromImage(labels))
    masks = {name: sitk.Cast(labels == number, sitk.sitkUInt8) for number, name in LABELS.items() if number in there}
    return tuple(check_images(case, sitk.ReadImage(str(OPENKBP / "ct" / f"{case}.nii.gz")), masks))


def test_a_real_patient_whose_contours_do_not_lie_on_the_ct():
    found = list(findings_of_patient("openkbp_221"))
    assert len(said(found, "do its contours belong to this CT?")) >= 3


def training_patients() -> list[str]:
    if not OPENKBP.is_dir():
        return []
    rows = [row.split(",") for row in (OPENKBP / "cases.csv").read_text().splitlines()]
    return [row[0] for row in rows if row[2] == "train"][::6]


def test_hardly_any_other_real_patient_is_suspected_of_it():
    """Every sixth training patient; one whose CT the challenge blanked in places may be among them."""
    patients = training_patients()
    suspected = [case for case in patients if said(list(findings_of_patient(case)), "do its contours belong to this CT?")]
    assert len(suspected) <= 0.05 * max(20, len(patients)), suspected


def test_what_is_said_of_real_patients_is_rare_for_each_structure():
    said_of: dict[str, int] = {}
    for case in training_patients():
        for finding in findings_of_patient(case):
            if not re.search("reaches the first or last slice", finding.what):  # their CTs were cut
                said_of[finding.what] = said_of.get(finding.what, 0) + 1
    assert all(count <= 2 for count in said_of.values()), said_of
