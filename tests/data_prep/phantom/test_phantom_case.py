"""Phantom patients have the organs, sizes, sides and HU of people."""

from dataclasses import replace

import numpy as np
import pytest

from data_prep.phantom.case import ANATOMIES, make_case
from data_prep.phantom.site_shift import case_generator, draw_site_shift
from data_prep.phantom.tissue import PHASES
from src.data.structures import load_structures

SEEDS = range(4)
# Generous limits in mL: organs of adults, cut by the scanned box, drawn with a site's margin on 6 mm voxels.
VOLUME_ML = {
    "Liver": (700, 2600),
    "Spleen": (50, 600),
    "Kidney_L": (70, 350),
    "Kidney_R": (70, 350),
    "Stomach": (150, 900),
    "Pancreas": (20, 160),
    "Gallbladder": (6, 90),
    "A_Aorta": (40, 220),
    "V_Venacava_I": (25, 220),
    "Brainstem": (10, 55),
    "Parotid_L": (5, 60),
    "Parotid_R": (5, 60),
    "Bone_Mandible": (20, 130),
    "Glnd_Submand_L": (2.5, 25),
    "Glnd_Submand_R": (2.5, 25),
    "Larynx": (10, 80),
    "Esophagus": (3, 60),
    "Eye_L": (3, 15),
    "Eye_R": (3, 15),
    "SpinalCord": (10, 75),
}


def one_case(anatomy: str, seed: int, site: int = 0, spacing_mm: float = 6.0):
    chosen = ANATOMIES[anatomy]
    shift = draw_site_shift(
        seed,
        site,
        structures=chosen.structures,
        optional=chosen.optional,
        trimmable=chosen.trimmable,
        spacing_mm=(spacing_mm,) * 3,
    )
    return make_case(chosen, shift, case_generator(seed, site, 0)), shift


@pytest.fixture(scope="module", params=[(anatomy, seed) for anatomy in ANATOMIES for seed in SEEDS], ids=str)
def case(request):
    return (request.param[0], *one_case(*request.param))


def mean_mm(made, name: str, axis: int) -> float:
    return made.grid.points_mm()[axis][made.masks[name]].mean()


def test_every_structure_is_in_the_table_of_its_anatomy(case):
    anatomy = case[0]
    known = {structure.name for structure in load_structures().of_anatomy(anatomy)}
    assert len(ANATOMIES[anatomy].structures) >= 8
    assert set(ANATOMIES[anatomy].structures) <= known


def test_organs_have_plausible_volumes(case):
    _, made, shift = case
    voxel_ml = np.prod(shift.spacing_mm) / 1000
    volumes = {name: mask.sum() * voxel_ml for name, mask in made.masks.items()}
    assert len(volumes) >= 7
    assert {name: size for name, size in volumes.items() if not VOLUME_ML[name][0] <= size <= VOLUME_ML[name][1]} == {}


def test_masks_stay_inside_the_body_and_out_of_each_other(case):
    _, made, _ = case
    masks = np.array(list(made.masks.values()))
    assert not (masks & ~made.body).any()
    assert masks.sum(axis=0).max() == 1


def test_hu_is_that_of_a_ct(case):
    _, made, _ = case
    assert made.hu.dtype == np.int16
    assert made.hu.min() >= -1024
    assert made.hu.max() <= 3071
    assert made.hu[0, 0].mean() < -900
    assert (made.hu > 400).mean() > 0.002
    assert ((made.hu > -140) & (made.hu < -60)).mean() > 0.03
    assert ((made.hu > 0) & (made.hu < 120)).mean() > 0.08


def test_partners_lie_on_their_own_sides(case):
    _, made, _ = case
    pairs = [name[:-2] for name in made.masks if name.endswith("_L") and f"{name[:-2]}_R" in made.masks]
    for pair in pairs:
        assert mean_mm(made, f"{pair}_L", 0) > mean_mm(made, f"{pair}_R", 0) + 30


@pytest.mark.parametrize("seed", SEEDS)
def test_abdomen_is_the_right_way_round(seed):
    made, _ = one_case("liver", seed)
    above_cord = {name: mean_mm(made, name, 1) for name in made.masks if name != "SpinalCord"}
    middle = mean_mm(made, "V_Venacava_I" if "V_Venacava_I" in made.masks else "SpinalCord", 0)
    if {"Liver", "Spleen"} <= set(made.masks):
        assert mean_mm(made, "Liver", 0) < middle - 15
        assert mean_mm(made, "Spleen", 0) > middle + 50
        assert mean_mm(made, "Spleen", 1) > mean_mm(made, "Liver", 1)
    if "SpinalCord" in made.masks:
        assert max(above_cord.values()) < mean_mm(made, "SpinalCord", 1)
    if {"Liver", "Kidney_R"} <= set(made.masks):
        assert mean_mm(made, "Liver", 2) > mean_mm(made, "Kidney_R", 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_head_is_above_the_neck_and_faces_forward(seed):
    made, _ = one_case("head_neck", seed)
    if {"Brainstem", "Larynx"} <= set(made.masks):
        assert mean_mm(made, "Brainstem", 2) > mean_mm(made, "Larynx", 2) + 60
    if {"Bone_Mandible", "SpinalCord"} <= set(made.masks):
        assert mean_mm(made, "Bone_Mandible", 1) < mean_mm(made, "SpinalCord", 1) - 50
    if {"Larynx", "Esophagus"} <= set(made.masks):
        assert mean_mm(made, "Larynx", 2) > mean_mm(made, "Esophagus", 2)


def test_soft_organs_overlap_in_hu():
    """No threshold parts spleen from liver: each reaches far into the other's range."""
    made = [one_case("liver", seed)[0] for seed in range(3)]
    pairs = [(one.hu[one.masks["Liver"]], one.hu[one.masks["Spleen"]]) for one in made if {"Liver", "Spleen"} <= set(one.masks)]
    assert pairs
    for liver_hu, spleen_hu in pairs:
        assert abs(np.median(liver_hu) - np.median(spleen_hu)) < 2 * (liver_hu.std() + spleen_hu.std())


def test_contrast_changes_the_organs_and_nothing_else():
    """One patient in three phases: aorta brightest in the arterial one, liver in the portal one."""
    chosen = ANATOMIES["liver"]
    _, shift = one_case("liver", 0)
    made = {phase: make_case(chosen, replace(shift, phase=phase, enhancement=0.8), case_generator(0, 0, 0)) for phase in PHASES}
    aorta, liver = ({phase: np.median(one.hu[one.masks[name]]) for phase, one in made.items()} for name in ("A_Aorta", "Liver"))
    assert aorta["arterial"] > aorta["portal"] + 40 > aorta["native"] + 80
    assert liver["portal"] > liver["arterial"] > liver["native"]
    outside = ~made["native"].body
    assert made["native"].hu[outside].mean() == pytest.approx(made["arterial"].hu[outside].mean(), abs=5)
    assert all((made["native"].masks[name] == mask).all() for name, mask in made["portal"].masks.items())


def test_finer_voxels_show_the_same_organs():
    """Volume is a matter of the organ, not of the grid: both within the table's limits at half the spacing."""
    made, shift = one_case("liver", 1, spacing_mm=4.0)
    liver_ml = made.masks["Liver"].sum() * np.prod(shift.spacing_mm) / 1000
    assert VOLUME_ML["Liver"][0] < liver_ml < VOLUME_ML["Liver"][1]
