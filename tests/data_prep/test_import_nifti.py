"""An import writes what the files say, no more: voxel for voxel, and never a guess about what is contoured."""

import numpy as np
import pytest
import SimpleITK as sitk

from data_prep.__main__ import main
from src.data.dataset import Dataset
from tests.data_prep.conftest import LABELS, TG263, Hospital, contents, ct_ZYX, image_of, labels_ZYX


def array(image: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(image)


@pytest.mark.parametrize("contours", ["labels", "masks"])
def test_voxels_and_geometry_are_those_of_the_source(hospital: Hospital, contours: str):
    for native in LABELS:
        hospital.add_mask("case_1", native)
        hospital.add_mask("case_2", native)
    assert main(hospital.command(contours=contours)) == 0
    dataset = Dataset.open(hospital.output / "north")
    assert set(dataset.cases) == {"case_1", "case_2"}
    for case, record in dataset.cases.items():
        source = sitk.ReadImage(str(hospital.folder / "images" / f"{case}.nii.gz"))
        np.testing.assert_array_equal(array(dataset.read_ct(case)), array(source))
        assert dataset.read_ct(case).GetOrigin() == source.GetOrigin()
        assert record.structures == tuple(sorted(TG263.values()))
        for native, name in TG263.items():
            np.testing.assert_array_equal(array(dataset.read_mask(case, name)) > 0, labels_ZYX(native) > 0)


def test_three_real_patients_voxel_for_voxel(openkbp, tmp_path):
    rows = (openkbp / "cases.csv").read_text().splitlines()
    chosen = [rows[1], rows[2], next(row for row in rows if ",site_b," in row)]
    (tmp_path / "cases.csv").write_text("\n".join([rows[0], *chosen]) + "\n")
    argv = ["--table", str(tmp_path / "cases.csv"), "--images", str(openkbp / "ct"), "--labels", str(openkbp / "label")]
    options = ["--label-map", "data_prep/maps/openkbp.csv", "--anatomy", "head_neck", "--output", str(tmp_path / "out")]
    assert main(["import-nifti", *argv, *options]) == 0
    native_of = {
        "SpinalCord": 2,
        "Parotid_R": 3,
        "Parotid_L": 4,
        "Esophagus": 5,
        "Larynx": 6,
        "Bone_Mandible": 7,
        "Brainstem": 1,
    }
    own_words = {"Parotid_R": "RightParotid", "Parotid_L": "LeftParotid", "Bone_Mandible": "Mandible"}
    for row in chosen:
        case, site, split, *_, contoured = row.split(",")
        dataset = Dataset.open(tmp_path / "out" / site)
        labels = sitk.ReadImage(str(openkbp / "label" / f"{case}.nii.gz"))
        ct = sitk.ReadImage(str(openkbp / "ct" / f"{case}.nii.gz"))
        np.testing.assert_array_equal(array(dataset.read_ct(case)), array(ct))
        assert dataset.read_ct(case).GetDirection() == ct.GetDirection()
        assert dataset.cases[case].split == split
        assert {own_words.get(name, name) for name in dataset.cases[case].structures} == set(contoured.split())
        for name in dataset.cases[case].structures:
            np.testing.assert_array_equal(array(dataset.read_mask(case, name)), array(labels) == native_of[name])
        if {"Parotid_L", "Parotid_R"} <= set(dataset.cases[case].structures):
            left, right = (np.argwhere(array(dataset.read_mask(case, f"Parotid_{side}")))[:, 2].mean() for side in "LR")
            assert left > right  # x grows to the patient's left


def test_a_structure_the_table_leaves_out_is_unknown_though_the_label_map_has_it(hospital: Hospital):
    hospital.write("cases.csv", "case,site,contoured", "case_1,north,LeftParotid", "case_2,north,Brain stem;Parotid-Rt")
    assert main(hospital.command()) == 0
    dataset = Dataset.open(hospital.output / "north")
    assert dataset.cases["case_1"].structures == ("Parotid_L",)
    assert dataset.cases["case_2"].structures == ("Brainstem", "Parotid_R")
    assert not dataset.mask_path("case_1", "Brainstem").exists()


def test_without_a_list_a_label_without_voxels_is_unknown_not_empty(hospital: Hospital):
    hospital.add_case("case_2", labels=image_of(labels_ZYX("Brain stem")))
    assert main(hospital.command()) == 0
    assert Dataset.open(hospital.output / "north").cases["case_2"].structures == ("Brainstem",)


def test_contoured_without_voxels_is_an_empty_mask_and_a_recorded_warning(hospital: Hospital):
    hospital.add_case("case_2", labels=image_of(labels_ZYX("LeftParotid")))
    hospital.write("cases.csv", "case,site,contoured", "case_2,north,LeftParotid;Brain stem")
    assert main(hospital.command()) == 0
    dataset = Dataset.open(hospital.output / "north")
    assert not array(dataset.read_mask("case_2", "Brainstem")).any()
    assert dataset.cases["case_2"].checks == ("Brainstem is listed as contoured and has no voxels",)


def test_an_own_mapping_goes_before_the_synonyms_and_may_leave_a_name_out(hospital: Hospital):
    hospital.write("labels.csv", "label,name", "1,Stem", "2,LeftParotid", "3,Junk")
    names = hospital.write("names.csv", "native,tg263", "stem,Brainstem", "junk,", "leftparotid,Glnd_Submand_L")
    assert main(hospital.command("--names", str(names))) == 0
    assert Dataset.open(hospital.output / "north").cases["case_1"].structures == ("Brainstem", "Glnd_Submand_L")


def test_unmatched_names_are_left_out_only_when_told(hospital: Hospital):
    hospital.write("labels.csv", "label,name", "1,Brainstem", "2,Couch", "3,GTV-1")
    assert main(hospital.command()) != 0
    assert main(hospital.command("--skip-unmatched")) == 0
    assert Dataset.open(hospital.output / "north").cases["case_1"].structures == ("Brainstem",)


def test_one_folder_per_site_or_the_dataset_itself(hospital: Hospital):
    hospital.write("cases.csv", "case,site,split", "case_1,north,train", "case_2,south,test")
    assert main(hospital.command()) == 0
    assert Dataset.open(hospital.output / "south").cases["case_2"].split == "test"
    hospital.write("cases.csv", "case", "case_1")
    assert main([*hospital.command("--site", "east")[:-2], "--site", "east", "--output", str(hospital.folder / "e")]) == 0
    assert Dataset.open(hospital.folder / "e").site == "east"


def test_files_may_keep_their_own_names(hospital: Hospital):
    hospital.add_case("Scan 0815")
    hospital.write("cases.csv", "case,site,source", "case_9,north,Scan 0815")
    assert main(hospital.command()) == 0
    assert "0815" not in " ".join(contents(hospital.output)) + (hospital.output / "north" / "dataset.json").read_text()


def test_importing_again_changes_nothing_and_keeps_a_split_that_was_drawn(hospital: Hospital):
    assert main(hospital.command()) == 0
    assert main(["split", str(hospital.output / "north"), "--fractions", "0.5,0,0.5"]) == 0
    before = contents(hospital.output)
    assert main(hospital.command()) == 0
    assert contents(hospital.output) == before


def test_a_float_ct_is_rounded_and_a_flipped_grid_stays_flipped(hospital: Hospital):
    ct = image_of(ct_ZYX().astype(np.float32) + 0.4)
    labels = image_of(labels_ZYX("Brain stem"))
    for image in (ct, labels):
        image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    hospital.add_case("case_1", ct, labels)
    assert main(hospital.command()) == 0
    read = Dataset.open(hospital.output / "north").read_ct("case_1")
    assert read.GetPixelID() == sitk.sitkInt16
    assert read.GetDirection() == ct.GetDirection()
    np.testing.assert_array_equal(array(read), ct_ZYX())
