"""The dataset contract: what is written is what is read, at whatever moment the writing stops."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from src.data.case_files import partial_folder, write_beside
from src.data.dataset import Dataset, check_name
from src.data.dataset_writer import DatasetWriter
from src.errors import CaseError, DatasetError, StructureError


def volume(array_ZYX: np.ndarray, spacing=(1.0, 1.0, 2.5), origin=(-5.0, 3.0, 40.0)) -> sitk.Image:
    image = sitk.GetImageFromArray(array_ZYX)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    return image


def ct() -> sitk.Image:
    return volume(np.random.default_rng(0).integers(-1000, 1000, (4, 5, 6)).astype(np.int16))


def mask(value: int = 1) -> sitk.Image:
    array = np.zeros((4, 5, 6), np.uint8)
    array[1:3, 2:4, 1:5] = value
    return volume(array)


@pytest.fixture
def writer(tmp_path: Path) -> DatasetWriter:
    return DatasetWriter(tmp_path / "north", anatomy="head_neck", site="north")


@settings(max_examples=25, deadline=None)
@given(
    hu=st.lists(st.integers(-32768, 32767), min_size=24, max_size=24),
    inside=st.lists(st.booleans(), min_size=24, max_size=24),
    spacing=st.tuples(*[st.floats(0.1, 10)] * 3),
    flips=st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3),
)
def test_what_is_written_is_what_is_read(tmp_path_factory, hu, inside, spacing, flips):
    path = tmp_path_factory.mktemp("round") / "d"
    images = [
        volume(np.reshape(values, (2, 3, 4)).astype(kind), spacing) for values, kind in ((hu, np.int16), (inside, np.uint8))
    ]
    for image in images:
        image.SetDirection(np.diag(flips).ravel().tolist())
    DatasetWriter(path, anatomy="liver", site="a").add_case("c", images[0], {"Liver": images[1]}, split="test", checks=("odd",))
    dataset = Dataset.open(path)
    read = dataset.read_ct("c")
    assert (sitk.GetArrayFromImage(read) == sitk.GetArrayFromImage(images[0])).all()
    assert (sitk.GetArrayFromImage(dataset.read_mask("c", "Liver")) == sitk.GetArrayFromImage(images[1])).all()
    np.testing.assert_allclose(read.GetSpacing(), spacing, rtol=1e-6)
    np.testing.assert_allclose(read.GetDirection(), images[0].GetDirection(), atol=1e-6)
    record = dataset.cases["c"]
    assert (record.split, record.structures, record.checks) == ("test", ("Liver",), ("odd",))


def test_no_file_means_unknown_and_an_empty_mask_means_not_present(writer):
    writer.add_case("c", ct(), {"Larynx": mask(0)})
    dataset = Dataset.open(writer.dataset.path)
    assert dataset.cases["c"].structures == ("Larynx",)
    assert not sitk.GetArrayFromImage(dataset.read_mask("c", "Larynx")).any()
    with pytest.raises(CaseError, match=r"expected the file Brainstem\.nii\.gz, found none"):
        dataset.read_mask("c", "Brainstem")


def test_splits_are_recorded_and_listed(writer):
    for case in ("a", "b", "c"):
        writer.add_case(case, ct(), {"Larynx": mask()})
    writer.set_splits({"a": "train", "c": "train", "b": "valid"})
    dataset = Dataset.open(writer.dataset.path)
    assert [record.name for record in dataset.cases_of("train")] == ["a", "c"]
    assert dataset.cases_of("test") == []


def test_a_case_written_by_another_process_is_placed_whole_and_the_same_voxels_make_the_same_bytes(writer):
    writer.add_case("c", ct(), {"Larynx": mask()}, split="train", checks=("odd",))
    record = writer.dataset.cases["c"]
    folder = writer.dataset.path / "cases" / "c"
    before = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.gz")}
    assert b"".join(before.values())[4:8] == bytes(4)  # the time in the head of a gzip stream
    write_beside(writer.dataset.path, "c", ct(), {"Larynx": mask()})
    assert Dataset.open(writer.dataset.path).cases["c"] == record  # nothing reads it yet
    writer.place_case(record)
    assert {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.gz")} == before
    assert not partial_folder(writer.dataset.path, "c").exists()
    assert Dataset.open(writer.dataset.path).cases["c"] == record


def test_a_removed_case_is_gone_with_its_record(writer):
    writer.add_case("c", ct(), {"Larynx": mask()})
    writer.add_case("kept", ct(), {"Larynx": mask()})
    writer.remove_case("c")
    writer.remove_case("never_there")
    assert list(Dataset.open(writer.dataset.path).cases) == ["kept"]
    assert [path.name for path in (writer.dataset.path / "cases").iterdir()] == ["kept"]


class Stopped(BaseException):
    """The process dies here; nothing may catch it."""


@pytest.mark.parametrize("step", range(12))
def test_stopped_at_any_step_the_dataset_is_valid(writer, monkeypatch, step):
    """Replaces a case by one with other structures, and stops at the n-th write, rename or removal."""
    writer.add_case("kept", ct(), {"Larynx": mask()})
    writer.add_case("replaced", ct(), {"Larynx": mask(), "Brainstem": mask()})
    left = [step]

    def counted(original):
        def call(*arguments, **options):
            left[0] -= 1
            if left[0] < 0:
                raise Stopped
            return original(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(sitk, "WriteImage", counted(sitk.WriteImage))
        patch.setattr(shutil, "rmtree", counted(shutil.rmtree))
        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(Path, "write_text", counted(Path.write_text))
        try:
            writer.add_case("replaced", ct(), {"Larynx": mask(), "Parotid_L": mask()})
        except Stopped:
            stopped = True
        else:
            stopped = False
    assert stopped == (step < 10)  # the last two go through: the test reached the end
    dataset = Dataset.open(writer.dataset.path)
    assert "kept" in dataset.cases
    for case, record in dataset.cases.items():
        dataset.read_ct(case)
        masks = {path.name.removesuffix(".nii.gz") for path in (dataset.mask_path(case, "x").parent).iterdir()}
        assert masks == set(record.structures)
        for name in record.structures:
            dataset.read_mask(case, name)
    again = DatasetWriter(writer.dataset.path, anatomy="head_neck", site="north")
    again.add_case("replaced", ct(), {"Larynx": mask(), "Parotid_L": mask()})
    assert Dataset.open(writer.dataset.path).cases["replaced"].structures == ("Larynx", "Parotid_L")


@pytest.mark.parametrize(
    ("image", "masks", "error", "message"),
    [
        (volume(np.full((4, 5, 6), np.nan, np.float32)), {}, CaseError, "NaN"),
        (volume(np.full((4, 5, 6), 40000, np.int32)), {}, CaseError, "within int16, found 40000"),
        (ct(), {"Larynx": volume(np.zeros((4, 5, 6), np.uint8), origin=(0, 0, 0))}, CaseError, "another grid.*origin"),
        (ct(), {"Larynx": volume(np.zeros((4, 5, 5), np.uint8))}, CaseError, "another grid.*size"),
        (ct(), {"Larnyx": mask()}, StructureError, "did you mean Larynx"),
    ],
)
def test_a_case_that_cannot_be_used_is_refused_before_anything_is_written(writer, image, masks, error, message):
    with pytest.raises(error, match=message):
        writer.add_case("c", image, masks)
    assert Dataset.open(writer.dataset.path).cases == {}
    assert not (writer.dataset.path / "cases" / "c").exists()


def test_a_case_with_an_unknown_split_or_name_is_refused(writer):
    with pytest.raises(CaseError, match="found 'training'"):
        writer.add_case("c", ct(), {}, split="training")
    with pytest.raises(DatasetError, match="lower-case"):
        writer.add_case("Case 1", ct(), {})


@given(st.text(max_size=70))
def test_a_name_that_passes_is_a_file_name_everywhere(name):
    try:
        check_name("case", name)
    except DatasetError:
        return
    assert 1 <= len(name) <= 64
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")


@pytest.mark.parametrize("name", ["..", "a/b", "a\n", "-a", "_a", "", "ä", "a" * 65, "CON", "a.b"])
def test_names_that_are_refused(name):
    with pytest.raises(DatasetError):
        check_name("case", name)


def test_a_mask_on_another_grid_or_with_other_values_is_refused_on_reading(writer):
    writer.add_case("c", ct(), {"Larynx": mask()})
    path = str(writer.dataset.mask_path("c", "Larynx"))
    sitk.WriteImage(mask(3), path)
    with pytest.raises(CaseError, match="0 and 1 only"):
        writer.dataset.read_mask("c", "Larynx")
    sitk.WriteImage(volume(np.zeros((4, 5, 6), np.uint8), spacing=(1, 1, 3)), path)
    with pytest.raises(CaseError, match=r"another grid.*spacing"):
        writer.dataset.read_mask("c", "Larynx")


def test_a_cut_off_ct_is_refused_on_reading(writer):
    writer.add_case("c", ct(), {})
    path = writer.dataset.ct_path("c")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(CaseError, match="cut off"):
        writer.dataset.read_ct("c")
    path.unlink()
    with pytest.raises(CaseError, match=r"expected the file ct\.nii\.gz"):
        writer.dataset.read_ct("c")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda index: index.update(schema_version=99), "schema 99"),
        (lambda index: index.update(anatomy="pelvis"), "found 'pelvis'"),
        (lambda index: index.pop("site"), "cannot be read"),
        (lambda index: index["cases"]["c"].update(split="dev"), "cannot be read"),
        (lambda index: index["cases"]["c"].update(structures=["Larnyx"]), "did you mean Larynx"),
        (lambda index: index.update(cases=[]), "cannot be read"),
    ],
)
def test_an_index_that_was_edited_wrongly_is_refused(writer, change, message):
    writer.add_case("c", ct(), {"Larynx": mask()})
    path = writer.dataset.path / "dataset.json"
    index = json.loads(path.read_text())
    change(index)
    path.write_text(json.dumps(index))
    with pytest.raises((DatasetError, StructureError), match=message):
        Dataset.open(writer.dataset.path)


def test_a_folder_that_is_no_dataset_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DatasetError, match=r"found no dataset\.json"):
            Dataset.open(path)
    (tmp_path / "dataset.json").write_text('{"schema_version": 1, "anat')
    with pytest.raises(DatasetError, match="cannot be read"):
        Dataset.open(tmp_path)


def test_a_writer_never_takes_over_another_folder(writer, tmp_path):
    with pytest.raises(DatasetError, match="choose another folder"):
        DatasetWriter(writer.dataset.path, anatomy="liver", site="north")
    with pytest.raises(DatasetError, match="choose another folder"):
        DatasetWriter(writer.dataset.path, anatomy="head_neck", site="south")
    with pytest.raises(DatasetError, match="not empty and not a dataset"):
        DatasetWriter(tmp_path, anatomy="head_neck", site="north")
