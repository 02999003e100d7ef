"""Sparse text files: what is read back is what was written, and whatever else they hold is refused."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_prep.openkbp.sparse_file import GRID_SIZE, read_indices, read_spacing, read_values
from src.errors import CaseError

voxels = st.lists(st.integers(0, GRID_SIZE**3 - 1), unique=True, max_size=30)
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)


@same_folder
@given(indices=voxels)
def test_a_mask_is_read_as_it_was_written(tmp_path, indices):
    (tmp_path / "m.csv").write_text(",data\n" + "".join(f"{index},\n" for index in indices))
    read = read_indices("case_1", tmp_path / "m.csv")
    assert read.dtype == np.int64
    assert read.tolist() == indices


@same_folder
@given(indices=voxels, seed=st.integers(0, 99))
def test_an_image_is_read_as_it_was_written(tmp_path, indices, seed):
    values = np.random.default_rng(seed).integers(-50, 9000, len(indices))
    lines = "".join(f"{index},{float(value)}\n" for index, value in zip(indices, values, strict=True))
    (tmp_path / "ct.csv").write_text(",data\n" + lines)
    read, read_hu = read_values("case_1", tmp_path / "ct.csv")
    assert read.tolist() == indices
    assert read_hu.tolist() == values.tolist()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (",data\n-1,5\n", "each once, found others"),
        (f",data\n{GRID_SIZE**3},5\n", "each once, found others"),
        (",data\n7,5\n7,6\n", "each once, found others"),
        (",data\n7.5,5\n", "each once, found others"),
        (",data\nnan,5\n", "each once, found others"),
        (",data\n7,nan\n", "NaN or infinite"),
        (",data\n7,inf\n", "NaN or infinite"),
        (",data\n7\n", "not one of the challenge's"),
        (",data\n7,\n", "not one of the challenge's"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 3534241\n", "not one of the challenge's"),
    ],
)
def test_other_images_are_refused(tmp_path, text, found):
    (tmp_path / "ct.csv").write_text(text)
    with pytest.raises(CaseError, match=found):
        read_values("case_1", tmp_path / "ct.csv")


@same_folder
@given(content=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path, content):
    (tmp_path / "any.csv").write_bytes(content)
    for read in (read_indices, read_values, read_spacing):
        try:
            read("case_1", tmp_path / "any.csv")
        except CaseError:
            continue


def test_a_missing_file_is_named_with_its_patient(tmp_path):
    with pytest.raises(CaseError, match=r"pt_4/ct\.csv, found none"):
        read_values("openkbp_004", tmp_path / "pt_4" / "ct.csv")


def test_a_file_that_is_far_too_long_is_not_read(tmp_path):
    with (tmp_path / "ct.csv").open("wb") as file:
        file.truncate(2**27)
    with pytest.raises(CaseError, match="at most"):
        read_values("case_1", tmp_path / "ct.csv")


def test_the_size_of_a_voxel_is_three_numbers(tmp_path):
    path = tmp_path / "voxel_dimensions.csv"
    path.write_text("4.639999999999999680e+00\n4.639999999999999680e+00\n3.000000000000000000e+00\n")
    assert read_spacing("case_1", path) == (4.64, 4.64, 3.0)
    for text in ("4.6\n4.6\n", "4.6\n4.6\n0\n", "4.6\n4.6\n-3\n", "4.6\n4.6\nnan\n", ""):
        path.write_text(text)
        with pytest.raises(CaseError, match="three sizes"):
            read_spacing("case_1", path)
