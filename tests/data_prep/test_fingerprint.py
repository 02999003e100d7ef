"""What a site would share: right for many patients, silent on few, and nothing in it that leads to one."""

import json
import re

import numpy as np
import pytest
import SimpleITK as sitk

from data_prep.__main__ import main
from data_prep.fingerprint import fingerprint_of
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from tests.conftest import sphere_case, write_sphere_dataset
from tests.data_prep.conftest import contents


def numbers(node) -> list[float]:
    """All numbers below a node."""
    if isinstance(node, dict):
        return [number for value in node.values() for number in numbers(value)]
    return [node] if isinstance(node, int | float) else []


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Dataset:
    """Ten training cases, one for validation and one for test; Brainstem in four cases alone."""
    writer = DatasetWriter(tmp_path_factory.mktemp("secret_ward") / "north", anatomy="head_neck", site="north")
    for number in range(12):
        ct, masks = sphere_case(number, ("Parotid_L", "Parotid_R", *(["Brainstem"] if number < 4 else [])))
        split = "train" if number < 10 else ("valid", "test")[number - 10]
        writer.add_case(f"patient_{number:02d}", ct, masks, split=split, checks=("a note of 2024-05-06",))
    return writer.dataset


def test_what_is_told(site):
    told = fingerprint_of(site)
    assert told["cases"] == {"train": 10, "valid": "<5", "test": "<5"}
    percents = ("5", "25", "50", "75", "95")
    assert told["spacing_mm"] == {axis: dict.fromkeys(percents, mm) for axis, mm in (("x", 4), ("y", 4), ("z", 5))}
    assert told["size_voxels"]["z"]["50"] == 20
    assert told["structures"]["Parotid_L"]["cases"] == {"train": 10, "valid": "<5", "test": "<5"}
    assert told["structures"]["Parotid_L"]["hu"]["50"] == 60
    assert told["structures"]["Parotid_R"]["hu"]["50"] == 110
    voxels = sitk.GetArrayFromImage(site.read_mask("patient_05", "Parotid_L")).sum()
    assert told["structures"]["Parotid_L"]["volume_cm3"]["50"] == pytest.approx(voxels * 0.08, rel=0.05)
    assert told["hu"]["contoured"]["50"] in range(60, 111)


def test_four_patients_give_a_structure_no_figures(site):
    assert fingerprint_of(site)["structures"]["Brainstem"] == {
        "cases": {"train": "<5", "valid": 0, "test": 0},
        "hu": None,
        "volume_cm3": None,
    }


def test_four_training_cases_give_no_figure_at_all(tmp_path):
    told = fingerprint_of(write_sphere_dataset(tmp_path / "small", cases=6))
    assert numbers({key: told[key] for key in ("cases", "spacing_mm", "size_voxels", "hu")}) == []
    assert set(numbers(told["structures"])) == set()


def test_nothing_leads_to_a_patient_or_a_place(site):
    text = json.dumps(fingerprint_of(site))
    assert not re.search(r"patient_|secret_ward|2024|/|\.nii", text)


def test_the_outlier_of_one_patient_is_not_told(site, tmp_path):
    """One CT with another spacing and another HU: no figure is its own, and each moves by a fifth of the difference at most."""
    writer = DatasetWriter(tmp_path / "north", anatomy="head_neck", site="north")
    for record in site.cases.values():
        ct, masks = site.read_ct(record.name), {name: site.read_mask(record.name, name) for name in record.structures}
        if record.name == "patient_07":
            ct = ct + sitk.Cast(ct > -200, sitk.sitkInt16) * 900
            for image in (ct, *masks.values()):
                image.SetSpacing((0.77, 0.77, 7.0))
        writer.add_case(record.name, ct, masks, split=record.split)
    told, before = fingerprint_of(writer.dataset), fingerprint_of(site)
    assert {0.77, 7.0}.isdisjoint(numbers(told["spacing_mm"]))
    for axis, alone in (("x", 0.77), ("z", 7.0)):
        moved = np.abs(np.array(numbers(told["spacing_mm"][axis])) - numbers(before["spacing_mm"][axis]))
        assert moved.max() <= abs(alone - before["spacing_mm"][axis]["50"]) / 5 + 0.01
    hu, hu_before = (row["structures"]["Parotid_L"]["hu"]["50"] for row in (told, before))
    assert hu == hu_before + 90  # a tenth of 900: it is one of ten


def test_the_command_prints_and_writes_the_same_and_changes_nothing(site, tmp_path, capsys):
    before = contents(site.path)
    assert main(["fingerprint", str(site.path), "--output", str(tmp_path / "north.json")]) == 0
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "north.json").read_text()
    assert json.loads(printed) == fingerprint_of(site)
    assert contents(site.path) == before


def test_without_training_cases_it_is_refused(tmp_path, capsys):
    writer = DatasetWriter(tmp_path / "north", anatomy="head_neck", site="north")
    writer.add_case("case_1", *sphere_case(1))
    assert main(["fingerprint", str(tmp_path / "north")]) == 1
    assert "run 'python -m data_prep split' first" in capsys.readouterr().err
    assert main(["fingerprint", str(tmp_path / "nowhere")]) == 1
