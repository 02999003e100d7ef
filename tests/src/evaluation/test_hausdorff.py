"""HD95 and ASSD where the answer is known, and the conventions by which libraries differ."""

import numpy as np
import pytest

from src.evaluation.hausdorff import assd_mm, hausdorff_mm
from src.evaluation.mask_pair import pair_masks
from src.evaluation.surface import SurfaceDistances, surface_distances
from tests.src.evaluation.mask_shapes import SPACINGS_MM, ball, plane


@pytest.mark.parametrize("spacing_mm", SPACINGS_MM)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_parallel_planes_lie_exactly_their_distance_apart(axis, spacing_mm):
    shape = (10, 9, 11)
    distances = surface_distances(pair_masks(plane(shape, axis, 2), plane(shape, axis, 7), spacing_mm))
    assert hausdorff_mm(distances) == pytest.approx(5 * spacing_mm[axis], abs=1e-12)
    assert assd_mm(distances) == pytest.approx(5 * spacing_mm[axis], abs=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shifted_ball(axis):
    """A ball that moves by d: at most d apart, d at the poles, and d |cos| elsewhere, which is d / 2 on average."""
    spacing_mm = (0.5, 0.7, 1.0)
    shape, centre = (80, 60, 46), np.array([36, 28, 22])
    shifted = centre + np.eye(3, dtype=int)[axis] * 2
    shift_mm = 2 * spacing_mm[axis]
    masks = [ball(shape, middle, 14.0, spacing_mm) for middle in (centre, shifted)]
    distances = surface_distances(pair_masks(*masks, spacing_mm))
    assert hausdorff_mm(distances, 100) == pytest.approx(shift_mm, abs=1e-9)
    assert 0.8 * shift_mm <= hausdorff_mm(distances) <= shift_mm + 1e-9
    assert assd_mm(distances) == pytest.approx(shift_mm / 2, rel=0.15)


def test_the_larger_of_the_two_directions_counts_and_they_are_not_pooled():
    near, far = np.zeros(1000), np.array([0.0, 1.0, 2.0, 3.0])
    for one, other in [(near, far), (far, near)]:
        distances = SurfaceDistances(pred_to_truth_mm=one, truth_to_pred_mm=other)
        assert hausdorff_mm(distances) == pytest.approx(2.85)  # linear between ranks: 0.95 × 3
        assert assd_mm(distances) == pytest.approx(6 / 1004)  # every surface voxel alike, not each direction alike
