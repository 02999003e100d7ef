"""Every contour goes to the slice it lies nearest to, or somebody is told why not."""

import numpy as np
import pytest

from data_prep.rasterise.plane import place
from data_prep.rasterise.slices import Sliced, distribute
from src.errors import DicomError
from tests.data_prep.rasterise.drawn import make_grid, make_roi, ring


def sliced(heights_mm, grid=None, radius=lambda z: 5.0) -> Sliced:
    grid = grid or make_grid()
    return distribute(place(make_roi(grid, [ring((15, 15, z), radius(z)) for z in heights_mm]).contours, grid), grid)


def test_contours_on_the_slices_need_no_words():
    result = sliced([6, 9, 12])
    assert sorted(result.outlines) == [2, 3, 4]
    assert result.notes == ()


@pytest.mark.parametrize("z", [-1.6, -3, -6, -36, 34.6, 36, 39])
def test_contours_above_or_below_the_ct_are_left_out_and_never_wrap_around(z):
    result = sliced([0, 3, 33, z])
    assert sorted(result.outlines) == [0, 1, 11]
    assert result.notes[0] == "contours above or below the CT, left out: 1 of 4"


def test_an_roi_beyond_the_ct_is_refused():
    with pytest.raises(DicomError, match="it lies outside the CT"):
        sliced([-9, -6, -3])


def test_contours_slightly_off_their_slice_are_taken_to_it_with_the_largest_offset_noted():
    result = sliced([6.4, 9.7, 12.1])
    assert sorted(result.outlines) == [2, 3, 4]
    assert result.notes == ("its contours lie up to 0.70 mm off the slices and were taken to the nearest one",)


@pytest.mark.parametrize("noise_mm", [0, 1e-6, -1e-6])
def test_contours_half_way_go_to_the_higher_index_whatever_their_last_digit(noise_mm):
    result = sliced(np.array([4.5, 7.5, 10.5]) + noise_mm)
    assert sorted(result.outlines) == [2, 3, 4]
    assert "up to 1.50 mm off" in result.notes[0]


def test_of_planes_closer_than_the_slices_the_nearest_makes_each_slice():
    result = sliced(np.arange(5, 13.5, 1.0), radius=lambda z: z)
    assert {k: round(np.ptp(outline[0][:, 0]) / 2) for k, outline in result.outlines.items()} == {2: 6, 3: 9, 4: 12}
    assert [len(outlines) for outlines in result.outlines.values()] == [1, 1, 1]
    assert result.notes == ("its planes are closer than the slices: each slice takes the nearest one; contours left out: 6",)


def test_contours_of_one_plane_stay_together_though_their_heights_were_written_differently():
    grid = make_grid()
    contours = make_roi(grid, [ring((10, 15, 9.0), 4), ring((25, 15, 9.06), 4)]).contours
    assert len(distribute(place(contours, grid), grid).outlines[3]) == 2


@pytest.mark.parametrize("offset_mm", [0.15, 0.5, -0.3])
@pytest.mark.parametrize("beside", [range(2, 8), [4], [4, 5, 6]])
@pytest.mark.parametrize("centre_x", [18, 45])
def test_a_hole_or_a_part_beside_the_plane_of_its_slice_is_refused_and_never_taken_for_the_whole(offset_mm, beside, centre_x):
    grid = make_grid(size=(60, 32, 12))
    organ = [ring((18, 15, 3 * z + offset_mm * (z in beside)), 12) for z in range(2, 8)]
    other = [ring((centre_x, 15, 3 * z), 8) for z in range(2, 8)]
    with pytest.raises(DicomError, match=f"found some {abs(offset_mm):.2f} mm beside others of their slice"):
        distribute(place(make_roi(grid, organ + other).contours, grid), grid)


def test_of_one_slice_with_two_planes_nobody_can_tell_a_finer_step():
    with pytest.raises(DicomError, match=r"found some 0\.40 mm beside others"):
        sliced([9, 9.4])


@pytest.mark.parametrize("step_mm", [0.5, 0.7, 1.0, 2.5])
def test_finer_planes_of_any_regular_step_are_no_contours_beside_others(step_mm):
    heights_mm = np.delete(np.arange(4, 30, step_mm), [4])
    assert sorted(sliced(heights_mm).outlines) == sorted(set(np.floor(heights_mm / 3 + 0.5).astype(int)))


@pytest.mark.parametrize("num_contours", [3, 12])
def test_centimetres_are_refused(num_contours):
    with pytest.raises(DicomError, match=r"found them every 0\.3 mm, a tenth of that: they seem to be in centimetres"):
        sliced(10 + 0.3 * np.arange(num_contours))


@pytest.mark.parametrize(
    ("step_mm", "heights_mm"),
    [
        (6, [0, 6, 12, 18]),
        (6, [0, 6, 12]),
        (7.5, np.arange(0, 30, 7.5)),
        (3.75, np.arange(0, 30, 3.75)),
        (9, [6, 15]),  # a small organ of a patient contoured on every third slice
    ],
)
def test_contours_farther_apart_than_the_slices_are_refused(step_mm, heights_mm):
    with pytest.raises(DicomError, match=rf"3 mm apart, found them every {step_mm:.1f} mm: the mask would be stripes"):
        sliced(heights_mm)


@pytest.mark.parametrize(
    ("heights_mm", "missing"), [([6, 9, 15, 18], 1), ([3, 6, 21], 4), ([0, 3, 6, 15, 18, 30], 5), ([0, 9, 12, 33], 8)]
)
def test_gaps_are_left_and_counted(heights_mm, missing):
    result = sliced(heights_mm)
    assert len(result.outlines) == len(heights_mm)
    assert result.notes == (f"slices without contours between its first and its last: {missing}, left empty",)


def test_a_slight_tilt_is_noted():
    grid = make_grid()
    tilted = [ring((15, 15, z), 8) + np.outer(ring((15, 15, z), 8)[:, 0] - 15, (0, 0, 0.1)) for z in (9, 12, 15)]
    result = distribute(place(make_roi(grid, tilted).contours, grid), grid)
    assert sorted(result.outlines) == [3, 4, 5]
    assert result.notes == ("its contours are tilted: points lie up to 0.80 mm off the plane of their slice",)


def test_contours_of_a_slice_stay_together_under_a_slight_tilt():
    grid = make_grid()
    flat = [ring((x, 15, z), 4) for z in (9, 12, 15) for x in (8, 28)]
    tilted = [points + np.outer(points[:, 0] - 18, (0, 0, 0.05)) for points in flat]
    result = distribute(place(make_roi(grid, tilted).contours, grid), grid)
    assert {k: len(outlines) for k, outlines in result.outlines.items()} == {3: 2, 4: 2, 5: 2}
