"""The learning rate as a function of the step alone, and rows that an optimiser step must not touch."""

from copy import deepcopy

import pytest
import torch

from src.errors import PlanSettingError
from src.learning.optimisation import Optimisation, Stepper
from src.model.network import build_network

SETTINGS = Optimisation(learning_rate=0.1, weight_decay=0.5, warm_up_steps=4, decay_power=1.0, clip_norm=1.0)
UNET = {"name": "UNet", "features": 4, "arguments": {"channels": [4, 8], "strides": [2], "norm": "instance"}}


def test_the_rate_rises_falls_and_ends_at_zero():
    rates = [SETTINGS.rate_at(step, 14) for step in range(14)]
    assert rates[:4] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert rates[4] == pytest.approx(0.1)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert SETTINGS.rate_at(14, 14) == 0.0
    assert SETTINGS.rate_at(99, 14) == 0.0


@pytest.mark.parametrize("field", ["learning_rate", "weight_decay", "warm_up_steps", "decay_power", "clip_norm"])
def test_impossible_values_are_refused_by_name(field):
    with pytest.raises(PlanSettingError, match=field):
        Optimisation(**{**SETTINGS.__dict__, field: -1})


def test_rows_of_untrained_structures_stay_bit_for_bit():
    torch.manual_seed(0)
    network = build_network(UNET, 3)
    stepper = Stepper(network, SETTINGS, 10, [True, False, True])
    weight, bias = network.head.weight.detach().clone(), network.head.bias.detach().clone()
    for step in range(5):
        # A loss with a gradient for every row: momentum and decay both pull at the untrained one.
        stepper.step(network(torch.randn(1, 1, 8, 8, 8)).square().mean(), step)
    for row, untouched in enumerate([False, True, False]):
        assert torch.equal(network.head.weight[row], weight[row]) == untouched
        assert torch.equal(network.head.bias[row], bias[row]) == untouched


def test_a_step_without_a_finite_gradient_is_skipped():
    torch.manual_seed(0)
    network = build_network(UNET, 2)
    stepper = Stepper(network, SETTINGS, 10, [True, True])
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    norm = stepper.step(network(torch.zeros(1, 1, 8, 8, 8)).sum() * float("nan"), 0)
    assert norm != norm
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_a_taught_row_may_move_for_one_step():
    torch.manual_seed(0)
    network = build_network(UNET, 3)
    stepper = Stepper(network, SETTINGS, 10, [True, False, False])
    before = network.head.weight.detach().clone()
    stepper.step(network(torch.randn(1, 1, 8, 8, 8)).square().mean(), 0, torch.tensor([False, True, False]))
    assert [torch.equal(network.head.weight[row], before[row]) for row in range(3)] == [False, False, True]
    taught = network.head.weight[1].detach().clone()
    stepper.step(network(torch.randn(1, 1, 8, 8, 8)).square().mean(), 1)
    assert torch.equal(network.head.weight[1], taught)


def test_a_restored_optimiser_continues_bit_for_bit():
    torch.manual_seed(0)
    network = build_network(UNET, 2)
    stepper = Stepper(network, SETTINGS, 10, [True, True])
    images = torch.randn(4, 1, 1, 8, 8, 8)
    assert stepper.tensors() == {}
    for step in range(2):
        stepper.step(network(images[step]).square().mean(), step)
    moments = {name: tensor.clone() for name, tensor in stepper.tensors().items()}
    twin = deepcopy(network)
    restored = Stepper(twin, SETTINGS, 10, [True, True])
    restored.restore(moments)
    for step in (2, 3):
        stepper.step(network(images[step]).square().mean(), step)
        restored.step(twin(images[step]).square().mean(), step)
    assert all(torch.equal(tensor, twin.state_dict()[name]) for name, tensor in network.state_dict().items())
    fresh = Stepper(deepcopy(twin), SETTINGS, 10, [True, True])
    fresh.step(fresh.network(images[3]).square().mean(), 3)
    restored.step(twin(images[3]).square().mean(), 3)
    assert not torch.equal(fresh.network.head.weight, twin.head.weight)
