import json
import shutil

import numpy as np
import pytest
import torch

from experiments.score import score_run
from experiments.scoring import RegistrationError, read_scores, score_training_run
from experiments.scoring.scored_model import load_scored_model
from src.data.dataset import Dataset
from src.data.preprocessing import GridGeometry, Preprocessing, array_XYZ, to_working_grid
from src.data.structures import load_structures
from src.errors import DatasetError, ModelCardError, PlanSettingError
from src.evaluation.structure_metrics import COMPARED, MISSED, measure
from src.model.card import read_model
from src.model.inference import Predictor
from src.model.network import build_network
from src.model.state import load_network_state
from tests.conftest import SPHERE_STRUCTURES
from tests.experiments.scoring.runs import SITES, entry, individual_run, write_run, write_tiny_model


@pytest.fixture(scope="module")
def scored(run, data, tmp_path_factory):
    return read_scores(score_training_run(run, data, "valid", tmp_path_factory.mktemp("scores") / "new" / "seed_0.jsonl"))


def test_last_models_meet_every_sites_patients_and_best_ones_their_own(scored):
    pairs = {(row.which, row.model_site, row.patient_site) for row in scored}
    everywhere = {("last", model, patient) for model in SITES for patient in SITES}
    assert pairs == everywhere | {("best", site, site) for site in SITES}


def test_there_is_a_row_for_what_is_contoured_and_no_other(scored):
    for site, structures in (("site_a", set(SPHERE_STRUCTURES)), ("site_b", {"Parotid_L", "Parotid_R"})):
        rows = [row for row in scored if (row.patient_site, row.model_site, row.which) == (site, "site_a", "last")]
        assert {row.structure for row in rows} == structures and len(rows) == len(structures)
        assert {(row.arm, row.seed, row.patient) for row in rows} == {("individual", 0, f"{site}_01")}


def test_dice_is_that_of_the_score_command(scored, run, data, tmp_path):
    copied = shutil.copytree(run, tmp_path / "run")
    for which in ("last", "best"):
        sites = json.loads(score_run(copied, data, "valid", which).read_text())["sites"]
        expected = {
            (site, case, name): value
            for site, score in sites.items()
            for case, values in score["cases"].items()
            for name, value in values.items()
        }
        own = [row for row in scored if row.which == which and row.model_site == row.patient_site]
        assert {(row.patient_site, row.patient, row.structure): row.dice for row in own} == expected and expected


def test_rows_hold_every_measure_of_the_masks_that_the_predictor_makes(scored, run, data):
    card, tensors = read_model(run / "save" / "site_b" / "last.safetensors")
    network = build_network(card.network, 3)
    load_network_state(network, tensors, origin="the test")
    predictor = Predictor(
        network,
        patch_voxels=card.patch_voxels,
        window_hu=(-200, 300),
        overlap=0.25,
        precision=torch.float32,
        device=torch.device("cpu"),
    )
    dataset = Dataset.open(data / "site_a")
    ct = dataset.read_ct("site_a_01")
    grid = to_working_grid(ct, Preprocessing(spacing_mm=(4.0, 4.0, 5.0), window_hu=(-200, 300), body_margin_mm=4))
    rows = {row.structure: row for row in scored if (row.model_site, row.patient_site) == ("site_b", "site_a")}
    for channel, mask_XYZ in predictor.masks(array_XYZ(grid), GridGeometry.of(grid), GridGeometry.of(ct), range(3)):
        name = SPHERE_STRUCTURES[channel]
        truth_XYZ = array_XYZ(dataset.read_mask("site_a_01", name))
        expected = measure(mask_XYZ, truth_XYZ, ct.GetSpacing(), load_structures()[name].tolerance_mm)
        assert expected.status == COMPARED and expected.dice > 0
        for field, value in vars(expected).items():
            assert getattr(rows[name], field) == value


def test_shared_models_are_scored_everywhere_and_the_others_may_be_kept_at_home(data, tmp_path):
    run = tmp_path / "fedavg" / "seed_0"
    models = [entry("fedavg", None, "last", "save/x.safetensors"), entry("fedavg", None, "best", "save/y.safetensors")]
    models += [entry("fedavg_local", site) for site in SITES]
    for number, model in enumerate(models):
        write_tiny_model(run / model["path"], draw=number)
    write_run(run, models)
    rows = read_scores(score_training_run(run, data, "valid", tmp_path / "s.jsonl", own_site_only=True))
    shared = {(row.arm, row.which, row.patient_site) for row in rows if row.model_site is None}
    assert shared == {("fedavg", which, site) for which in ("last", "best") for site in SITES}
    assert {(row.model_site, row.patient_site) for row in rows if row.model_site} == {(site, site) for site in SITES}


def test_models_with_the_same_weights_score_the_same_under_each_name(data, tmp_path):
    run = tmp_path / "individual" / "seed_0"
    models = [entry("individual", "site_a", which) for which in ("last", "best")]
    for model in models:
        write_tiny_model(run / model["path"], draw=3)
    rows = read_scores(score_training_run(write_run(run, models), data, "valid", tmp_path / "s.jsonl"))
    by_name = {
        which: [(row.structure, row.dice, row.hd95_mm) for row in rows if row.which == which and row.patient_site == "site_a"]
        for which in ("last", "best")
    }
    assert by_name["last"] == by_name["best"] and len(by_name["best"]) == 3


def test_an_untrained_structure_has_no_row_and_an_empty_prediction_is_missed(data, tmp_path):
    run = tmp_path / "individual" / "seed_0"
    write_tiny_model(run / "save" / "site_a" / "last.safetensors", draw=1, trained=("Parotid_L",), bias=-100.0)
    write_run(run, [entry("individual", "site_a")])
    rows = read_scores(score_training_run(run, data, "valid", tmp_path / "s.jsonl"))
    assert {(row.patient_site, row.structure, row.status, row.dice, row.hd95_mm) for row in rows} == {
        (site, "Parotid_L", MISSED, 0, None) for site in SITES
    }


def test_a_model_that_trained_nothing_of_a_patient_never_reads_the_ct(data, tmp_path):
    site_b = shutil.copytree(data / "site_b", tmp_path / "data" / "site_b")
    ct = site_b / "cases" / "site_b_01" / "ct.nii.gz"
    run = tmp_path / "individual" / "seed_0"
    write_tiny_model(run / "save" / "site_b" / "last.safetensors", draw=1, trained=("Brainstem",))
    write_run(run, [entry("individual", "site_b")])
    ct.unlink()
    assert read_scores(score_training_run(run, tmp_path / "data", "valid", tmp_path / "s.jsonl")) == []


def test_scoring_twice_writes_the_same_bytes_and_leaves_the_threads_alone(run, data, tmp_path):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        one, other = (score_training_run(run, data, "valid", tmp_path / name / "s.jsonl") for name in "ab")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert one.read_bytes() == other.read_bytes() and one.stat().st_size
    assert sorted(path.name for path in one.parent.iterdir()) == ["s.jsonl", "s.stamp.json"]


def test_test_patients_are_not_read_without_a_look(run, data, tmp_path):
    with pytest.raises(RegistrationError, match="make report FINAL=1"):
        score_training_run(run, data, "test", tmp_path / "s.jsonl")
    assert not list(tmp_path.iterdir())


def test_what_does_not_belong_together_is_refused_and_nothing_is_written(run, data, tmp_path):
    lone = tmp_path / "lone"
    shutil.copytree(data / "site_a", lone / "site_a")
    with pytest.raises(DatasetError, match="a model of site_b, the data have no such site"):
        score_training_run(run, lone, "valid", tmp_path / "s.jsonl")
    renamed = shutil.copytree(run, tmp_path / "individual" / "seed_1")
    with pytest.raises(PlanSettingError, match="random_seed, found 0"):
        score_training_run(renamed, data, "valid", tmp_path / "s.jsonl")
    other_table = individual_run(tmp_path / "table" / "seed_0")
    write_tiny_model(other_table / "save" / "site_b" / "last.safetensors", draw=1, digest="0" * 64)
    with pytest.raises(ModelCardError, match=r"another plan/structures\.yaml"):
        score_training_run(other_table, data, "valid", tmp_path / "s.jsonl")
    assert not list(tmp_path.glob("*.jsonl"))


def test_a_model_of_another_anatomy_is_refused(run):
    with pytest.raises(ModelCardError, match="made for head_neck, found a dataset of liver"):
        load_scored_model(run / "save/site_a/last.safetensors", "liver", {"overlap": 0.25, "precision": "float32"})


def test_masks_of_two_networks_differ(run):
    """Else the tests above could not tell one model from another."""
    one, other = (read_model(run / "save" / site / "last.safetensors")[1]["head.weight"] for site in SITES)
    assert not np.array_equal(one, other)
