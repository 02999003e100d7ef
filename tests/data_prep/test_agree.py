"""The command: fingerprints in, lines of a plan out, which a loader accepts."""

import pytest
import yaml

from data_prep.__main__ import main
from tests.conftest import REPOSITORY, write_sphere_dataset
from tests.data_prep.agreement.sites import fingerprint, write


def plan_lines(printed: str) -> dict:
    return yaml.safe_load(printed[printed.index("    structures:\n") :])


def test_datasets_to_plan(tmp_path, capsys):
    paths = []
    for site in ("north", "south"):
        write_sphere_dataset(tmp_path / site, site=site, cases=8)
        paths.append(str(tmp_path / f"{site}.json"))
        assert main(["fingerprint", str(tmp_path / site), "--output", paths[-1]]) == 0
    capsys.readouterr()
    assert main(["agree", *paths]) == 0
    printed = capsys.readouterr().out
    found = plan_lines(printed)
    assert found == {
        "structures": ["Brainstem", "Parotid_L", "Parotid_R"],
        "spacing_mm": [4.0, 4.0, 5.0],
        "window_hu": [60, 160],  # the spheres' own values
    }
    assert "warning" not in printed
    assert "half of all training cases have at most 4.00 mm in plane and 5.00 mm between slices" in printed


def test_the_lines_stand_in_a_plan_as_they_are(tmp_path, capsys):
    assert main(["agree", *map(str, write(tmp_path, fingerprint("north")))]) == 0
    printed = capsys.readouterr().out
    plan = (REPOSITORY / "plan" / "plans" / "fedavg_head_neck" / "plan.yaml").read_text()
    settings = yaml.safe_load(plan)["data_loader"]["settings"]
    assert set(plan_lines(printed)) <= set(settings)
    for line in printed[printed.index("    structures:\n") :].splitlines():
        key = line.partition(":")[0]
        assert line.startswith("      - ") or any(row.startswith(f"{key}:") for row in plan.splitlines())


def test_bone_is_asked_for_and_sites_that_disagree_are_warned_and_pass(tmp_path, capsys):
    sites = (
        fingerprint("north", contoured=(-400, 30, 1100), structures={"Brainstem": (9, 30), "Lens_L": (9, 60)}),
        fingerprint("south", contoured=(-400, 30, 1100), x_mm=2.5, z_mm=7.0, structures={"Brainstem": (9, 90)}),
    )
    assert main(["agree", "--tissue", "bone", *map(str, write(tmp_path, *sites))]) == 0
    printed = capsys.readouterr().out
    assert plan_lines(printed)["window_hu"] == [-200, 1100]
    for part in (
        "pixel width",
        "slice spacing",
        "Brainstem has a median of 30 HU at north and 90",
        "Lens_L is contoured at north",
    ):
        assert f"warning: {part}" in printed


@pytest.mark.parametrize(
    ("sites", "options", "expected"),
    [
        ([fingerprint("north"), fingerprint("south", anatomy="liver")], [], "of one anatomy"),
        ([fingerprint("north", fingerprint_version=0)], [], "version 0"),
        ([fingerprint("north", structures={})], [], "too few to agree on"),
        ([fingerprint("north", spacing_mm=dict.fromkeys("xyz"))], [], "too few to agree on"),
        ([fingerprint("north")], ["--min-sites", "2"], "2 or more sites contour"),
        ([fingerprint("north")], ["--min-sites", "0"], "--min-sites of 1 or more"),
    ],
)
def test_refusals_have_a_reason_and_exit_code_1(sites, options, expected, tmp_path, capsys):
    assert main(["agree", *options, *map(str, write(tmp_path, *sites))]) == 1
    assert expected in capsys.readouterr().err
