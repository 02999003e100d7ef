"""Networks by name: what is built, and what is refused before a patient is read."""

import pytest
import torch

from src.errors import PlanSettingError
from src.model.network import build_network

UNET = {"name": "UNet", "features": 4, "arguments": {"channels": [4, 8], "strides": [2], "norm": "instance"}}


def test_one_logit_channel_per_structure():
    network = build_network(UNET, 5)
    assert network(torch.zeros(2, 1, 16, 16, 8)).shape == (2, 5, 16, 16, 8)
    assert network.head.weight.shape == (5, 4, 1, 1, 1)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"name": "NoSuchNet"}, "NoSuchNet"),
        ({"name": "Tensor"}, "Tensor"),
        ({"features": 0}, "features"),
        ({"featuers": 4}, "featuers"),
        ({"arguments": {"channels": [4, 8], "strides": [2], "chanels": 3}}, "chanels"),
        ({"arguments": {"channels": [4, 8], "strides": [2], "out_channels": 3}}, "out_channels"),
        ({"arguments": {"channels": [4, 8], "strides": [2], "norm": "batch"}}, "batch norm"),
    ],
)
def test_what_cannot_work_is_refused_by_name(change, what):
    with pytest.raises(PlanSettingError, match=what):
        build_network({**UNET, **change}, 3)
