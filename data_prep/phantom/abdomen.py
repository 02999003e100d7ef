"""The upper abdomen as a table of parts, from the lung bases to the iliac crest.

z = 0 lies about the first lumbar vertebra; x grows to the patient's left, y to the back, z to the head; millimetres.
"""

from math import inf

import numpy as np

from data_prep.phantom.anatomy import Part, left_and_right
from data_prep.phantom.shapes import Bands, Common, Ellipsoid, HalfSpace, Inset, Tube, Union, Without

STRUCTURES = (
    "Liver",
    "Spleen",
    "Kidney_L",
    "Kidney_R",
    "Stomach",
    "Pancreas",
    "Gallbladder",
    "A_Aorta",
    "V_Venacava_I",
    "Esophagus",
    "SpinalCord",
)
OPTIONAL = (
    ("Spleen",),
    ("Kidney_L", "Kidney_R"),
    ("Stomach",),
    ("Pancreas",),
    ("Gallbladder",),
    ("A_Aorta", "V_Venacava_I"),
    ("Esophagus",),
    ("SpinalCord",),
)
FIELD_MM = ((-192, -138, -144), (192, 150, 144))
_WALL_MM = 13


def abdomen_parts(fat_mm: float, rng: np.random.Generator) -> list[Part]:
    """One patient's table.

    Args:
        fat_mm: thickness of the fat under the skin.
        rng: the patient's own; the bowel's loops are drawn anew for each.
    """
    return [*_trunk(fat_mm), *_chest(), *_spine(), *_bowel(rng), *_upper_organs(), *_retroperitoneum(), *_gut(), *_vessels()]


def _trunk(fat_mm: float) -> list[Part]:
    shell = Without(Inset("wall", 3), (Inset("cavity", -2),))
    above_margin = HalfSpace((0, 0, -10), (0, -0.7, -1))
    ribs = Common((shell, Bands((0, -0.42, 0.9), period_mm=27, thickness_mm=10), above_margin))
    return [
        Part(name="cavity", tissue=None, shape=Ellipsoid((0, 0, 0), (132, 90, inf), exponent=2.5), size_spread=0.02),
        Part(name="body", tissue="skin", shape=Inset("cavity", -_WALL_MM - fat_mm)),
        Part(name="subcutaneous", tissue="fat", shape=Inset("body", 2)),
        Part(name="wall", tissue="muscle", shape=Inset("cavity", -_WALL_MM)),
        Part(name="ribs", tissue="bone", shape=ribs),
        Part(name="mesentery", tissue="fat", shape=Inset("cavity")),
    ]


def _chest() -> list[Part]:
    right_dome = Ellipsoid((-66, 5, 30), (92, 105, 88))
    left_dome = Ellipsoid((66, 10, 20), (92, 105, 86))
    mediastinum = Union((Ellipsoid((22, -42, 128), (52, 40, 40)), Ellipsoid((5, 45, 0), (26, 40, inf))), blend_mm=10)
    above = HalfSpace((0, 0, 40), (0, 0, -1))
    lungs = Without(Common((Inset("cavity", 2), above)), (right_dome, left_dome, mediastinum))
    heart = Ellipsoid((28, -44, 140), (50, 38, 42), tilt_deg=(0, 20, 20))
    return [
        Part(name="lungs", tissue="lung", shape=lungs, about_mm=(0, 0, 60), wander_mm=4),
        Part(name="heart", tissue="heart", shape=heart, about_mm=(28, -44, 140), wander_mm=4, size_spread=0.06),
    ]


def _spine() -> list[Part]:
    psoas = Tube(((24, 48, 20, 6), (36, 48, -50, 19), (55, 30, -170, 26)))
    crest = Common((Tube(((88, 78, -140, 20), (128, 10, -160, 26))), Inset("wall", -4)))
    arch = Common((Tube(((0, 75, -400, 14), (0, 75, 400, 14))), Bands((0, 0, 1), 34, 26)))
    spinous = Common((Ellipsoid((0, 98, 0), (5, 18, inf)), Bands((0, 0.35, 1), 34, 20, 14)))
    transverse = Common((Ellipsoid((0, 78, 0), (42, 6, inf)), Bands((0, 0, 1), 34, 14, 4)))
    discs = Common((Inset("vertebrae"), Bands((0, 0, 1), 34, 8, 17)))
    return [
        *left_and_right("psoas", tissue="muscle", shape=psoas, about_mm=(36, 48, -60), wander_mm=2, size_spread=0.08),
        *left_and_right("erector", tissue="muscle", shape=Ellipsoid((34, 84, 0), (29, 22, inf)), within=("body", 6)),
        *left_and_right("iliac_crest", tissue="bone", shape=crest),
        Part(name="processes", tissue="bone", shape=Union((arch, spinous, transverse)), within=("body", 5)),
        Part(name="vertebrae", tissue="cortex", shape=Ellipsoid((0, 48, 0), (23, 17, inf))),
        Part(name="spongiosa", tissue="marrow", shape=Inset("vertebrae", 2.5)),
        Part(name="discs", tissue="disc", shape=discs),
        Part(name="canal", tissue="fluid", shape=Tube(((0, 75, -400, 9), (0, 75, 400, 9)))),
        Part(name="SpinalCord", tissue="cord", shape=Tube(((0, 75, -400, 7), (0, 75, 400, 7))), size_spread=0.05),
    ]


def _bowel(rng: np.random.Generator) -> list[Part]:
    rows = [(x if row % 2 else -x, y, z) for row, (y, z) in enumerate(_loop_rows()) for x in (-64, -32, 0, 32, 64)]
    loops = Tube(tuple((x, y, z, 12) for x, y, z in np.array(rows) + rng.normal(0, 8, (len(rows), 3))))
    ascending = ((-102, 25, -170, 22), (-104, 12, -75, 23), (-90, -42, -52, 18))
    colon = Tube((*ascending, (0, -70, -58, 16), (85, -52, -14, 17), (112, 0, 8, 17), (112, 30, -60, 15), (106, 30, -170, 15)))
    gas = Common((Inset("colon", 4), HalfSpace((0, -24, 0), (0, 1, 0.05))))
    return [
        Part(name="small_bowel", tissue="gut_wall", shape=loops, within=("cavity", 2)),
        Part(name="small_bowel_lumen", tissue="gut_fluid", shape=Inset("small_bowel", 5)),
        Part(name="colon", tissue="gut_wall", shape=colon, within=("cavity", 2), wander_mm=5),
        Part(name="colon_lumen", tissue="stool", shape=Inset("colon", 4)),
        Part(name="colon_gas", tissue="gas", shape=gas, probability=0.85),
    ]


def _loop_rows() -> list[tuple[float, float]]:
    return [(y, z) for z in (-70, -98, -126, -154) for y in (-62, -34, -6)]


def _upper_organs() -> list[Part]:
    lobes = Union((Ellipsoid((-72, 4, 32), (68, 84, 82)), Ellipsoid((-2, -45, 60), (70, 34, 34), (0, -8, 10))), blend_mm=35)
    above_hilum = HalfSpace((-60, 0, -14), (0.6, -0.1, -1))
    liver = Without(Common((lobes, above_hilum)), (Ellipsoid((4, 62, 0), (44, 46, inf)),))
    spleen = Ellipsoid((100, 42, 50), (28, 46, 54), tilt_deg=(25, 15, -25))
    veins = Union((Tube(((-18, 14, 92, 6), (-55, 8, 66, 5), (-98, 15, 45, 3))), Tube(((-16, 8, 92, 5), (-28, -38, 66, 3)))))
    portal = Union((Tube(((-14, 0, 4, 7), (-40, -4, 30, 6), (-88, 5, 22, 3.5))), Tube(((-40, -4, 30, 5), (-15, -40, 54, 3)))))
    place = {"about_mm": (-60, 0, 40), "wander_mm": 5, "size_spread": 0.08, "within": ("cavity", 3)}
    return [
        Part(name="Liver", tissue="liver", shape=liver, **place),
        Part(name="hepatic_veins", tissue="hepatic_vessel", shape=veins, wander_mm=3, within=("Liver", 2), carves=False),
        Part(name="portal_vein", tissue="hepatic_vessel", shape=portal, wander_mm=3, carves=False),
        Part(
            name="Spleen",
            tissue="spleen",
            shape=spleen,
            about_mm=(100, 42, 50),
            wander_mm=6,
            size_spread=0.12,
            within=("cavity", 3),
        ),
    ]


def _retroperitoneum() -> list[Part]:
    adrenal = Tube(((30, 32, 52, 3), (38, 36, 38, 4), (46, 42, 48, 3)))
    pancreas = Tube(((-28, -6, -26, 15), (-24, -12, -4, 16), (-4, -22, 10, 12), (28, -12, 24, 13), (76, 20, 36, 12)))
    return [
        *left_and_right("adrenal", tissue="gut_wall", shape=adrenal, wander_mm=2),
        Part(name="Pancreas", tissue="pancreas", shape=pancreas, about_mm=(15, -5, 10), wander_mm=5, size_spread=0.1),
        *_kidney("Kidney_L", x_mm=66, z_mm=2),
        *_kidney("Kidney_R", x_mm=-66, z_mm=-14),
    ]


def _kidney(name: str, x_mm: float, z_mm: float) -> list[Part]:
    side = np.sign(x_mm)
    whole = Ellipsoid((x_mm, 52, z_mm), (30, 26, 56), tilt_deg=(12, -12 * side, -20 * side))
    sinus = Ellipsoid((x_mm - 20 * side, 40, z_mm), (20, 11, 20), tilt_deg=(12, -12 * side, -20 * side))
    place = {"about_mm": (x_mm, 52, z_mm), "wander_mm": 5, "size_spread": 0.08}
    return [
        Part(name=name, tissue="kidney_cortex", shape=Without(whole, (sinus,)), within=("wall", 8), **place),
        Part(name=f"{name}_medulla", tissue="kidney_medulla", shape=Inset(name, 8), carves=False),
    ]


def _gut() -> list[Part]:
    stomach = Tube(((64, 16, 66, 34), (62, -26, 44, 34), (44, -54, 14, 25), (8, -60, 2, 18), (-24, -48, 4, 12)))
    gas = Common((Inset("Stomach", 4), HalfSpace((0, -48, 0), (0, 1, 0.1))))
    duodenum = Tube(((-32, -44, 2, 12), (-52, -22, -8, 13), (-50, -8, -46, 12), (0, -2, -54, 11), (36, -14, -34, 11)))
    gullet = Tube(((2, 22, 160, 9), (8, 8, 118, 9), (26, -2, 92, 10), (48, 6, 82, 10)))
    bile = Ellipsoid((-56, -52, -12), (15, 17, 28), tilt_deg=(-25, 15, 0))
    return [
        Part(name="duodenum", tissue="gut_wall", shape=duodenum, about_mm=(-40, -20, -20), wander_mm=3),
        Part(name="duodenum_lumen", tissue="gut_fluid", shape=Inset("duodenum", 5)),
        Part(name="Esophagus", tissue="gut_wall", shape=gullet, wander_mm=2, size_spread=0.03),
        Part(name="Stomach", tissue="gut_wall", shape=stomach, about_mm=(50, -20, 35), wander_mm=5, size_spread=0.09),
        Part(name="stomach_lumen", tissue="gut_fluid", shape=Inset("Stomach", 5), carves=False),
        Part(name="stomach_gas", tissue="gas", shape=gas, carves=False, probability=0.8),
        Part(name="Gallbladder", tissue="gallbladder", shape=bile, about_mm=(-56, -52, -12), wander_mm=5, size_spread=0.14),
    ]


def _vessels() -> list[Part]:
    aorta = Tube(((18, 28, 400, 12), (14, 24, 80, 11.5), (7, 20, -118, 9.5), (26, 22, -150, 6)))
    left_leg = Tube(((7, 20, -114, 7), (-18, 22, -150, 6)))
    cava = Tube(((-22, 10, 150, 12), (-20, 18, 60, 12), (-17, 20, -120, 11), (-28, 26, -160, 9)))
    mesenteric = Union(
        (Tube(((10, 12, 8, 4), (4, -14, -30, 4), (2, -22, -110, 3))), Tube(((-8, -12, -4, 5), (-4, -22, -100, 4))))
    )
    splenic = Tube(((-10, -4, 6, 4.5), (26, 2, 22, 4), (82, 32, 40, 3.5)))
    renal = Tube(((-40, 36, -10, 4), (-12, 26, -6, 4), (12, 20, 2, 4), (44, 36, 2, 4)))
    return [
        Part(name="splenic_vein", tissue="vein", shape=splenic, wander_mm=2),
        Part(name="renal_veins", tissue="vein", shape=renal, wander_mm=2, carves=False),
        Part(name="mesenteric_vessels", tissue="vessel", shape=mesenteric, wander_mm=2),
        Part(name="V_Venacava_I", tissue="vein", shape=cava, about_mm=(-19, 19, 0), wander_mm=1.5, size_spread=0.1),
        Part(name="A_Aorta", tissue="vessel", shape=Union((aorta, left_leg)), about_mm=(11, 22, 0), wander_mm=1.5),
    ]
