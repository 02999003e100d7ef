"""FedProx's penalty against its formula."""

import pytest
import torch
from torch import nn

from src.learning.proximal import ProximalTerm


def test_half_mu_times_the_squared_distance_from_the_rounds_weights():
    network = nn.Linear(2, 1)
    term = ProximalTerm(network, 0.4)
    assert term().item() == 0.0
    with torch.no_grad():
        network.weight.add_(torch.tensor([[1.0, -2.0]]))
        network.bias.add_(3.0)
    penalty = term()
    assert float(penalty.detach()) == pytest.approx(0.5 * 0.4 * (1 + 4 + 9), rel=1e-5)
    penalty.backward()
    assert network.bias.grad.item() == pytest.approx(0.4 * 3, rel=1e-5)


def test_mu_zero_is_fedavg():
    assert ProximalTerm(nn.Linear(2, 1), 0.0)() == 0.0
