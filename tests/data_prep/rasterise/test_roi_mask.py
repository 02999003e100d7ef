"""Whole ROIs: solids and rings of known size on grids of any spacing, aspect and orientation; and what is said or refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data_prep.rasterise.roi_mask import rasterise
from src.dicom.objects import Grid
from src.errors import DicomError
from tests.data_prep.rasterise.drawn import box, distance_from_axis, grids, make_grid, make_roi, ring

POINTS = 120
# Of a circle's area that is inside a polygon with that many corners on it.
POLYGON_SHARE = POINTS / (2 * np.pi) * np.sin(2 * np.pi / POINTS)
CENTRE_MM = (17.3, 14.9, 11.6)
NUMBERS = st.floats(-20, 50) | st.floats(-20, 50) | st.floats()
HEIGHTS = st.sampled_from([0.0, 3.0, 4.0, 6.0, 100.0]) | st.floats()


def radii_of_slices(grid: Grid, squared_radius) -> list[tuple[float, float]]:
    """Height in mm and radius of every slice on which ``squared_radius`` of the height above the centre is above 0."""
    heights = np.arange(grid.size[2]) * grid.spacing_mm[2]
    return [(z, float(np.sqrt(squared_radius(z - CENTRE_MM[2])))) for z in heights if squared_radius(z - CENTRE_MM[2]) > 0.05]


def edge_cm3(grid: Grid, circles: list[tuple[float, float]]) -> float:
    """Volume of one layer of voxels along all contours."""
    length_mm = sum(2 * np.pi * radius for _, radius in circles)
    return length_mm * max(grid.spacing_mm[:2]) * grid.spacing_mm[2] / 1000


def assert_within(mask_ZYX, inside_ZYX, margin_mm, distances) -> None:
    """Voxels further than a margin from every surface are right, each of them."""
    certain = np.all([np.abs(distance) > margin_mm for distance in distances], axis=0)
    assert (mask_ZYX == inside_ZYX)[certain].all()


@settings(max_examples=40, deadline=None)
@given(grids(), st.floats(3, 14), st.floats(2, 11))
def test_ellipsoids_have_their_volume_and_their_place(grid, radius_mm, height_mm):
    def squared_radius(z):
        return radius_mm**2 * (1 - (z / height_mm) ** 2)

    circles = radii_of_slices(grid, squared_radius)
    assume(circles)
    result = rasterise(make_roi(grid, [ring((*CENTRE_MM[:2], z), radius, POINTS) for z, radius in circles]), grid)
    polygon_cm3 = sum(np.pi * radius**2 for _, radius in circles) * POLYGON_SHARE * grid.spacing_mm[2] / 1000
    assert result.polygon_cm3 == pytest.approx(polygon_cm3, rel=1e-6)
    assert abs(result.mask_cm3 - polygon_cm3) < edge_cm3(grid, circles)
    assert result.mask_cm3 == pytest.approx(result.mask_ZYX.sum() * np.prod(grid.spacing_mm) / 1000)
    distance, above = distance_from_axis(grid, CENTRE_MM)
    radius_ZYX = np.sqrt(np.maximum(squared_radius(above), 0))
    radius_ZYX[squared_radius(above) <= 0.05] = 0
    assert_within(result.mask_ZYX, distance < radius_ZYX, 0.02, [distance - radius_ZYX])


@settings(max_examples=40, deadline=None)
@given(grids(), st.floats(6, 10), st.floats(2, 4), st.booleans(), st.booleans())
def test_tori_have_their_volume_and_their_hole_by_inner_contour_and_by_keyhole(grid, radius_mm, tube_mm, by_keyhole, same_way):
    walls = radii_of_slices(grid, lambda z: tube_mm**2 - z**2)
    assume(walls)
    drawn = []
    for z, wall in walls:
        outer = ring((*CENTRE_MM[:2], z), radius_mm + wall, POINTS)
        inner = ring((*CENTRE_MM[:2], z), radius_mm - wall, POINTS)
        if by_keyhole:
            drawn.append(np.concatenate([outer, outer[:1], inner[:1], inner[::-1]]))
        else:
            drawn += [outer, inner if same_way else inner[::-1]]
    result = rasterise(make_roi(grid, drawn), grid)
    polygon_cm3 = sum(4 * np.pi * radius_mm * wall for _, wall in walls) * POLYGON_SHARE * grid.spacing_mm[2] / 1000
    assert result.polygon_cm3 == pytest.approx(polygon_cm3, rel=1e-6)
    circles = [(z, radius) for z, wall in walls for radius in (radius_mm + wall, radius_mm - wall)]
    assert abs(result.mask_cm3 - polygon_cm3) < edge_cm3(grid, circles)
    distance, above = distance_from_axis(grid, CENTRE_MM)
    wall_ZYX = np.sqrt(np.maximum(tube_mm**2 - above**2, 0))
    wall_ZYX[tube_mm**2 - above**2 <= 0.05] = 0
    from_core = np.abs(distance - radius_mm)
    assert_within(result.mask_ZYX, from_core < wall_ZYX, 0.03, [from_core - wall_ZYX])


@settings(max_examples=30, deadline=None)
@given(grids(), st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(-2, 2)), st.integers(0, 2**32 - 1))
def test_moving_by_whole_voxels_moves_the_mask(grid, steps, seed):
    middle_mm = (np.array(grid.size) // 2) * grid.spacing_mm
    noise = np.random.default_rng(seed).uniform(-1, 1, (40, 3)) * (1, 1, 0)
    drawn = [ring(np.add(middle_mm, (0, 0, up * grid.spacing_mm[2])), 4, 40) + noise for up in (-1, 0, 1)]
    here = rasterise(make_roi(grid, drawn), grid)
    moved = rasterise(make_roi(grid, [points + np.array(steps) * grid.spacing_mm for points in drawn]), grid)
    assert (moved.mask_ZYX == np.roll(here.mask_ZYX, steps[::-1], axis=(0, 1, 2))).all()
    assert moved.polygon_cm3 == pytest.approx(here.polygon_cm3)


@settings(max_examples=30, deadline=None)
@given(grids(), st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_a_mirrored_grid_holds_the_mirrored_mask(grid, mirrored):
    middle_mm = (np.array(grid.size) // 2) * grid.spacing_mm
    roi = make_roi(grid, [ring(np.add(middle_mm, (1.1, 0.7, up * grid.spacing_mm[2])), 5.3) for up in (0, 1)])
    signs = np.where(mirrored, -1, 1)
    last_mm = grid.direction @ (np.where(mirrored, np.array(grid.size) - 1, 0) * grid.spacing_mm)
    other = replace(grid, origin_mm=grid.origin_mm + last_mm, direction=grid.direction * signs)
    flipped = [axis for axis, is_mirrored in enumerate(mirrored[::-1]) if is_mirrored]
    assert (rasterise(roi, other).mask_ZYX == np.flip(rasterise(roi, grid).mask_ZYX, flipped)).all()


@settings(max_examples=30, deadline=None)
@given(grids(), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_contours_stored_again_change_nothing_but_a_note(grid, times, seed):
    generator = np.random.default_rng(seed)
    drawn = [ring((*CENTRE_MM[:2], z * grid.spacing_mm[2]), radius) for z in (1, 2, 3) for radius in (11, 6)]
    again = [points + generator.uniform(-0.05, 0.05, points.shape) * (1, 1, 0) for points in drawn for _ in range(times)]
    once, often = rasterise(make_roi(grid, drawn), grid), rasterise(make_roi(grid, drawn + again), grid)
    assert (once.mask_ZYX == often.mask_ZYX).all()
    assert often.polygon_cm3 == pytest.approx(once.polygon_cm3)
    assert once.notes == ()
    assert often.notes == (f"contours left out as copies of another: {6 * times}, on slices: 3",)


def test_rows_columns_and_slices_are_not_mixed_up():
    grid = make_grid(size=(9, 7, 5), spacing_mm=(1, 2, 3))
    mask_ZYX = rasterise(make_roi(grid, [box(1.5, 1, 6.5, 9, 6)]), grid).mask_ZYX
    assert mask_ZYX.shape == (5, 7, 9) and mask_ZYX.dtype == bool
    expected_ZYX = np.zeros((5, 7, 9), bool)
    expected_ZYX[2, 1:5, 2:7] = True
    assert (mask_ZYX == expected_ZYX).all()


def notes_on(*drawn, grid=None) -> tuple[str, ...]:
    grid = grid or make_grid()
    return rasterise(make_roi(grid, drawn), grid).notes


def test_what_reaches_beyond_the_images_is_noted():
    notes = notes_on(box(-5, 5, 10, 20, 6), box(3, 5, 10, 20, 9))
    assert notes[0] == "contours that reach beyond the edge of the CT's images: 1; what lies outside was cut off"


def test_contours_that_run_over_themselves_are_noted():
    outer, inner = box(2, 2, 20, 20, 6), box(6, 6, 14, 14, 6)
    twice = np.concatenate([outer, outer[:1], inner, inner[:1]])
    assert "contours run over themselves" in notes_on(twice)[0]
    assert notes_on(np.concatenate([outer, outer[:1], inner[::-1], inner[-1:]])) == ()


def test_contours_that_overlap_partly_are_noted_from_one_percent_of_the_volume():
    left = box(1.5, 1.5, 15.5, 21.5, 6)
    assert notes_on(left, box(14.5, 1.5, 30.5, 21.5, 6)) == (
        "contours of one slice overlap partly (3.4% of its volume) and were joined, not subtracted",
    )
    assert notes_on(left, box(14.5, 19.5, 30.5, 24.5, 6)) == ()


def test_volumes_that_differ_are_noted_for_large_rois_alone():
    coarse = make_grid(spacing_mm=(9, 9, 9))
    assert notes_on(ring((100, 100, 9), 16), ring((100, 100, 18), 16), grid=coarse)[-1].startswith("its contours enclose 14.")
    assert notes_on(ring((100, 100, 9), 10), grid=coarse) == ()


def test_gaps_and_offsets_are_passed_on():
    assert notes_on(*(box(2, 2, 9, 9, height_mm) for height_mm in (3, 6, 15.6))) == (
        "its contours lie up to 0.60 mm off the slices and were taken to the nearest one",
        "slices without contours between its first and its last: 2, left empty",
    )


@pytest.mark.parametrize(
    ("drawn", "why"),
    [
        ([], "expected closed contours, found none"),
        ([box(2, 2, 9, 9, -30)], "it lies outside the CT"),
        ([box(200, 2, 209, 9, 6)], "it lies beside the CT"),
        ([box(2.2, 2.2, 2.8, 2.8, 6)], "or is smaller than a voxel"),
        ([box(2, 2, 9, 9, 6)[:, [2, 0, 1]]], "it was drawn on another plane"),
        ([box(2, 2, 9, 9, 6 * z) for z in range(5)], "the mask would be stripes"),
        ([np.full((4, 3), np.nan)], "found one that is no number"),
    ],
)
def test_what_cannot_be_a_mask_is_refused_by_the_number_of_the_roi_and_not_by_its_name(drawn, why):
    with pytest.raises(DicomError, match=why) as refused:
        rasterise(make_roi(make_grid(), drawn), make_grid())
    assert str(refused.value).startswith("ROI 7: ")
    assert "Zwiebelfisch" not in str(refused.value)


def test_an_roi_of_which_something_could_not_be_read_is_refused():
    roi = replace(make_roi(make_grid(), [box(2, 2, 9, 9, 6)]), damage=("2 contours without ContourData",))
    with pytest.raises(
        DicomError, match="ROI 7: expected contours that could all be read, found 2 contours without ContourData"
    ):
        rasterise(roi, make_grid())


@settings(max_examples=150, deadline=None)
@given(grids(), st.lists(st.tuples(HEIGHTS, st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=6)), max_size=6))
def test_any_numbers_end_in_a_mask_or_a_refusal(grid, contours):
    drawn = [np.array([(x, y, z) for x, y in corners]) for z, corners in contours]
    with np.errstate(all="ignore"):
        roi = make_roi(grid, drawn)
    try:
        result = rasterise(roi, grid)
    except DicomError:
        return
    assert result.mask_ZYX.any()
    assert np.isfinite(result.polygon_cm3)
