"""Compact truth scores exactly like the masks it was made of."""

import numpy as np
import pytest

from src.data.preprocessing import array_XYZ
from src.data.truth import cached_truth, read_truth
from src.evaluation.dice import dice
from tests.conftest import SPHERE_STRUCTURES, write_sphere_dataset


def test_dice_from_the_box_equals_dice_of_the_masks(sphere_dataset, tmp_path):
    record = sphere_dataset.cases_of("valid")[0]
    truth = read_truth(sphere_dataset, record, SPHERE_STRUCTURES)
    again = cached_truth(tmp_path, "key", sphere_dataset, record, SPHERE_STRUCTURES)
    from_disk = cached_truth(tmp_path, "key", sphere_dataset, record, SPHERE_STRUCTURES)
    generator = np.random.default_rng(0)
    for channel, structure in enumerate(SPHERE_STRUCTURES):
        mask_XYZ = array_XYZ(sphere_dataset.read_mask(record.name, structure)) == 1
        pred_XYZ = np.roll(mask_XYZ, 1, axis=0) | (generator.random(mask_XYZ.shape) > 0.99)
        expected = dice(pred_XYZ, mask_XYZ)
        for found in (truth, again, from_disk):
            assert found.dice(channel, pred_XYZ) == pytest.approx(expected, abs=1e-12)


def test_only_contoured_structures_are_compared(tmp_path):
    dataset = write_sphere_dataset(tmp_path, structures=("Brainstem",), cases=3)
    assert read_truth(dataset, dataset.cases_of("valid")[0], SPHERE_STRUCTURES).channels == (2,)
