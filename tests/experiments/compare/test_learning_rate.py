import json
from statistics import mean

import numpy as np
import pytest

from experiments.compare.errors import StudyError
from experiments.compare.learning_rate import choose, chosen_rate
from src.model.card import ModelCard, write_model
from tests.experiments.compare.conftest import SITES, small_study


def card(site: str, dice: dict) -> ModelCard:
    return ModelCard(
        anatomy="liver",
        structures=("Liver", "Spleen"),
        preprocessing={},
        patch_voxels=(8, 8, 8),
        network={},
        structures_digest="",
        site=site,
        validation_dice=dice,
        code_version="",
    )


def write_short_run(folder, arm: str, rate: float, dice_of_sites: dict[str, dict], shared_dice: float):
    """What a finished short run leaves that a choice looks at: cards, and reports of the shared model."""
    run = folder / f"search/{arm.removesuffix('_local')}/lr_{rate:g}"
    models, events = [], []
    for site, dice in dice_of_sites.items():
        for which, shown in (("last", dice), ("best", {"Liver": 1.0, "Spleen": 1.0})):
            path = f"save/{site}/{which}.safetensors"
            (run / path).parent.mkdir(parents=True, exist_ok=True)
            write_model(run / path, card(site, shown), {"w": np.zeros(1, np.float32)})
            models.append({"arm": arm, "model_site": site, "which": which, "path": path})
        events.append({"round": 0, "phase": "validate", "site": site, "dice": {"Liver": 0.9, "Spleen": 0.9}})
        events.append({"round": 1, "phase": "validate", "site": site, "dice": {"Liver": shared_dice, "Spleen": None}})
    (run / "models.json").write_text(json.dumps(models))
    (run / "metrics.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


def chosen(folder, scheme):
    return json.loads((folder / "search" / scheme / "chosen.json").read_text())


@pytest.mark.parametrize(("scheme", "arm"), [("gossip", "gossip"), ("fedavg", "fedavg_local")])
def test_what_the_sites_own_last_models_do_decides(tmp_path, scheme, arm):
    # Over structures first: site_b, with one of them, counts as much as site_a. The shared model says the contrary.
    better = {"site_a": {"Liver": 0.2, "Spleen": 0.4}, "site_b": {"Liver": 0.8, "Spleen": None}}
    worse = {"site_a": {"Liver": 0.7, "Spleen": 0.5}, "site_b": {"Liver": 0.4, "Spleen": None}}
    write_short_run(tmp_path, arm, 0.003, worse, shared_dice=0.9)
    write_short_run(tmp_path, arm, 0.01, better, shared_dice=0.1)
    study = small_study()
    choose(tmp_path, study, study.schemes[scheme], SITES)
    assert chosen_rate(tmp_path, scheme) == 0.01
    assert chosen(tmp_path, scheme)["valid_dice"] == pytest.approx({"0.003": mean([0.6, 0.4]), "0.01": mean([0.3, 0.8])})


def test_without_models_of_sites_the_shared_one_decides(tmp_path):
    study = small_study("local_finish_rounds", 0)
    for rate, shared_dice in ((0.003, 0.3), (0.01, 0.2)):
        write_short_run(tmp_path, "fedavg", rate, {"site_a": {"Liver": 1 - shared_dice}}, shared_dice)
    choose(tmp_path, study, study.schemes["fedavg"], SITES)
    assert chosen(tmp_path, "fedavg") == {"learning_rate": 0.003, "valid_dice": {"0.003": 0.3, "0.01": 0.2}}


def test_of_equal_ones_the_smaller(tmp_path):
    for rate in (0.003, 0.01):
        write_short_run(tmp_path, "gossip", rate, {"site_a": {"Liver": 0.5}}, 0.5)
    study = small_study()
    choose(tmp_path, study, study.schemes["gossip"], SITES)
    assert chosen_rate(tmp_path, "gossip") == 0.003


def test_one_candidate_and_another_s_choice_need_no_run(tmp_path):
    study = small_study("learning_rates", [0.003])
    for scheme in ("gossip", "gossip_without_site_c"):
        choose(tmp_path, study, study.schemes[scheme], SITES)
    assert chosen(tmp_path, "gossip") == {"learning_rate": 0.003, "valid_dice": {}}
    assert chosen(tmp_path, "gossip_without_site_c") == {**chosen(tmp_path, "gossip"), "learning_rate_of": "gossip"}


def test_a_run_without_validation_patients_chooses_nothing(tmp_path):
    for rate in (0.003, 0.01):
        write_short_run(tmp_path, "gossip", rate, {"site_a": {"Liver": None}}, 0.5)
    study = small_study()
    with pytest.raises(StudyError, match="needs validation patients"):
        choose(tmp_path, study, study.schemes["gossip"], SITES)
    assert not (tmp_path / "search/gossip/chosen.json").exists()
