"""What each tissue looks like on CT: mean HU without and with contrast medium, spread between patients, and grain.

Values are typical of a planning CT at 120 kV and overlap on purpose: spleen, pancreas, bowel wall and unenhanced vessels can
not be told apart by HU alone, nor can parotid and a fatty muscle.
"""

from dataclasses import dataclass

import numpy as np

PHASES = ("native", "arterial", "portal")


@dataclass(frozen=True, kw_only=True)
class Tissue:
    """One tissue.

    Attributes:
        native_hu, arterial_hu, portal_hu: mean without contrast medium, and in two phases after it.
        spread_hu: standard deviation of the mean between patients.
        grain_hu: standard deviation within one patient, as coarse texture.
    """

    native_hu: float
    arterial_hu: float
    portal_hu: float
    spread_hu: float
    grain_hu: float

    def mean_hu(self, phase: str, enhancement: float) -> float:
        """The mean in one of ``PHASES``; ``enhancement`` 0 is native, 1 the full phase."""
        enhanced_hu = {"native": self.native_hu, "arterial": self.arterial_hu, "portal": self.portal_hu}[phase]
        return self.native_hu + enhancement * (enhanced_hu - self.native_hu)


def _tissue(native_hu: float, arterial_hu: float, portal_hu: float, spread_hu: float, grain_hu: float) -> Tissue:
    return Tissue(native_hu=native_hu, arterial_hu=arterial_hu, portal_hu=portal_hu, spread_hu=spread_hu, grain_hu=grain_hu)


def _plain(hu: float, spread_hu: float, grain_hu: float) -> Tissue:
    return _tissue(hu, hu, hu, spread_hu, grain_hu)


#              native  arterial  portal  spread  grain (HU)
TISSUES = {
    "air": _plain(-1000, 0, 0),
    "couch": _plain(-550, 60, 0),
    "gas": _plain(-960, 15, 10),
    "lung": _plain(-790, 40, 55),
    "skin": _plain(-5, 15, 20),
    "fat": _plain(-100, 7, 11),
    "muscle": _tissue(52, 58, 66, 7, 11),
    "face": _tissue(15, 20, 28, 12, 30),
    "bone": _plain(430, 70, 110),
    "marrow": _plain(190, 45, 45),
    "cortex": _plain(760, 90, 120),
    "disc": _plain(85, 12, 10),
    "tooth": _plain(1700, 200, 250),
    "cartilage": _plain(125, 45, 55),
    "cord": _plain(38, 5, 6),
    "fluid": _plain(8, 4, 5),
    "brain": _tissue(35, 38, 38, 3, 5),
    "brainstem": _tissue(33, 36, 36, 3, 4),
    "eye": _plain(12, 4, 5),
    "optic_nerve": _plain(30, 6, 5),
    "parotid": _tissue(-12, 10, 18, 22, 16),
    "submandibular": _tissue(42, 75, 85, 11, 9),
    "mucosa": _tissue(45, 62, 75, 9, 12),
    "tongue": _tissue(48, 58, 68, 10, 16),
    "thyroid": _tissue(100, 160, 165, 18, 12),
    "vessel": _tissue(42, 290, 150, 12, 6),
    "vein": _tissue(42, 75, 145, 12, 6),
    "heart": _tissue(42, 180, 135, 12, 12),
    "liver": _tissue(57, 68, 108, 11, 8),
    "hepatic_vessel": _tissue(40, 90, 155, 10, 5),
    "spleen": _tissue(48, 112, 118, 8, 7),
    "kidney_cortex": _tissue(35, 165, 180, 10, 8),
    "kidney_medulla": _tissue(30, 62, 150, 10, 8),
    "pancreas": _tissue(38, 92, 92, 10, 13),
    "gallbladder": _plain(10, 7, 5),
    "gut_wall": _tissue(42, 72, 84, 10, 12),
    "gut_fluid": _plain(22, 22, 16),
    "stool": _plain(-25, 55, 70),
}


def draw_means_hu(phase: str, enhancement: float, rng: np.random.Generator) -> dict[str, float]:
    """One patient's mean HU of every tissue, in the order of the table, so that a new row leaves the earlier ones alone."""
    return {name: tissue.mean_hu(phase, enhancement) + rng.normal(0, 1) * tissue.spread_hu for name, tissue in TISSUES.items()}
