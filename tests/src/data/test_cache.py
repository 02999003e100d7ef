"""Prepared cases: once per content and settings, and never wrong afterwards."""

import numpy as np
import pytest

from src.data.cache import CaseCache
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from src.data.preprocessing import Preprocessing
from src.errors import CaseError, PlanSettingError
from tests.conftest import SPHERE_STRUCTURES, sphere_case, write_sphere_dataset

SETTINGS = Preprocessing(spacing_mm=(4.0, 4.0, 5.0), window_hu=(-200.0, 300.0), body_margin_mm=4.0)


def test_a_prepared_case_holds_the_masks_as_bits(tmp_path, sphere_dataset):
    record = sphere_dataset.cases_of("train")[0]
    case = CaseCache(tmp_path, SETTINGS, SPHERE_STRUCTURES).prepare(sphere_dataset, record)
    assert case.hu_XYZ.dtype == np.int16
    assert case.contoured_C.tolist() == [True, True, True]
    assert case.hu_XYZ.shape == case.bits_XYZ.shape == case.grid.size
    for channel, voxels in enumerate(case.centres):
        assert len(voxels) > 20
        assert ((case.bits_XYZ[tuple(voxels.T)] >> channel) & 1).all()


def test_a_structure_without_contour_is_unknown(tmp_path):
    dataset = write_sphere_dataset(tmp_path / "data", structures=("Brainstem",), cases=3)
    case = CaseCache(tmp_path / "cache", SETTINGS, SPHERE_STRUCTURES).prepare(dataset, dataset.cases_of("train")[0])
    assert case.contoured_C.tolist() == [False, False, True]
    assert [len(voxels) > 0 for voxels in case.centres] == [False, False, True]


def test_the_second_time_nothing_is_computed(tmp_path, sphere_dataset, monkeypatch):
    record = sphere_dataset.cases_of("train")[0]
    first = CaseCache(tmp_path, SETTINGS, SPHERE_STRUCTURES).prepare(sphere_dataset, record)
    monkeypatch.setattr("src.data.cache.to_working_grid", lambda *_: pytest.fail("prepared twice"))
    second = CaseCache(tmp_path, SETTINGS, SPHERE_STRUCTURES).prepare(sphere_dataset, record)
    assert np.array_equal(first.hu_XYZ, second.hu_XYZ)


def test_content_settings_and_order_of_structures_make_another_key(tmp_path):
    dataset = write_sphere_dataset(tmp_path / "data", cases=3)
    record = dataset.cases_of("train")[0]

    def key(settings=SETTINGS, structures=SPHERE_STRUCTURES):
        return CaseCache(tmp_path / "cache", settings, structures).prepare(dataset, record).key

    keys = {
        key(),
        key(settings=Preprocessing(spacing_mm=(4.0, 4.0, 4.0), window_hu=(-200.0, 300.0), body_margin_mm=4.0)),
        key(structures=SPHERE_STRUCTURES[::-1]),
    }
    ct, masks = sphere_case(99)
    DatasetWriter(dataset.path, anatomy="head_neck", site="site_a").add_case(record.name, ct, masks, split="train")
    keys.add(key())
    assert len(keys) == 4


def test_a_missing_mask_names_the_case_and_leaves_no_entry(tmp_path):
    dataset = write_sphere_dataset(tmp_path / "data", cases=3)
    record = dataset.cases_of("train")[0]
    dataset.mask_path(record.name, "Brainstem").unlink()
    with pytest.raises(CaseError, match=record.name):
        CaseCache(tmp_path / "cache", SETTINGS, SPHERE_STRUCTURES).prepare(Dataset.open(dataset.path), record)
    assert not (tmp_path / "cache").exists() or not any((tmp_path / "cache").iterdir())


def test_more_structures_than_bits_are_refused(tmp_path):
    with pytest.raises(PlanSettingError, match="at most 31"):
        CaseCache(tmp_path, SETTINGS, [str(number) for number in range(32)])
