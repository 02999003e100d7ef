"""Damage that SimpleITK reads over in silence is found in the bytes."""

import gzip

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from src.data.nifti_bytes import find_damage


def write(path, array_ZYX):
    sitk.WriteImage(sitk.GetImageFromArray(array_ZYX), str(path))
    return path


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_a_sound_file_has_no_damage(tmp_path, ending, dtype):
    assert find_damage(write(tmp_path / f"a{ending}", np.arange(4 * 5 * 6).reshape(4, 5, 6).astype(dtype))) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_simpleitk_hides_a_voxel_that_is_no_number_and_we_do_not(tmp_path, bad, dtype):
    array = np.ones((3, 5, 7), dtype)  # an odd number of voxels: the last one counts too
    array[2, 4, 6] = bad
    path = write(tmp_path / "a.nii.gz", array)
    assert np.isfinite(sitk.GetArrayFromImage(sitk.ReadImage(str(path)))).all()  # why this module exists
    assert find_damage(path) == "holds NaN or infinite voxels"


@settings(max_examples=60, deadline=None)
@given(keep=st.floats(0, 0.999), compressed=st.booleans())
def test_a_file_cut_off_anywhere_is_damaged(tmp_path_factory, keep, compressed):
    path = tmp_path_factory.mktemp("cut") / ("a.nii.gz" if compressed else "a.nii")
    write(path, np.random.default_rng(0).integers(-1000, 1000, (6, 7, 8)).astype(np.int16))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    assert find_damage(path) is not None


def test_a_flipped_byte_in_a_compressed_file_is_damage(tmp_path):
    path = write(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(-1000, 1000, (6, 7, 8)).astype(np.int16))
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)
    assert find_damage(path) is not None


def test_other_files_are_no_nifti(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"x" * 1000)
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(b"y" * 1000))
    (tmp_path / "c.nii.gz").write_text("text")
    assert find_damage(tmp_path / "a.nii") == find_damage(tmp_path / "b.nii.gz") == "is not a NIfTI file"
    assert find_damage(tmp_path / "c.nii.gz") == "is cut off or damaged"


@settings(max_examples=200, deadline=None)
@given(noise=st.binary(min_size=0, max_size=700), size=st.sampled_from([b"\x5c\x01\x00\x00", b"\x1c\x02\x00\x00", b""]))
def test_bytes_of_any_kind_are_answered_and_never_raise(tmp_path_factory, noise, size):
    path = tmp_path_factory.mktemp("noise") / "a.nii"
    path.write_bytes(size + noise)
    assert find_damage(path) is None or isinstance(find_damage(path), str)
