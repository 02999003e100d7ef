import pytest

from experiments.compare.outcome import outcome_table, own_site_dice
from experiments.scoring.score_file import write_scores
from experiments.scoring.score_row import ScoreRow
from experiments.table import render


def row(arm="gossip", seed=0, model_site="site_a", site="site_a", patient="p", structure="Liver", dice=0.5, which="last"):
    empty = dice is None
    return ScoreRow(
        arm=arm,
        seed=seed,
        which=which,
        model_site=model_site,
        patient_site=site,
        patient=patient,
        structure=structure,
        status="both empty" if empty else "compared",
        dice=dice,
        hd95_mm=None if empty else 1.0,
        assd_mm=None if empty else 1.0,
        surface_dice=None,
        tolerance_mm=None,
        volume_difference_cm3=None if empty else 0.0,
        relative_volume_difference=None if empty else 0.0,
        pred_cm3=0.0 if empty else 1.0,
        truth_cm3=0.0 if empty else 1.0,
    )


def test_macro_own_site_last_models(tmp_path):
    rows = [
        # site_a: Liver (0.4 + 0.8) / 2, Spleen 0.2 -> 0.4; site_b: Liver 0.8.
        row(patient="p", dice=0.4),
        row(patient="q", dice=0.8),
        row(patient="p", structure="Spleen", dice=0.2),
        row(model_site="site_b", site="site_b", dice=0.8),
        # None of these counts: a true absence, another site's model, the best one.
        row(patient="q", structure="Spleen", dice=None),
        row(model_site="site_b", site="site_a", dice=0.0),
        row(patient="p", dice=0.0, which="best"),
        # A shared model is everybody's own.
        row(arm="gossip_consensus", model_site=None, site="site_a", dice=0.1),
        row(arm="gossip_consensus", model_site=None, site="site_b", dice=0.3),
    ]
    write_scores(tmp_path / "scores/valid/gossip/seed_0.jsonl", rows)
    write_scores(tmp_path / "scores/valid/gossip/seed_2.jsonl", [row(seed=2, dice=0.9)])
    dice = own_site_dice(tmp_path, {"fedavg": (), "gossip": ()})
    assert dice["gossip"] == pytest.approx({0: 0.6, 2: 0.9}) and dice["gossip_consensus"] == pytest.approx({0: 0.2})
    text = render(outcome_table(dice))
    assert [cell.strip() for cell in next(line for line in text.splitlines() if " gossip " in line).split("│")[1:-1]] == [
        *("gossip", "0.6000", "0.9000", "0.7500")
    ]
    assert "seed 1" not in text


def test_the_patients_of_a_site_that_took_no_part_are_nobodys_own(tmp_path):
    """Otherwise a shared model would be averaged over more sites than the sites' own models of the same scheme."""
    rows = [
        row(arm="fedavg", model_site=None, site="site_a", dice=0.8),
        row(arm="fedavg", model_site=None, site="site_b", dice=0.2),
        row(arm="fedavg_local", model_site="site_a", site="site_a", dice=0.9),
        row(arm="fedavg_local", model_site="site_a", site="site_b", dice=0.1),
    ]
    write_scores(tmp_path / "scores/valid/fedavg/seed_0.jsonl", rows)
    assert own_site_dice(tmp_path, {"fedavg": ("site_b",)}) == {"fedavg": {0: 0.8}, "fedavg_local": {0: 0.9}}


def test_nothing_scored_is_no_number(tmp_path):
    assert own_site_dice(tmp_path, {"gossip": ()}) == {}
    write_scores(tmp_path / "scores/valid/gossip/seed_0.jsonl", [row(dice=None)])
    assert own_site_dice(tmp_path, {"gossip": ()}) == {"gossip": {0: None}}
