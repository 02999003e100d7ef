"""Sliding-window inference: the right place, the right values, whatever the size of the CT."""

import numpy as np
import pytest
import torch
from torch import nn

from src.data.preprocessing import GridGeometry, Preprocessing, array_XYZ, mask_on_grid, to_working_grid
from src.evaluation.dice import dice
from src.model.inference import Predictor
from tests.conftest import sphere_case

CPU = torch.device("cpu")


class Brighter(nn.Module):
    """Says "organ" where the window-scaled CT is above a threshold; channel 1 says the opposite."""

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, image_B1XYZ):
        logits = (image_B1XYZ - self.threshold) * 50
        return torch.cat([logits, -logits], dim=1)


def predictor(network, **changes) -> Predictor:
    settings = {"patch_voxels": (8, 8, 8), "window_hu": (-200, 300), "overlap": 0.25, "precision": torch.float32, "device": CPU}
    return Predictor(network, **{**settings, **changes})


@pytest.mark.parametrize("shape", [(8, 8, 8), (20, 9, 31), (3, 8, 40)])
def test_windows_are_put_together_where_they_came_from(shape):
    hu_XYZ = np.random.default_rng(0).integers(-300, 400, shape).astype(np.int16)
    logits_CXYZ = predictor(Brighter(0.0)).logits(hu_XYZ)
    expected = (np.clip((hu_XYZ - 50) / 250, -1, 1)) * 50
    assert logits_CXYZ.shape == (2, *shape)
    assert np.allclose(logits_CXYZ[0], expected, atol=1e-3)
    assert np.allclose(logits_CXYZ[1], -expected, atol=1e-3)


def test_masks_come_back_on_the_cts_own_grid():
    ct, masks = sphere_case(3)
    settings = Preprocessing(spacing_mm=(2.0, 2.0, 2.5), window_hu=(-200, 300), body_margin_mm=8.0)
    grid = to_working_grid(ct, settings)
    native = GridGeometry.of(ct)
    # The brainstem's sphere is the brightest: 160 HU; the threshold lies between it and the next, 110 HU.
    network = Brighter((135 - 50) / 250)
    found = dict(predictor(network).masks(array_XYZ(grid), GridGeometry.of(grid), native, [0]))
    assert list(found) == [0] and found[0].shape == ct.GetSize()
    assert dice(found[0], array_XYZ(masks["Brainstem"])) > 0.9
    assert mask_on_grid(masks["Brainstem"], grid).any()


def test_the_network_is_left_in_the_mode_it_was_in():
    network = nn.Conv3d(1, 2, 1)
    for training in (True, False):
        network.train(training)
        predictor(network).logits(np.zeros((8, 8, 8), np.int16))
        assert network.training == training
