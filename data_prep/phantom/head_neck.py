"""Head and neck as a table of parts, from the vertex to the lung apices.

z = 0 lies about the lower edge of the jaw's angle; x grows to the patient's left, y to the back, z to the head; millimetres.
"""

from math import inf

import numpy as np

from data_prep.phantom.anatomy import Part, left_and_right
from data_prep.phantom.shapes import Bands, Common, Ellipsoid, HalfSpace, Inset, Mirrored, Tube, Union, Without

STRUCTURES = (
    "Brainstem",
    "SpinalCord",
    "Parotid_L",
    "Parotid_R",
    "Bone_Mandible",
    "Glnd_Submand_L",
    "Glnd_Submand_R",
    "Larynx",
    "Esophagus",
    "Eye_L",
    "Eye_R",
)
OPTIONAL = (
    ("Brainstem",),
    ("Bone_Mandible",),
    ("Glnd_Submand_L", "Glnd_Submand_R"),
    ("Larynx",),
    ("Esophagus",),
    ("Eye_L", "Eye_R"),
)
FIELD_MM = ((-160, -126, -150), (160, 134, 174))
FILLING_MM = (34, -54, 8)
_SPINE = ((48, -260), (46, -112), (26, -50), (21, -10), (22, 26))


def head_neck_parts(fat_mm: float, rng: np.random.Generator) -> list[Part]:
    """One patient's table.

    Args:
        fat_mm: thickness of the fat under the skin of the neck.
        rng: the patient's own; unused here, where nothing has a random number of loops.
    """
    del rng
    return [*_outline(fat_mm), *_neck(), *_skull(), *_face(), *_spine(), *_airway(), *_glands(), *_jaw(), *_brain()]


def _outline(fat_mm: float) -> list[Part]:
    cranium = Ellipsoid((0, 8, 92), (75, 95, 86))
    face = Ellipsoid((0, -40, 26), (67, 61, 80), exponent=2.4)
    nose = Ellipsoid((0, -102, 42), (11, 14, 18), tilt_deg=(20, 0, 0))
    neck = Common((Ellipsoid((0, 18, 0), (62, 60, inf)), HalfSpace((0, 0, 60), (0, 0, 1))))
    shoulders = Ellipsoid((0, 34, -172), (190, 80, 92), exponent=2.6)
    ears = Union((Ellipsoid((76, 22, 42), (7, 14, 26), (0, 0, 20)), Mirrored(Ellipsoid((76, 22, 42), (7, 14, 26), (0, 0, 20)))))
    outline = Union((Union((cranium, face, neck, shoulders), blend_mm=24), nose, ears), blend_mm=6)
    return [
        Part(name="body", tissue="skin", shape=outline),
        Part(name="subcutaneous", tissue="fat", shape=Inset("body", 2)),
        Part(name="soft_face", tissue="face", shape=Common((Inset("body", 7), Ellipsoid((0, -40, 24), (60, 60, 70))))),
        Part(name="girdle", tissue="muscle", shape=Common((Inset("body", fat_mm + 6), HalfSpace((0, 0, -100), (0, -0.3, 1))))),
    ]


def _neck() -> list[Part]:
    sternomastoid = Tube(((58, 26, 26, 9), (50, 2, -20, 10), (30, -14, -78, 10), (14, -14, -112, 8)))
    trapezius = Tube(((14, 74, 30, 6), (36, 68, -50, 9), (110, 50, -100, 14)))
    nape = Ellipsoid((23, 52, -20), (22, 22, 62))
    scalene = Tube(((26, 22, -10, 8), (36, 30, -60, 11), (52, 30, -108, 11)))
    apex = Ellipsoid((54, 42, -150), (40, 46, 52))
    clavicle = Tube(((14, -24, -128, 8), (70, -16, -116, 6), (150, 38, -98, 7)))
    return [
        *left_and_right("lung_apex", tissue="lung", shape=apex, wander_mm=3),
        *left_and_right("trapezius", tissue="muscle", shape=trapezius, within=("body", 5), wander_mm=2),
        *left_and_right("nape", tissue="muscle", shape=nape, within=("body", 6), wander_mm=2, size_spread=0.06),
        *left_and_right("scalene", tissue="muscle", shape=scalene, wander_mm=2, size_spread=0.08),
        *left_and_right("clavicle", tissue="bone", shape=clavicle, within=("body", 4), wander_mm=2),
        *left_and_right("shoulder", tissue="bone", shape=Ellipsoid((152, 44, -126), (24, 24, 26)), within=("body", 8)),
        *left_and_right("sternomastoid", tissue="muscle", shape=sternomastoid, within=("body", 5), wander_mm=2),
    ]


def _skull() -> list[Part]:
    vault = Common((Ellipsoid((0, 8, 92), (69, 88, 79)), HalfSpace((0, 0, 32), (0, 0.35, -1))))
    base = Common((Inset("vault", -2), HalfSpace((0, 0, 44), (0, 0.35, 1)), Ellipsoid((0, 12, 40), (60, 62, 40))))
    mastoid = Ellipsoid((54, 34, 28), (12, 15, 20))
    return [
        Part(name="vault", tissue="cortex", shape=vault),
        Part(name="brain", tissue="brain", shape=Inset("vault", 7)),
        Part(name="skull_base", tissue="bone", shape=base),
        *left_and_right("mastoid", tissue="cortex", shape=mastoid, wander_mm=2),
        *left_and_right("mastoid_cells", tissue="lung", shape=Ellipsoid((55, 33, 30), (7, 9, 12)), wander_mm=2),
    ]


def _face() -> list[Part]:
    midface = Without(Ellipsoid((0, -62, 34), (46, 32, 34)), (Ellipsoid((0, -62, 34), (42, 28, 30)),))
    palate = Ellipsoid((0, -60, 16), (28, 30, 4))
    upper_teeth = _arch(z_mm=8, radius_mm=4.5, inset_mm=4)
    orbit, eye = Ellipsoid((32, -64, 58), (19, 24, 18)), Ellipsoid((32, -74, 58), (12.5, 12.5, 12.5))
    cheek = Ellipsoid((50, -24, 8), (8, 18, 26))
    pterygoid = Ellipsoid((30, -14, 18), (9, 15, 18))
    nerve = Tube(((31, -64, 58, 2.5), (14, -30, 60, 2.5)))
    zygoma = Tube(((44, -66, 40, 5), (62, -40, 38, 4), (64, -8, 38, 4)))
    return [
        Part(name="midface", tissue="bone", shape=midface),
        *left_and_right("zygoma", tissue="bone", shape=zygoma, within=("body", 4)),
        *left_and_right("sinus", tissue="gas", shape=Ellipsoid((25, -64, 32), (13, 16, 16)), wander_mm=2, size_spread=0.1),
        Part(name="palate", tissue="bone", shape=palate),
        Part(name="tongue", tissue="tongue", shape=Ellipsoid((0, -46, -8), (25, 34, 20)), wander_mm=3, size_spread=0.07),
        Part(name="upper_teeth", tissue="tooth", shape=upper_teeth, within=("body", 6), probability=0.85),
        *left_and_right("masseter", tissue="muscle", shape=cheek, wander_mm=2, size_spread=0.1, within=("body", 5)),
        *left_and_right("pterygoid", tissue="muscle", shape=pterygoid, wander_mm=2, size_spread=0.08),
        *left_and_right("orbit", tissue="fat", shape=orbit, within=("body", 3)),
        *left_and_right("optic_nerve", tissue="optic_nerve", shape=nerve),
        *left_and_right(
            "Eye", tissue="eye", shape=eye, about_mm=(32, -74, 58), wander_mm=1.5, size_spread=0.04, within=("body", 2)
        ),
        *left_and_right("lens", tissue="tongue", shape=Ellipsoid((32, -83, 58), (4.5, 2.5, 4.5)), carves=False),
    ]


def _spine() -> list[Part]:
    column = Tube(tuple((0, y, z, 11) for y, z in _SPINE))
    canal = Tube(tuple((0, y + 20, z, 9) for y, z in _SPINE))
    ring = Common((Tube(tuple((0, y + 20, z, 14) for y, z in _SPINE)), Bands((0, 0, 1), 18, 15)))
    spinous = Common((Tube(tuple((0, y + 38, z, 5) for y, z in _SPINE[:-1])), Bands((0, 0.3, 1), 18, 10)))
    wings = Common((Tube(tuple((17, y + 12, z, 7) for y, z in _SPINE)), Bands((0, 0, 1), 18, 14)))
    cord = Tube(tuple((0, y + 20, z, 6) for y, z in _SPINE))
    return [
        Part(name="processes", tissue="bone", shape=Union((ring, spinous, wings, Mirrored(wings))), within=("body", 8)),
        Part(name="vertebrae", tissue="cortex", shape=column),
        Part(name="spongiosa", tissue="marrow", shape=Inset("vertebrae", 2.5)),
        Part(name="discs", tissue="disc", shape=Common((Inset("vertebrae"), Bands((0, 0.2, 1), 18, 5, 9)))),
        Part(name="canal", tissue="fluid", shape=canal),
        Part(name="SpinalCord", tissue="cord", shape=cord, size_spread=0.05),
    ]


def _airway() -> list[Part]:
    pharynx = Tube(((0, -30, 34, 8), (0, -10, 24, 9), (0, -6, -8, 8), (0, -8, -34, 6)))
    cavities = Union((pharynx, Ellipsoid((0, -64, 34), (9, 26, 16)), Ellipsoid((0, -20, 34), (9, 20, 8))))
    muscle = Tube(((0, 2, 20, 9), (0, 2, -20, 10), (0, -2, -46, 10)))
    larynx = Ellipsoid((0, -20, -48), (19, 19, 24), exponent=2.4)
    cartilage = Without(Inset("Larynx", 1), (Inset("Larynx", 4.5), HalfSpace((0, -16, 0), (0, -1, 0))))
    lumen = Union((Tube(((0, -9, -34, 6), (0, -18, -46, 3.5), (0, -18, -58, 5))), Ellipsoid((0, -14, -70), (8, 8, 14))))
    trachea = Tube(((0, -16, -66, 9), (0, -8, -90, 9), (1, 6, -130, 9.5)))
    gullet = Tube(((1, 1, -70, 8), (5, 12, -92, 9), (5, 27, -140, 9.5)))
    thyroid = Tube(((17, -14, -62, 6), (18, -10, -80, 9), (14, -8, -94, 6)))
    hyoid = Tube(((26, -16, -22, 2.5), (14, -36, -25, 3), (0, -40, -26, 3.5), (-14, -36, -25, 3), (-26, -16, -22, 2.5)))
    return [
        Part(name="constrictor", tissue="mucosa", shape=muscle, wander_mm=1),
        Part(name="pharynx", tissue="gas", shape=cavities, wander_mm=1.5, size_spread=0.06),
        Part(name="hyoid", tissue="bone", shape=hyoid, wander_mm=2),
        *left_and_right("thyroid", tissue="thyroid", shape=thyroid, wander_mm=2, size_spread=0.12),
        Part(name="Esophagus", tissue="gut_wall", shape=gullet, about_mm=(4, 12, -95), wander_mm=1.5, size_spread=0.06),
        Part(name="trachea", tissue="gas", shape=trachea, wander_mm=1.5),
        Part(name="Larynx", tissue="mucosa", shape=larynx, about_mm=(0, -20, -48), wander_mm=2.5, size_spread=0.07),
        Part(name="thyroid_cartilage", tissue="cartilage", shape=cartilage, carves=False),
        Part(name="larynx_lumen", tissue="gas", shape=lumen, carves=False),
    ]


def _glands() -> list[Part]:
    parotid = Union((Ellipsoid((55, 2, 9), (11, 21, 27)), Ellipsoid((45, 8, 15), (12, 12, 17))), blend_mm=8)
    submandibular = Ellipsoid((31, -30, -20), (10, 17, 14), tilt_deg=(15, 0, 12))
    carotid = Tube(((26, 8, 36, 3.5), (30, 2, -10, 4), (26, 4, -60, 4.5), (18, 10, -125, 5)))
    jugular = Tube(((32, 14, 36, 5), (38, 8, -10, 6), (36, 0, -60, 7), (24, 2, -125, 7.5)))
    nodes = Tube(((42, -8, -14, 5), (46, 14, -36, 4), (42, 10, -64, 4)))
    place = {"wander_mm": 2.5, "within": ("body", 4)}
    return [
        *left_and_right("carotid", tissue="vessel", shape=carotid, wander_mm=1.5),
        *left_and_right("jugular", tissue="vein", shape=jugular, wander_mm=1.5, size_spread=0.12),
        *left_and_right("node", tissue="mucosa", shape=nodes, wander_mm=3, size_spread=0.2, probability=0.6),
        *left_and_right("Parotid", tissue="parotid", shape=parotid, about_mm=(54, 4, 12), size_spread=0.1, **place),
        *left_and_right("retromandibular_vein", tissue="vein", shape=Tube(((50, 4, 34, 2.5), (51, 2, -10, 2.5))), carves=False),
        *left_and_right(
            "Glnd_Submand", tissue="submandibular", shape=submandibular, about_mm=(31, -30, -20), size_spread=0.1, **place
        ),
    ]


def _jaw() -> list[Part]:
    side = Tube(((46, -12, 2, 6), (48, -10, 24, 5.5), (48, -4, 44, 5.5)))
    coronoid = Tube(((47, -14, 14, 5), (47, -26, 38, 3.5)))
    body = _arch(z_mm=-10, radius_mm=7.5, inset_mm=0)
    jaw = Union((side, coronoid, Mirrored(side), Mirrored(coronoid), body), blend_mm=5)
    return [
        Part(name="lower_teeth", tissue="tooth", shape=_arch(z_mm=2, radius_mm=4, inset_mm=3), within=("body", 6)),
        Part(name="Bone_Mandible", tissue="cortex", shape=jaw, about_mm=(0, -40, 0), wander_mm=2, within=("body", 4)),
        Part(name="mandible_marrow", tissue="marrow", shape=Inset("Bone_Mandible", 3), carves=False),
    ]


def _brain() -> list[Part]:
    stem = Tube(((0, 41, 26, 8), (0, 37, 44, 11), (0, 24, 58, 15), (0, 16, 76, 14)))
    cerebellum = Ellipsoid((0, 56, 52), (46, 26, 24))
    ventricle = Tube(((12, -22, 104, 6), (14, 14, 108, 8), (20, 44, 94, 6)))
    return [
        Part(name="stem_line", tissue=None, shape=stem),
        Part(name="cerebellum", tissue="brain", shape=cerebellum, within=("vault", 7)),
        Part(name="cistern", tissue="fluid", shape=Inset("stem_line", -5), within=("vault", -2)),
        *left_and_right("ventricle", tissue="fluid", shape=ventricle, wander_mm=2, size_spread=0.1),
        Part(name="Brainstem", tissue="brainstem", shape=stem, about_mm=(0, 28, 50), wander_mm=1.5, size_spread=0.07),
    ]


def _arch(*, z_mm: float, radius_mm: float, inset_mm: float) -> Tube:
    """The arc of jaw and teeth, from angle to angle around the chin."""
    half = ((45, -14), (39, -40), (27, -66), (11, -80))
    left = [(x - inset_mm, y + inset_mm, z_mm, radius_mm) for x, y in half]
    return Tube((*left, *((-x, y, z, radius) for x, y, z, radius in reversed(left))))
