"""What is measured of a case is what is in its files, and the histogram tells what sorting would."""

import numpy as np
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data_prep.agreement.measure import HU_PERCENTS, _percentiles, measure_case


@given(hnp.arrays(np.int16, st.integers(1, 400), elements=st.integers(-3000, 5000)))
def test_percentiles_are_those_of_sorting_within_the_range_of_scanners(hu):
    expected = np.percentile(np.clip(hu, -1024, 3071), HU_PERCENTS, method="inverted_cdf")
    assert np.array_equal(_percentiles(hu), expected)


def test_a_case_of_the_spheres(sphere_dataset):
    record = sphere_dataset.cases_of("train")[0]
    measured = measure_case(sphere_dataset, record)
    assert (measured.spacing_mm, measured.size_voxels) == ((4.0, 4.0, 5.0), (32, 32, 20))
    ct = sitk.GetArrayFromImage(sphere_dataset.read_ct(record.name))
    every = np.zeros(ct.shape, bool)
    for name in record.structures:
        inside = sitk.GetArrayFromImage(sphere_dataset.read_mask(record.name, name)) > 0
        every |= inside
        assert measured.structure_hu[name][2] == np.median(ct[inside])
        assert measured.volume_cm3[name] == inside.sum() * 0.08
    assert np.array_equal(measured.contoured_hu, np.percentile(ct[every], HU_PERCENTS, method="inverted_cdf"))
    assert -40 < measured.body_hu[0] <= measured.body_hu[2] < 40
