"""The commands that docs/data_prep.md gives for public sets, run as they stand there, on small look-alikes of those sets."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from src.data.dataset import Dataset
from tests.data_prep.conftest import ROOT, SHAPE_ZYX, ct_ZYX, image_of


def commands_under(heading: str) -> str:
    """All commands between a heading of docs/data_prep.md and the next."""
    text = (ROOT / "docs" / "data_prep.md").read_text(encoding="utf-8")
    section = re.split(r"^#+ ", text.partition(f"### {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return "\n".join(line.removeprefix("    ") for line in section.splitlines() if line.startswith("    "))


def run_documented(heading: str, folder: Path) -> str:
    """Runs them in a folder that has what a workspace has; they must end well."""
    for name in ("data_prep", "src", "plan"):
        (folder / name).symlink_to(ROOT / name)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = ["bash", "-eu", "-c", commands_under(heading)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write_patient(ct: Path, labels: Path, number: int, values: Sequence[int]) -> np.ndarray:
    """A box of tissue in which each label is a box of its own, side by side along x; returns the labels."""
    labels_ZYX = np.zeros(SHAPE_ZYX, np.uint8)
    for place, value in enumerate(values):
        labels_ZYX[3:7, 6:12, 4 + place : 5 + place] = value
    for path, voxels in ((ct, ct_ZYX(number)), (labels, labels_ZYX)):
        path.parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image_of(voxels), str(path))
    return labels_ZYX


def test_task03_of_the_decathlon_with_its_tumours_in_the_liver(tmp_path):
    task = tmp_path / "Task03_Liver"
    for number in range(13):
        name = f"liver_{number}.nii.gz"
        labels_ZYX = write_patient(task / "imagesTr" / name, task / "labelsTr" / name, number, (1, 1, 2, 1, 1))
    (task / "labelsTr" / "._liver_0.nii.gz").write_bytes(b"what a Mac leaves in an archive")
    run_documented("Medical Segmentation Decathlon, Task03 Liver", tmp_path)
    sites = {path.name: Dataset.open(path) for path in sorted((tmp_path / "runs" / "data" / "msd").iterdir())}
    assert {name: len(site.cases) for name, site in sites.items()} == {"site_1": 4, "site_2": 3, "site_3": 3, "site_4": 3}
    assert all(record.structures == ("Liver",) and record.split for site in sites.values() for record in site.cases.values())
    liver_ZYX = sitk.GetArrayFromImage(sites["site_1"].read_mask("msd_12", "Liver"))
    np.testing.assert_array_equal(liver_ZYX > 0, labels_ZYX > 0)


@pytest.mark.parametrize(
    ("heading", "ct", "labels", "values", "dataset", "case", "right_kidney"),
    [
        (
            "AMOS 2022",
            "amos22/imagesTr/amos_{}.nii.gz",
            "amos22/labelsTr/amos_{}.nii.gz",
            (2, 6, 9, 15, 3),
            "amos",
            "amos_0008",
            2,
        ),
        (
            "FLARE 2022",
            "FLARE22Train/images/FLARE22_Tr_{}_0000.nii.gz",
            "FLARE22Train/labels/FLARE22_Tr_{}.nii.gz",
            (2, 1, 6, 5, 13),
            "flare",
            "flare_0008",
            2,
        ),
    ],
)
def test_a_set_with_many_organs(tmp_path, heading, ct, labels, values, dataset, case, right_kidney):
    for number in ("0008", "0009", "0010"):
        labels_ZYX = write_patient(tmp_path / ct.format(number), tmp_path / labels.format(number), int(number), values)
    if dataset == "amos":  # an MR image, in which nothing is in HU
        write_patient(tmp_path / ct.format("0507"), tmp_path / labels.format("0507"), 507, values)
    run_documented(heading, tmp_path)
    made = Dataset.open(tmp_path / "runs" / "data" / dataset)
    assert len(made.cases) == 3 and {"Liver", "Kidney_L", "Kidney_R", "V_Venacava_I"} <= set(made.cases[case].structures)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(made.read_mask(case, "Kidney_R")) > 0, labels_ZYX == right_kidney)
