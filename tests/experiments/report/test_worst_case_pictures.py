"""Pictures of single patients, from real files and a network that nobody trained."""

from io import BytesIO

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from experiments.federation.workspaces import find_sites
from experiments.report.three_planes import Outline, disagreement, draw_planes
from experiments.report.worst_case_pictures import CasePicture, NoPicture, picture_worst_cases
from experiments.scoring import read_scores, score_training_run
from tests.experiments.scoring.runs import individual_run, make_data, write_study

SPACING_MM = np.array([1.0, 1.0, 2.0])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("pictures") / "data")


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory):
    folder = write_study(tmp_path_factory.mktemp("pictures") / "study", schemes=("individual", "gossip"))
    individual_run(folder / "train" / "individual" / "seed_0")
    return folder


def case(**changes) -> dict:
    return {
        "patient_site": "site_a",
        "patient": "site_a_01",
        "structure": "Parotid_L",
        "arm": "individual",
        "dice": 0.2,
        **changes,
    }


def pictures(rows, study_folder, data):
    arms = [{"name": "individual", "scheme": "individual"}, {"name": "gossip", "scheme": "gossip"}]
    return picture_worst_cases({"worst_cases": rows, "arms": arms}, study_folder, data)


def test_the_picture_is_of_the_model_that_was_scored(study_folder, data, tmp_path):
    (picture,) = pictures([case()], study_folder, data)
    assert isinstance(picture, CasePicture)
    (prediction,) = picture.predictions
    run = study_folder / "train" / "individual" / "seed_0"
    rows = read_scores(score_training_run(run, data, "valid", tmp_path / "seed_0.jsonl"))
    (row,) = [
        row
        for row in rows
        if (row.which, row.model_site, row.patient, row.structure) == ("last", "site_a", "site_a_01", "Parotid_L")
    ]
    assert prediction.dice == pytest.approx(row.dice) and prediction.seed == 0
    image = Image.open(BytesIO(picture.png))
    assert image.width > 1000 and image.format == "PNG" and len(picture.png) < 300_000


def test_what_cannot_be_drawn_is_said(study_folder, data):
    found = pictures([case(patient="nobody"), case(arm="gossip"), case(structure="Larynx")], study_folder, data)
    assert all(isinstance(one, NoPicture) for one in found)
    assert "does not have this patient" in found[0].why
    assert "gossip" in found[1].why and "Larynx" in found[2].why


def test_the_grid_may_run_the_other_way(data):
    """The same patient on a grid whose axes are flipped and permuted gives the same picture."""
    dataset = find_sites(data)["site_a"]
    ct, mask = dataset.read_ct("site_a_01"), dataset.read_mask("site_a_01", "Brainstem")

    def drawn(code: str) -> bytes:
        turned, inside = (sitk.DICOMOrient(image, code) for image in (ct, mask))
        truth_XYZ = sitk.GetArrayFromImage(inside).transpose(2, 1, 0) > 0
        smaller_XYZ = truth_XYZ.copy()
        smaller_XYZ[tuple(np.argwhere(truth_XYZ).T[:, :1])] = False
        empty_XYZ = np.zeros_like(truth_XYZ)
        return draw_planes(
            turned, [Outline("drawn", "#56B4E9", "-", truth_XYZ), Outline("none", "#E69F00", "-", empty_XYZ)], "t"
        )

    assert drawn("LPS") == drawn("IRA")


@given(corner=st.tuples(*[st.integers(2, 8)] * 3), size=st.integers(2, 4))
def test_the_planes_cross_where_the_masks_differ(corner, size):
    drawn_XYZ = np.zeros((16, 16, 16), bool)
    drawn_XYZ[:3, :3, :3] = True
    predicted_XYZ = drawn_XYZ.copy()
    predicted_XYZ[tuple(slice(start + 3, start + 3 + size) for start in corner)] = True
    place = tuple(disagreement(drawn_XYZ, predicted_XYZ, SPACING_MM))
    assert predicted_XYZ[place] and not drawn_XYZ[place]
    assert tuple(disagreement(drawn_XYZ, drawn_XYZ, SPACING_MM)) == (1, 1, 1)
    assert tuple(disagreement(np.zeros_like(drawn_XYZ), np.zeros_like(drawn_XYZ), SPACING_MM)) == (8, 8, 8)
