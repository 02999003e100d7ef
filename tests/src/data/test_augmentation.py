"""Augmentation: what is moved stays together, left stays left, 0 changes nothing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.data.augmentation import Augmentation, change_intensity, cut_patch, may_be_mirrored, mirror
from src.errors import PlanSettingError

SPACING = (4.0, 4.0, 3.0)


def volume():
    generator = np.random.default_rng(0)
    hu_XYZ = generator.integers(-1000, 1000, (20, 22, 24)).astype(np.int16)
    return hu_XYZ, generator.integers(0, 8, hu_XYZ.shape).astype(np.int32)


@given(st.tuples(*[st.integers(-9, 22)] * 3))
def test_an_unmoved_patch_is_the_volume_padded_with_air(start):
    hu_XYZ, bits_XYZ = volume()
    hu, bits = cut_patch(hu_XYZ, bits_XYZ, start, (8, 8, 8), SPACING, Augmentation(), np.random.default_rng(0))
    padded = np.pad(hu_XYZ, 32, constant_values=-1000)
    box = tuple(slice(first + 32, first + 40) for first in start)
    assert np.array_equal(hu.numpy(), padded[box])
    assert np.array_equal(bits.numpy(), np.pad(bits_XYZ, 32)[box])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_image_and_structures_move_together(seed):
    # A sphere that is its own label: after any rotation and scaling they still coincide.
    x, y, z = np.ogrid[:32, :32, :32]
    inside = (x - 16) ** 2 + (y - 16) ** 2 + (z - 16) ** 2 < 64
    hu_XYZ = np.where(inside, 1000, -1000).astype(np.int16)
    changes = Augmentation(spatial_probability=1.0, rotation_degrees=30, scaling=0.2)
    generator = np.random.default_rng(seed)
    hu, bits = cut_patch(hu_XYZ, inside.astype(np.int32) << 3, (4, 4, 4), (24, 24, 24), SPACING, changes, generator)
    labelled = bits.numpy() == 8
    assert labelled.sum() > 500
    disagree = (hu.numpy() > 0) ^ labelled
    assert disagree.sum() < 0.12 * labelled.sum()  # the surface, where trilinear and nearest differ


def test_rotation_is_rigid_in_millimetres():
    # A ball in millimetres on unequal spacing keeps its volume whatever the rotation.
    x, y, z = np.ogrid[:40, :40, :40]
    ball = ((x - 20) * 4.0) ** 2 + ((y - 20) * 4.0) ** 2 + ((z - 20) * 2.0) ** 2 < 32**2
    changes = Augmentation(spatial_probability=1.0, rotation_degrees=45)
    for seed in range(5):
        _, bits = cut_patch(
            ball.astype(np.int16),
            ball.astype(np.int32),
            (4, 4, 2),
            (32, 32, 36),
            (4, 4, 2),
            changes,
            np.random.default_rng(seed),
        )
        assert int(bits.sum()) == pytest.approx(int(ball.sum()), rel=0.03)


def test_a_mirrored_patient_has_left_and_right_exchanged():
    image = torch.arange(4.0).reshape(4, 1, 1)
    bits = torch.tensor([1, 2, 4, 0], dtype=torch.int32).reshape(4, 1, 1)  # left, right, unpaired, nothing
    mirrored_image, mirrored_bits = mirror(image, bits, [1, 0, 2])
    assert mirrored_image.flatten().tolist() == [3, 2, 1, 0]
    assert mirrored_bits.flatten().tolist() == [0, 4, 1, 2]
    again_image, again_bits = mirror(mirrored_image, mirrored_bits, [1, 0, 2])
    assert torch.equal(again_image, image) and torch.equal(again_bits, bits)


def test_mirroring_must_not_teach_a_side_that_is_not_contoured():
    assert may_be_mirrored(np.array([True, True, False]), [1, 0, 2])
    assert may_be_mirrored(np.array([False, False, True]), [1, 0, 2])
    assert not may_be_mirrored(np.array([True, False, True]), [1, 0, 2])


def test_intensity_stays_in_the_window_and_zero_changes_nothing():
    image = torch.linspace(-1, 1, 64).reshape(4, 4, 4)
    assert torch.equal(change_intensity(image, Augmentation(), np.random.default_rng(0)), image)
    strong = Augmentation(brightness=1.0, contrast=0.9, noise=1.0)
    changed = change_intensity(image, strong, np.random.default_rng(0))
    assert changed.abs().max() <= 1 and not torch.equal(changed, image)


@pytest.mark.parametrize("change", [{"noise": -0.1}, {"rotation_degrees": 90}, {"mirror_probability": 2}, {"scaling": "much"}])
def test_impossible_amounts_are_refused_by_name(change):
    with pytest.raises(PlanSettingError, match=next(iter(change))):
        Augmentation(**change)
