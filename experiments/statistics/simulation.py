"""Studies whose truth is known: two schemes on invented patients."""

from collections.abc import Sequence

import numpy as np

from experiments.statistics.score import Score

STRUCTURES = ("Brainstem", "Larynx", "Parotid_L")
# Test patients of the study's six sites, about: a quarter of 26, 44, 19, 35, 31 and 47.
SITE_SIZES = (7, 11, 5, 9, 8, 12)


def simulated(
    generator: np.random.Generator, difference: float, sizes: Sequence[int] = SITE_SIZES, contoured: float = 0.7
) -> list[Score]:
    """Scores of ``a`` and ``b`` whose true macro difference, ``b`` − ``a``, is given.

    Patients differ in how hard they are, and structures of one patient go together. The difference is skewed towards harm,
    half of it shared by a patient's structures; every site has its own, from 0.01 below to 0.01 above their mean.

    Args:
        generator: of the patients.
        difference: the true macro difference.
        sizes: patients of each site.
        contoured: the chance that a structure other than the first is contoured, 0 to 1.
    """
    offsets = np.linspace(-0.01, 0.01, len(sizes)) if len(sizes) > 1 else [0.0]
    scores = []
    for site, (size, offset) in enumerate(zip(sizes, offsets, strict=True)):
        for patient in range(size):
            base, shared = generator.normal(0.75, 0.05), 0.01 - generator.exponential(0.01)
            for structure in STRUCTURES:
                if structure != STRUCTURES[0] and generator.random() > contoured:
                    continue
                before = base + generator.normal(0, 0.03)
                change = difference + offset + shared + 0.02 - generator.exponential(0.02)
                scores += [
                    Score(
                        scheme=scheme,
                        seed=0,
                        model_site=None,
                        patient=f"p{patient:02d}",
                        patient_site=f"site_{site}",
                        structure=structure,
                        value=value,
                    )
                    for scheme, value in (("a", before), ("b", before + change))
                ]
    return scores
