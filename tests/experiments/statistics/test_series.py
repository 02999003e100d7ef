"""A part of a table holds that part's numbers and patients."""

import numpy as np
import pytest

from experiments.statistics.study import Study
from tests.experiments.statistics.score_tables import one

STUDY = Study.of(
    [
        one("a", value, patient=patient, site=site, structure=structure)
        for value, (site, patient, structure) in zip(
            [0.1, 0.2, 0.3, 0.4, 0.5],
            [
                ("site_a", "p0", "Brainstem"),
                ("site_a", "p1", "Brainstem"),
                ("site_a", "p1", "Larynx"),
                ("site_b", "p0", "Brainstem"),
                ("site_b", "p0", "Larynx"),
            ],
            strict=True,
        )
    ]
)


@pytest.mark.parametrize(
    ("site", "structure", "values", "patients"),
    [
        (None, None, [[0.1, np.nan], [0.2, 0.3], [0.4, 0.5]], [0, 1, 2]),
        ("site_b", None, [[0.4, 0.5]], [2]),
        (None, "Larynx", [[np.nan], [0.3], [0.5]], [0, 1, 2]),
        ("site_a", "Larynx", [[np.nan], [0.3]], [0, 1]),
    ],
)
def test_a_part(site, structure, values, patients):
    part = STUDY.series("a").within(site, structure)
    assert np.array_equal(part.values_PK, values, equal_nan=True)
    assert part.patient_P.tolist() == patients
    assert np.array_equal(part.has_score_PK, ~np.isnan(values))
    assert (part.site, part.structure) == (site, structure)
    assert len(part.sites) == part.site_P.max() + 1
