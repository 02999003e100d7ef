"""A series becomes a grid only when its slices make one; every other one is refused with the reason and the files."""

import re
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from src.dicom.ct_pixels import read_ct
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.errors import DicomError
from tests.small_export import SmallPatient, ct_slice, write_ct
from tests.src.dicom.small_series import assert_grid, hu_of, label_in, only_series, refusal, stack_of, write_series


def only(z: int, alter):
    """A change of the slice at ``z`` alone."""

    def change(dataset):
        if dataset.InstanceNumber == z + 1:
            alter(dataset)

    return change


def moved(x=0.0, y=0.0, z=0.0):
    def alter(dataset):
        dataset.ImagePositionPatient = [
            float(value) + step for value, step in zip(dataset.ImagePositionPatient, (x, y, z), strict=True)
        ]

    return alter


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_orientation_spacing_and_order_of_files_come_back_exactly(tmp_path_factory, data):
    seed = data.draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    size = tuple(int(value) for value in generator.integers(2, 7, 3))
    patient = SmallPatient(
        size=size,
        spacing_mm=tuple(float(value) for value in generator.uniform(0.3, 6, 3)),
        origin_mm=tuple(float(value) for value in generator.uniform(-500, 500, 3)),
        direction=Rotation.random(random_state=seed % 2**31).as_matrix(),
        hu_ZYX=generator.integers(-1024, 3072, size[::-1], dtype=np.int16),
    )
    folder = tmp_path_factory.mktemp("export")
    paths = write_ct(folder, patient, change=lambda dataset: setattr(dataset, "InstanceNumber", int(generator.integers(99))))
    for number, path in enumerate(generator.permutation([str(path) for path in paths])):
        shutil.move(path, folder / f"{generator.integers(1000):04d}.{number}")
    stack = stack_of(folder)
    assert_grid(stack.grid, patient, atol=1e-9)
    ct = read_ct(stack)
    np.testing.assert_array_equal(hu_of(ct), patient.hu_ZYX)
    index = [int(generator.integers(0, side)) for side in size]
    np.testing.assert_allclose(ct.TransformIndexToPhysicalPoint(index), patient.point_mm(index), atol=1e-4)


def test_slices_written_from_head_to_feet_are_turned_round_with_their_pixels(tmp_path):
    patient = SmallPatient(direction=np.diag([1.0, 1.0, -1.0]))
    ct = read_ct(stack_of(write_series(tmp_path, patient=patient)))
    np.testing.assert_array_equal(hu_of(ct), patient.hounsfield_ZYX()[::-1])
    assert ct.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert ct.GetOrigin() == (-24, -20, 100 - 27)


def test_positions_written_with_few_decimals_give_the_mean_distance(tmp_path):
    def rounded(dataset):
        dataset.ImagePositionPatient = [round(float(value), 2) for value in dataset.ImagePositionPatient]

    patient = SmallPatient(size=(8, 8, 31), spacing_mm=(2, 2, 1.171875))
    grid = stack_of(write_series(tmp_path, rounded, patient)).grid
    assert grid.spacing_mm[2] == pytest.approx(1.171875, abs=0.01 / 30)


def test_a_missing_slice_is_refused_between_its_neighbours(tmp_path):
    write_ct(tmp_path, SmallPatient(), slices=[0, 1, 2, 3, 5, 6, 7, 8, 9])
    before, after = label_in(tmp_path, "_3"), label_in(tmp_path, "_5")
    assert f"1 missing slice: a step of 6 mm between {before} and {after} where others are 3 mm" in refusal(tmp_path)


def test_variable_spacing_is_refused(tmp_path):
    said = refusal(write_series(tmp_path, only(4, moved(z=0.5))))
    assert "variable spacing: slices 2.5 to 3.5 mm apart" in said and label_in(tmp_path, "_4") in said


def test_steps_that_are_each_within_tolerance_must_not_add_up(tmp_path):
    def drift(dataset):
        z = dataset.InstanceNumber - 1
        dataset.ImagePositionPatient = [-24, -20, 100 + (2.98 * z if z < 20 else 2.98 * 20 + 3.02 * (z - 20))]

    assert "drift 0.4 mm off one regular grid" in refusal(write_series(tmp_path, drift, SmallPatient(size=(4, 4, 41))))


@pytest.mark.parametrize("jitter_mm", [0.004, 0.012])
def test_a_jitter_within_one_percent_is_taken(tmp_path, jitter_mm):
    def jitter(dataset):
        moved(z=jitter_mm * (-1) ** dataset.InstanceNumber)(dataset)

    assert stack_of(write_series(tmp_path, jitter)).grid.spacing_mm[2] == pytest.approx(3, abs=0.01)


@pytest.mark.parametrize("degrees", [2.0, -18.5])
def test_a_gantry_tilt_is_refused_with_its_angle(tmp_path, degrees):
    tilt = np.radians(degrees)

    def change(dataset):
        dataset.ImageOrientationPatient = [1, 0, 0, 0, np.cos(tilt), np.sin(tilt)]

    assert f"gantry tilt of {abs(degrees)}°" in refusal(write_series(tmp_path, change))


def test_a_slice_shifted_sideways_is_refused(tmp_path):
    said = refusal(write_series(tmp_path, only(5, moved(x=1.0))))
    assert "shifted sideways" in said and label_in(tmp_path, "_5") in said


@pytest.mark.parametrize(
    ("what", "alter"),
    [
        ("frame of reference", lambda dataset: setattr(dataset, "FrameOfReferenceUID", "1.2.3")),
        ("frame of reference", lambda dataset: delattr(dataset, "FrameOfReferenceUID")),
        ("pixel spacing", lambda dataset: setattr(dataset, "PixelSpacing", [2.0, 2.01])),
        ("orientation", lambda dataset: setattr(dataset, "ImageOrientationPatient", [1, 0, 0, 0, 0.99999, 0.0044721])),
    ],
)
@pytest.mark.parametrize("z", [0, 5, 9])
def test_one_slice_that_differs_is_refused_by_name(tmp_path, what, alter, z):
    said = refusal(write_series(tmp_path, only(z, alter)))
    assert f"expected one {what}, but {label_in(tmp_path, f'_{z}')} differ from the rest" in said


def test_two_studies_under_one_series_are_noted(tmp_path):
    """They may be two CTs that happen to adjoin: some system gave both one SeriesInstanceUID."""
    adjoining = SmallPatient(origin_mm=(-24.0, -20.0, 130.0))
    write_ct(tmp_path / "one", SmallPatient())
    write_ct(tmp_path / "two", adjoining, change=lambda dataset: setattr(dataset, "StudyInstanceUID", "1.2.3"))
    assert "its slices are of 2 studies under one SeriesInstanceUID: are they one CT?" in stack_of(tmp_path).notes


def test_two_sizes_are_refused(tmp_path):
    write_ct(tmp_path, SmallPatient(size=(24, 20, 4)))
    patient = SmallPatient(size=(20, 20, 6))
    write_ct(tmp_path / "more", patient, slices=[4, 5])
    assert "expected one size" in refusal(tmp_path)


def test_a_single_slice_is_refused_and_two_are_noted(tmp_path):
    write_ct(tmp_path / "one", SmallPatient(), slices=[4])
    assert "a single slice (file_0001)" in refusal(tmp_path / "one")
    write_ct(tmp_path / "two", SmallPatient(), slices=[4, 5])
    stack = stack_of(tmp_path / "two")
    assert stack.grid.spacing_mm[2] == 3 and "two images alone" in stack.notes[0]


@pytest.mark.parametrize("apart_mm", [0.02, 300])
def test_impossible_distances_are_refused(tmp_path, apart_mm):
    patient = SmallPatient(spacing_mm=(2, 2, apart_mm))
    assert "expected slices 0.05 to 20 mm apart" in refusal(write_series(tmp_path, patient=patient))


def test_exact_duplicates_are_dropped_with_a_note_even_when_coded_otherwise(tmp_path):
    patient = SmallPatient()
    write_ct(tmp_path / "a", patient)

    def recode(dataset):
        values = np.frombuffer(dataset.PixelData, "<u2").astype(np.int32) - 1024
        dataset.PixelRepresentation, dataset.RescaleIntercept = 1, 0
        dataset.PixelData = values.astype("<i2").tobytes()

    write_ct(tmp_path / "b", patient, slices=[2, 3], change=recode)
    stack = stack_of(tmp_path)
    (note,) = stack.notes
    assert re.fullmatch(r"2 exact duplicates dropped \(file_00\d\d, file_00\d\d\)", note)
    np.testing.assert_array_equal(hu_of(read_ct(stack)), patient.hounsfield_ZYX())


def test_other_voxels_at_the_same_place_are_refused(tmp_path):
    patient = SmallPatient()
    write_ct(tmp_path / "a", patient)

    def change(dataset):
        dataset.AcquisitionNumber = 2
        dataset.PixelData = b"\1" + dataset.PixelData[1:]

    write_ct(tmp_path / "b", patient, change=change)
    said = refusal(tmp_path)
    assert "lie at the same place with different voxels" in said and "and 16 more" in said


def test_a_localizer_in_the_series_is_left_out_with_a_note(tmp_path):
    write_series(tmp_path)
    scout = ct_slice(SmallPatient(), SmallPatient().hounsfield_ZYX(), 0)
    scout.ImageType, scout.ImageOrientationPatient = ["ORIGINAL", "PRIMARY", "LOCALIZER"], [0, 1, 0, 0, 0, -1]
    scout.ImagePositionPatient = [0, -124.8, 916.5]
    scout.save_as(tmp_path / "scout", enforce_file_format=True)
    stack = stack_of(tmp_path)
    assert stack.notes == (f"1 localizers left out ({label_in(tmp_path, 'scout')})",)
    assert_grid(stack.grid, SmallPatient())


@pytest.mark.parametrize("z", [0, 9])
def test_an_end_slice_cannot_pass_for_a_localizer(tmp_path, z):
    """Left out, it would shorten the volume without a hole."""
    folder = tmp_path / "a"
    write_series(folder, only(z, lambda dataset: setattr(dataset, "ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"])))
    assert f"{label_in(folder, f'_{z}')} say they are localizers" in refusal(folder)
    folder = tmp_path / "b"
    write_series(folder, only(z, lambda dataset: setattr(dataset, "ImageOrientationPatient", [0, 1, 0, 0, 0, -1])))
    assert f"{label_in(folder, f'_{z}')} face another way" in refusal(folder)


def test_a_series_of_two_orientations_is_refused(tmp_path):
    write_ct(tmp_path / "a", SmallPatient(), slices=range(5))
    turned = SmallPatient(direction=np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]]), origin_mm=(0, 0, 0))
    write_ct(tmp_path / "b", turned, slices=range(5))
    assert "images of several orientations" in refusal(tmp_path)


def test_a_volume_larger_than_memory_is_refused_before_a_pixel_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("src.dicom.ct_series.MAX_VOXELS", 24 * 20 * 10 - 1)
    assert "voxels, which no planning CT has" in refusal(write_series(tmp_path))


def test_refusals_name_no_path_and_no_patient(tmp_path):
    patient = SmallPatient()
    write_ct(tmp_path / patient.identifiers["PatientName"], patient, slices=[0, 1, 3])
    said = refusal(tmp_path)
    assert not any(word in said for word in (*patient.identifiers.values(), patient.series_uid, "Zwiebelfisch", "IMG"))


def test_broken_files_of_the_series_are_named_four_and_counted(tmp_path):
    write_series(tmp_path, lambda dataset: dataset.InstanceNumber > 4 and delattr(dataset, "PixelSpacing"))
    series = only_series(tmp_path)
    assert len(series.broken) == 6
    with pytest.raises(DicomError, match=r"and 2 more cannot be used as its slices: it has no PixelSpacing"):
        stack_slices(series)
    assert scan_export(tmp_path).patients[0].skipped == ()
