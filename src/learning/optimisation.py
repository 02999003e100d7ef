"""One optimiser step, and a learning rate that does not care where rounds begin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from torch import nn

from src.setting_range import check_number


@dataclass(frozen=True, kw_only=True)
class Optimisation:
    """How the weights move.

    Attributes:
        learning_rate: the highest, reached at the end of the warm-up.
        weight_decay: decoupled, as AdamW does it; at least 0.
        warm_up_steps: steps of linear rise, counted over all rounds; at least 0.
        decay_power: power of the polynomial decay to 0 after the warm-up; 0 keeps the rate.
        clip_norm: largest norm of the whole gradient, above 0.
    """

    learning_rate: float
    weight_decay: float
    warm_up_steps: int
    decay_power: float
    clip_norm: float

    def __post_init__(self) -> None:
        lowest = {"learning_rate": 1e-8, "clip_norm": 1e-8}
        for field in fields(self):
            where = f"task_runner.optimisation.{field.name}"
            check_number(where, getattr(self, field.name), lowest.get(field.name, 0))

    def rate_at(self, step: int, num_steps: int) -> float:
        """The learning rate of one step of the whole run.

        Args:
            step: steps done before, over all rounds; a function of round and step alone, so it survives rounds and restarts.
            num_steps: steps of the whole run.
        """
        if step < self.warm_up_steps:
            return self.learning_rate * (step + 1) / self.warm_up_steps
        share_left = 1 - (step - self.warm_up_steps) / max(1, num_steps - self.warm_up_steps)
        return self.learning_rate * max(0.0, share_left) ** self.decay_power


class Stepper:
    """AdamW that leaves the output rows of untrained structures exactly as they are.

    Their gradient is zero, but weight decay and a neighbour's momentum know nothing of rows; so the rows are put back, bit for
    bit, after each step.

    Args:
        network: has the head of ``SegmentationNetwork``.
        settings: how the weights move.
        num_steps: steps of the whole run.
        trained_C: per channel, whether this site trains it.
    """

    def __init__(self, network: nn.Module, settings: Optimisation, num_steps: int, trained_C: Sequence[bool]) -> None:
        self.network, self.settings, self.num_steps = network, settings, num_steps
        self.untrained = torch.tensor([channel for channel, trained in enumerate(trained_C) if not trained], dtype=torch.long)
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)

    def step(self, loss: torch.Tensor, step: int, taught_C: torch.Tensor | None = None) -> float:
        """Descends once, unless the gradient is not finite; returns the norm of the gradient before clipping.

        Args:
            loss: a scalar with a graph.
            step: steps done before, over all rounds.
            taught_C: bool, the rows that may move in this step although the site does not train them; None is none.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate_at(step, self.num_steps)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip_norm)
        if not torch.isfinite(norm):
            return float(norm)
        kept = self.untrained if taught_C is None else self.untrained[~taught_C.cpu()[self.untrained]]
        head = (self.network.head.weight, self.network.head.bias)
        rows = [tensor.detach()[kept].clone() for tensor in head]
        self.optimiser.step()
        with torch.no_grad():
            for tensor, row in zip(head, rows, strict=True):
                tensor[kept] = row
        return float(norm)

    def tensors(self) -> dict[str, torch.Tensor]:
        """AdamW's moments and step counts, live, by ``<place of the parameter>/<name>``; empty before the first step."""
        state = self.optimiser.state_dict()["state"]
        return {f"{place}/{name}": tensor for place, entry in state.items() for name, tensor in entry.items()}

    def restore(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Takes over copies of what ``tensors`` gave."""
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, tensor in tensors.items():
            place, name = key.split("/")
            state.setdefault(int(place), {})[name] = tensor.clone()
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state})
