"""The loss against values computed by hand, and its silence where nothing is contoured."""

import math

import pytest
import torch

from src.model.losses import segmentation_loss, unpack_labels


def logits_of(probabilities) -> torch.Tensor:
    return torch.logit(torch.tensor(probabilities, dtype=torch.float64)).float()


def test_one_channel_by_hand():
    # Two voxels, p = 0.8 and 0.4, truth 1 and 0.
    logits = logits_of([0.8, 0.4]).reshape(1, 1, 2, 1, 1)
    masks = torch.tensor([1.0, 0.0]).reshape(1, 1, 2, 1, 1)
    dice = (2 * 0.8 + 1) / (1.2 + 1 + 1)
    cross_entropy = -(math.sqrt(2) * math.log(0.8) + math.log(0.6)) / 2
    loss = segmentation_loss(logits, masks, torch.ones(1, 1, dtype=torch.bool))
    assert float(loss) == pytest.approx(1 - dice + cross_entropy, rel=1e-6)


def test_structures_count_alike_and_cases_are_pooled_within_one():
    # Channel 0 is contoured in both cases, channel 1 in the second only.
    logits = logits_of([[[0.9, 0.2], [0.5, 0.5]], [[0.6, 0.1], [0.7, 0.3]]]).reshape(2, 2, 2, 1, 1)
    masks = torch.tensor([[[1.0, 0], [9, 9]], [[1, 0], [1, 0]]]).reshape(2, 2, 2, 1, 1)
    contoured = torch.tensor([[True, False], [True, True]])
    dice_0 = (2 * (0.9 + 0.6) + 1) / ((0.9 + 0.2 + 0.6 + 0.1) + 2 + 1)
    root = math.sqrt(2)  # half of the voxels belong to each structure
    cross_entropy_0 = (-(root * math.log(0.9) + math.log(0.8)) / 2 - (root * math.log(0.6) + math.log(0.9)) / 2) / 2
    dice_1 = (2 * 0.7 + 1) / (1.0 + 1 + 1)
    cross_entropy_1 = -(root * math.log(0.7) + math.log(0.7)) / 2
    expected = ((1 - dice_0 + cross_entropy_0) + (1 - dice_1 + cross_entropy_1)) / 2
    assert float(segmentation_loss(logits, masks, contoured)) == pytest.approx(expected, rel=1e-6)


def test_the_weight_of_a_tiny_structure_is_bounded():
    logits = torch.zeros(1, 1, 20, 20, 20)
    masks = torch.zeros(1, 1, 20, 20, 20)
    masks[0, 0, 3, 4, 5] = 1
    dice = (2 * 0.5 + 1) / (4000 + 1 + 1)
    cross_entropy = math.log(2) * (7999 + 30) / 8000
    loss = segmentation_loss(logits, masks, torch.ones(1, 1, dtype=torch.bool))
    assert float(loss) == pytest.approx(1 - dice + cross_entropy, rel=1e-5)


def test_uncontoured_channels_get_exactly_zero_gradient():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 4, 4, 4, generator=generator, requires_grad=True)
    masks = (torch.rand(2, 3, 4, 4, 4, generator=generator) > 0.5).float()
    contoured = torch.tensor([[True, False, True], [False, False, True]])
    segmentation_loss(logits, masks, contoured).backward()
    for case in range(2):
        for channel in range(3):
            gradient = logits.grad[case, channel]
            assert bool((gradient != 0).any()) == bool(contoured[case, channel])


def test_what_stands_in_uncontoured_channels_is_never_read():
    logits = torch.zeros(1, 2, 2, 2, 2)
    masks = torch.zeros(1, 2, 2, 2, 2)
    contoured = torch.tensor([[True, False]])
    clean = segmentation_loss(logits, masks, contoured)
    logits[:, 1] = math.nan
    masks[:, 1] = math.inf
    assert segmentation_loss(logits, masks, contoured) == clean


def test_nothing_contoured_is_zero_with_zero_gradient():
    logits = torch.randn(1, 2, 2, 2, 2, requires_grad=True)
    loss = segmentation_loss(logits, torch.zeros_like(logits), torch.zeros(1, 2, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0.0
    assert not logits.grad.any()


def test_a_perfect_prediction_of_an_absent_structure_costs_nothing():
    logits = torch.full((1, 1, 4, 4, 4), -40.0)
    assert float(segmentation_loss(logits, torch.zeros_like(logits), torch.ones(1, 1, dtype=torch.bool))) < 1e-6


def test_unpack_labels_keeps_overlaps_and_the_highest_channel():
    bits = torch.tensor([0, 1, 3, 1 << 30], dtype=torch.int32).reshape(1, 4, 1, 1)
    masks = unpack_labels(bits, 31)
    assert masks.shape == (1, 31, 4, 1, 1)
    assert masks[0, 0, :, 0, 0].tolist() == [0, 1, 1, 0]
    assert masks[0, 1, :, 0, 0].tolist() == [0, 0, 1, 0]
    assert masks[0, 30, :, 0, 0].tolist() == [0, 0, 0, 1]
