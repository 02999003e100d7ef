"""What leaves instead of a site's model: first weights + clipped difference + normal noise. The model itself is not touched.

The noise follows from a secret key, the round and the very bits of the model. So a site that is restarted publishes the same
bytes again, and a round that came out otherwise has noise of its own: the noise never cancels between two publications.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from src.exchange.noise.accountant import epsilon_of, promise_of
from src.exchange.noise.normal import KeyedNormal
from src.exchange.noise.record import NoiseRecord
from src.exchange.noise.settings import NoiseSettings
from src.exchange.snapshot_fault import SnapshotFault


@dataclass(frozen=True, kw_only=True)
class Left:
    """What leaves, and what this site, and nobody else, may know of it.

    Attributes:
        tensors: by name, in memory of their own.
        difference_norm: of the model from the first weights, before clipping.
        publications: with this one.
        epsilon: of all of them together; infinite without noise.
    """

    tensors: dict[str, torch.Tensor]
    difference_norm: float
    publications: int
    epsilon: float

    def facts(self) -> dict:
        """For the log of this site; the norm before clipping is private."""
        epsilon = self.epsilon if math.isfinite(self.epsilon) else None
        return {"difference_norm": self.difference_norm, "publications": self.publications, "epsilon": epsilon}


class LeavingModels:
    """Makes what leaves of one site.

    Args:
        settings: of the plan.
        first: the weights all sites begin with, by name; copied.
        record: of this site.

    Raises:
        PlanSettingError: dp-accounting is not installed.
    """

    def __init__(self, settings: NoiseSettings, first: Mapping[str, torch.Tensor], record: NoiseRecord) -> None:
        epsilon_of(settings, 0)
        self._settings, self._record = settings, record
        self._first = {name: tensor.detach().cpu().clone() for name, tensor in first.items()}

    def promise(self) -> str:
        """What all that has left amounts to, in a sentence."""
        return promise_of(self._settings, self._record.publications)

    def of(self, tensors: Mapping[str, torch.Tensor], round_number: int) -> Left:
        """What leaves instead of a model; on record when this returns.

        Args:
            tensors: the model's, named and shaped as the first weights; any device. What is no float leaves as it was at first.
            round_number: rounds of training behind it.

        Raises:
            SnapshotFault: ``not_finite``: the model is none; nothing is on record.
        """
        model = {name: tensor.detach().cpu() for name, tensor in tensors.items()}
        norm = math.sqrt(sum(self._square_of(name, tensor) for name, tensor in model.items()))
        if not math.isfinite(norm):
            raise SnapshotFault("not_finite", "the model has values that are not finite, and is not published")
        label = _label(model, round_number)
        self._record.note(label)
        share = min(1.0, self._settings.clip_norm / norm) if norm else 1.0
        normal = KeyedNormal(self._record.key, label.encode())
        return Left(
            tensors={name: self._noised(name, tensor, share, normal) for name, tensor in model.items()},
            difference_norm=norm,
            publications=self._record.publications,
            epsilon=epsilon_of(self._settings, self._record.publications),
        )

    def _square_of(self, name: str, tensor: torch.Tensor) -> float:
        return float(self._difference(name, tensor).square().sum()) if tensor.is_floating_point() else 0.0

    def _difference(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.double() - self._first[name].double()

    def _noised(self, name: str, tensor: torch.Tensor, share: float, normal: KeyedNormal) -> torch.Tensor:
        if not tensor.is_floating_point():
            return self._first[name].clone()
        difference = share * self._difference(name, tensor)
        noise = torch.from_numpy(normal.draw(tensor.numel())).reshape(tensor.shape)
        return (self._first[name].double() + difference + self._settings.noise_deviation * noise).to(tensor.dtype)


def _label(model: Mapping[str, torch.Tensor], round_number: int) -> str:
    """SHA-256 in hex over round and model: another model in the same round has noise of its own."""
    digest = hashlib.sha256(f"openfl-oar noise {round_number}".encode())
    for name in sorted(model):
        tensor = model[name].contiguous()
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
