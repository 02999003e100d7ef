import sys

import pytest
import yaml

from experiments.results import one_line
from experiments.results.lines import lines_of
from experiments.results.one_line import markdown
from experiments.statistics.score import ScoreTableError
from tests.experiments.results.rewriting import read_lines
from tests.experiments.small_study import MODEL_BYTES, ROUNDS, SITES, make_small_study


@pytest.fixture(scope="module")
def lines(small_study):
    return {line.scheme: line for line in lines_of(small_study, "gossip", num_resamples=300)}


def by_hand(study, arm: str, without=()) -> dict[tuple, float]:
    """Mean over seeds of the last models' Dice by site, patient and structure, of each site's own patients."""
    found = {}
    for row in read_lines(study):
        is_own = row["model_site"] in (None, row["patient_site"]) and row["patient_site"] not in without
        if (row["arm"], row["which"]) == (arm, "last") and is_own and row["dice"] is not None:
            cell = row["patient_site"], row["patient"], row["structure"]
            found.setdefault(cell, []).append(row["dice"])
    return {cell: sum(values) / len(values) for cell, values in found.items()}


def macro(cells: dict[tuple, float]) -> float:
    """Over the patients of a site and structure, then structures, then sites."""
    by_site = {}
    for (site, _, structure), value in cells.items():
        by_site.setdefault(site, {}).setdefault(structure, []).append(value)
    means = [[sum(values) / len(values) for values in structures.values()] for structures in by_site.values()]
    return sum(sum(row) / len(row) for row in means) / len(means)


def test_each_scheme_is_a_line_and_the_base_the_first(small_study, lines):
    schemes = yaml.safe_load((small_study / "study.yaml").read_text())["schemes"]
    assert list(lines) == ["gossip", *(name for name in schemes if name != "gossip")]
    assert lines["gossip"].difference is None and lines["gossip"].differs == ""
    assert lines["individual"].differs == "plan individual"
    assert lines["fedavg_without_site_c"].differs == "plan fedavg, 2 sites (site_a, site_b)"
    assert next(iter(lines_of(small_study, num_resamples=10))).scheme == "individual"


@pytest.mark.parametrize(("scheme", "arm"), [("individual", "individual"), ("fedavg", "fedavg_local"), ("pooled", "pooled")])
def test_dice_and_difference_are_those_of_each_sites_own_patients(small_study, lines, scheme, arm):
    line, own, base = lines[scheme], by_hand(small_study, arm), by_hand(small_study, "gossip")
    assert line.dice.value == pytest.approx(macro(own))
    both = {cell: own[cell] - base[cell] for cell in own.keys() & base.keys()}
    assert line.difference.value == pytest.approx(macro(both))
    assert line.difference.counts.num_patients == len({cell[:2] for cell in both})
    assert line.difference.low < line.difference.value < line.difference.high


def test_a_site_that_one_of_both_did_not_train_to_the_end_is_left_out(small_study, lines, tmp_path):
    line, arm = lines["fedavg_without_site_c"], "fedavg_without_site_c_local"
    assert line.dice.value == pytest.approx(macro(by_hand(small_study, arm, without=("site_c",))))
    assert line.difference.counts.num_patients == SITES["site_a"] + SITES["site_b"]
    study = make_small_study(tmp_path / "study")
    content = yaml.safe_load((study / "study.yaml").read_text())
    content["schemes"]["gossip"]["silent"] = {"site": "site_b", "from_round": 3}
    (study / "study.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    silent = lines_of(study, "individual", ["gossip"], num_resamples=10)[1]
    assert silent.differs == "plan gossip, site_b gone from round 3"
    assert silent.dice.value == pytest.approx(macro(by_hand(study, "gossip", without=("site_b",))))
    assert silent.difference.counts.num_patients == SITES["site_a"] + SITES["site_c"]


def test_costs_are_means_of_the_sites(lines):
    assert lines["gossip"].mb_per_site == pytest.approx(2 * 3 * (MODEL_BYTES // 2) / 1e6)
    assert lines["gossip"].network_steps == 2 * lines["individual"].network_steps == 2 * 5 * ROUNDS
    assert lines["individual"].mb_per_site == 0 and lines["pooled"].mb_per_site is None


def test_markdown_has_a_row_for_each_line(lines):
    caption, _, headings, rule, *rows = markdown(list(lines.values())).splitlines()
    assert "less gossip" in caption and "Validation" in caption
    assert len(rows) == len(lines) and {row.count("|") for row in (headings, rule, *rows)} == {9}
    assert rows[0].startswith("| gossip | the base |") and rows[0].count("–") == 3
    shown = f"{lines['individual'].difference.value:+.3f}".replace("-", "−")
    assert f"| plan individual | {lines['individual'].dice.value:.3f} (15) | {shown} | [" in rows[1]


def test_the_command_prints_what_it_writes(small_study, tmp_path, monkeypatch, capsys):
    given = ["--study", str(small_study), "--base", "gossip", "--schemes", "fedavg", "--output", str(tmp_path / "table.md")]
    monkeypatch.setattr(sys, "argv", ["one_line", *given])
    one_line.main()
    printed = capsys.readouterr().out
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == printed
    assert printed.count("\n| ") == 4 and "| fedavg |" in printed


def test_what_cannot_be_shown_is_refused(small_study, tmp_path):
    with pytest.raises(ScoreTableError, match=r"expected a scheme with scores \(individual, .*found 'gosip'"):
        lines_of(small_study, "gosip")
    with pytest.raises(ScoreTableError, match="found 'nobody'"):
        lines_of(small_study, "gossip", ["nobody"])
    study = make_small_study(tmp_path / "study")
    content = yaml.safe_load((study / "study.yaml").read_text())
    content["schemes"]["gossip"]["without"] = ["site_a", "site_b"]
    (study / "study.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(ScoreTableError, match="expected patients of a site that both fedavg_without_site_c and gossip"):
        lines_of(study, "gossip", ["fedavg_without_site_c"], num_resamples=10)
