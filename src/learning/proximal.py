"""FedProx: keep a site's weights near those the round began with.

    L_prox = μ/2 · ‖w − w_round‖²

Source: Li et al. 2020, Federated Optimization in Heterogeneous Networks, arXiv:1812.06127, equation 2.
"""

import torch
from torch import nn


class ProximalTerm:
    """The penalty on leaving the weights that a round began with.

    Args:
        network: whose present weights are the centre; copied.
        strength: μ, at least 0; 0 is FedAvg.
    """

    def __init__(self, network: nn.Module, strength: float) -> None:
        self.network, self.strength = network, strength
        self.centre = [parameter.detach().clone() for parameter in network.parameters()] if strength else []

    def __call__(self) -> torch.Tensor | float:
        """The penalty, a scalar with a graph; the number 0 when μ is 0."""
        if not self.strength:
            return 0.0
        distances = [
            (parameter - centre).square().sum()
            for parameter, centre in zip(self.network.parameters(), self.centre, strict=True)
        ]
        return 0.5 * self.strength * torch.stack(distances).sum()
