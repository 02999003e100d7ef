"""The loaders: the same batches however they are made, nothing built without data, nothing swallowed."""

import pytest
import torch

from src.data.dataset_writer import DatasetWriter
from src.dataloader import HeadNeckCTLoader, LiverCTLoader
from src.errors import DatasetError, PlanSettingError, StructureError
from tests.conftest import sphere_case, write_sphere_dataset


def batches(loader, round_number=0, num_steps=3):
    return [
        {name: tensor.clone() for name, tensor in batch.items()} for batch in loader.training_batches(round_number, num_steps)
    ]


def equal(first, second):
    return len(first) == len(second) and all(
        all(torch.equal(one[name], other[name]) for name in one) for one, other in zip(first, second, strict=True)
    )


AUGMENTED = {"spatial_probability": 0.5, "rotation_degrees": 10, "scaling": 0.1, "mirror_probability": 0.5, "noise": 0.1}


def test_a_batch_holds_image_bits_and_what_is_contoured(sphere_dataset, loader_settings):
    (batch,) = batches(HeadNeckCTLoader(sphere_dataset.path, **loader_settings), num_steps=1)
    assert batch["image"].shape == (2, 1, 16, 16, 16) and batch["image"].dtype == torch.float32
    assert batch["image"].abs().max() <= 1
    assert batch["bits"].shape == (2, 16, 16, 16) and batch["bits"].dtype == torch.int32
    assert batch["contoured"].tolist() == [[True] * 3] * 2


def test_batches_do_not_depend_on_worker_processes(sphere_dataset, loader_settings):
    settings = {**loader_settings, "augmentation": AUGMENTED}
    alone = HeadNeckCTLoader(sphere_dataset.path, **settings)
    helped = HeadNeckCTLoader(sphere_dataset.path, **{**settings, "num_workers": 2})
    for round_number in (0, 1):
        assert equal(batches(alone, round_number), batches(helped, round_number))


def test_batches_are_a_function_of_seed_site_and_round(tmp_path, sphere_dataset, loader_settings):
    loader = HeadNeckCTLoader(sphere_dataset.path, **loader_settings)
    first = batches(loader, 0)
    later = batches(loader, 1)
    assert equal(first, batches(loader, 0))
    assert not equal(first, later)
    other_seed = HeadNeckCTLoader(sphere_dataset.path, **{**loader_settings, "random_seed": 1})
    assert not equal(first, batches(other_seed, 0))
    other_site = write_sphere_dataset(tmp_path / "b", site="site_b")
    assert not equal(first, batches(HeadNeckCTLoader(other_site.path, **loader_settings), 0))


def test_mirrored_patches_keep_left_and_right(sphere_dataset, loader_settings):
    # Parotid_L is the dimmer sphere (60 HU), Parotid_R the brighter (110 HU): a mirrored patient has them exchanged.
    settings = {**loader_settings, "augmentation": {"mirror_probability": 1.0}, "background_share": 0.0}
    for batch in batches(HeadNeckCTLoader(sphere_dataset.path, **settings), num_steps=4):
        hu = (batch["image"][:, 0] + 1) * 250 - 200
        left, right = batch["bits"] == 1, batch["bits"] == 2
        if left.any():
            assert hu[left].median() == pytest.approx(110, abs=5)
        if right.any():
            assert hu[right].median() == pytest.approx(60, abs=5)


def test_without_data_nothing_is_built(tmp_path, loader_settings):
    loader = HeadNeckCTLoader(None, **loader_settings)
    assert loader.get_feature_shape() == (1, 16, 16, 16)
    assert (loader.get_train_data_size(), loader.get_valid_data_size()) == (0, 0)
    assert not (tmp_path / "cache").exists()


def test_the_training_cts_are_told_of_when_they_are_enough(tmp_path, sphere_dataset, loader_settings):
    enough = write_sphere_dataset(tmp_path / "enough", cases=7)
    told = HeadNeckCTLoader(enough.path, **loader_settings).ct_fingerprint
    assert (told["training_cases"], told["pixel_mm"]["50"], told["slice_distance_mm"]["50"]) == (5, 4, 5)
    assert told["body_length_mm"]["50"] == 100
    assert told["body_cross_section_cm2"]["50"] == pytest.approx(28 * 28 * 0.16, rel=0.01)
    too_few = HeadNeckCTLoader(sphere_dataset.path, **loader_settings).ct_fingerprint
    assert (too_few["training_cases"], too_few["pixel_mm"]) == ("<5", None)


def test_test_cases_are_never_opened(tmp_path, loader_settings):
    dataset = write_sphere_dataset(tmp_path / "a")
    (test_case,) = dataset.cases_of("test")
    for path in (dataset.path / "cases" / test_case.name).rglob("*.nii.gz"):
        path.unlink()
    loader = HeadNeckCTLoader(dataset.path, **loader_settings)
    assert test_case.name not in {case.name for case in [*loader.train_cases, *loader.valid_cases]}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"structures": ["Parotid_L", "Parotid_L"]}, "structures"),
        ({"structures": []}, "structures"),
        ({"structures": ["Liver"]}, "Liver is not a structure of head_neck"),
        ({"patch_voxels": [16, 16]}, "patch_voxels"),
        ({"patch_voxels": [16, 16, 4]}, "patch_voxels"),
        ({"batch_size": 0}, "batch_size"),
        ({"background_share": 1.5}, "background_share"),
        ({"num_workers": -1}, "num_workers"),
        ({"random_seed": "zero"}, "random_seed"),
        ({"window_hu": [300, -200]}, "window_hu"),
        ({"augmentation": {"rotation": 10}}, "rotation"),
        ({"structures": ["Parotid_L", "Brainstem"], "augmentation": {"mirror_probability": 0.5}}, "Parotid_R"),
    ],
)
def test_impossible_settings_fail_at_construction_by_name(loader_settings, change, what):
    with pytest.raises(PlanSettingError, match=what):
        HeadNeckCTLoader(None, **{**loader_settings, **change})


def test_mistyped_names_and_settings_fail_at_construction(loader_settings):
    with pytest.raises(StructureError, match="did you mean Parotid_L"):
        HeadNeckCTLoader(None, **{**loader_settings, "structures": ["Parotid_Left"]})
    with pytest.raises(TypeError, match="patch_voxel"):
        HeadNeckCTLoader(None, **loader_settings, patch_voxel=[16, 16, 16])


def test_the_abdomen_is_never_mirrored(loader_settings):
    settings = {**loader_settings, "structures": ["Liver"], "augmentation": {"mirror_probability": 0.5}}
    with pytest.raises(PlanSettingError, match="not symmetric"):
        LiverCTLoader(None, **settings)


def test_wrong_folders_are_refused(tmp_path, sphere_dataset, loader_settings):
    with pytest.raises(DatasetError, match="found no dataset"):
        HeadNeckCTLoader(tmp_path, **loader_settings)
    with pytest.raises(DatasetError, match="expected a liver dataset"):
        LiverCTLoader(sphere_dataset.path, **{**loader_settings, "structures": ["Liver"]})
    writer = DatasetWriter(tmp_path / "unsplit", anatomy="head_neck", site="site_a")
    writer.add_case("case_0", *sphere_case(0))
    with pytest.raises(DatasetError, match="no training case"):
        HeadNeckCTLoader(tmp_path / "unsplit", **loader_settings)
