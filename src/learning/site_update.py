"""What a site may send to the aggregator, checked before anything of it is averaged.

One site's NaN would make the next model of every site NaN, and OpenFL looks at nothing. What does not fit is refused as a
whole: a network of which some layers are averaged and others are not is a network that nobody trained.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from openfl.pipelines import TensorCodec
from openfl.protocols.base_pb2 import NamedTensor
from openfl.utilities import TensorKey

from src.learning.partial_label_average import CASES
from src.model.network import HEAD_TENSORS


class UpdateFault(Exception):
    """Why an update is refused.

    Args:
        tensor: the tensor's name.
        reason: what is wrong with it, in words that follow the name.
    """

    def __init__(self, tensor: str, reason: str) -> None:
        super().__init__(f"{tensor} {reason}")
        self.tensor, self.reason = tensor, reason


@dataclass
class SiteUpdate:
    """The results of one task of one site.

    Attributes:
        tensors: trained tensors by name, float32.
        metrics: values by metric name.
    """

    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)


def read_update(named_tensors: Iterable[NamedTensor], round_number: int, codec: TensorCodec) -> SiteUpdate:
    """Decodes what a site sent.

    Raises:
        UpdateFault: something is sent twice, belongs to another round, is neither a trained tensor nor a metric, or does not
            decode.
    """
    update = SiteUpdate()
    for named in named_tensors:
        if named.name in update.tensors or named.name in update.metrics:
            raise UpdateFault(named.name, "was sent twice")
        if named.round_number != round_number:
            raise UpdateFault(named.name, f"belongs to round {named.round_number}, expected round {round_number}")
        values = _decode(named, codec)
        if set(named.tags) == {"trained", "compressed"} and not named.report:
            update.tensors[named.name] = values
        elif "metric" in named.tags and "trained" not in named.tags:
            if values.size != 1:
                raise UpdateFault(named.name, f"is a metric of shape {values.shape}, expected one number")
            update.metrics[named.name] = float(values.reshape(()))
        else:
            raise UpdateFault(named.name, f"has the tags {sorted(named.tags)}, expected a trained tensor or a metric")
    return update


def check_training(update: SiteUpdate, shapes: Mapping[str, tuple[int, ...]], num_cases: int) -> None:
    """Refuses a training result that cannot be averaged.

    Args:
        update: the site's network and its metrics.
        shapes: the network's tensors by name, as the aggregator holds them.
        num_cases: training cases of the site.

    Raises:
        UpdateFault: a tensor is missing, unknown, of another shape or not finite, or a number of cases is impossible.
    """
    if num_cases < 0:
        raise UpdateFault(CASES, f"sum up to {num_cases}, expected at least 0")
    for name, shape in shapes.items():
        if name not in update.tensors:
            raise UpdateFault(name, "is missing")
        values = update.tensors[name]
        if values.shape != shape:
            raise UpdateFault(name, f"has shape {values.shape}, expected {shape}")
        if not np.isfinite(values).all():
            raise UpdateFault(name, f"holds {np.count_nonzero(~np.isfinite(values))} values that are not finite")
    if unknown := sorted(set(update.tensors) - set(shapes)):
        raise UpdateFault(unknown[0], "is not part of the network")
    _check_cases(update.metrics, shapes)


def check_validation(update: SiteUpdate) -> None:
    """Refuses validation results that are no Dice and no counts; a NaN Dice is a site without a case.

    Raises:
        UpdateFault: trained tensors came along, a Dice is not in [0, 1], or a number of cases is impossible.
    """
    if update.tensors:
        raise UpdateFault(next(iter(update.tensors)), "is a trained tensor, expected none in a validation")
    for name, value in update.metrics.items():
        if name.startswith("dice/") and not (math.isnan(value) or 0 <= value <= 1):
            raise UpdateFault(name, f"is {value:g}, expected a Dice from 0 to 1")
        if name.startswith("valid_cases/"):
            _check_count(name, value)


def _check_cases(metrics: Mapping[str, float], shapes: Mapping[str, tuple[int, ...]]) -> None:
    counts = {name: value for name, value in metrics.items() if name.startswith(f"{CASES}/")}
    num_structures = next((shapes[name][0] for name in HEAD_TENSORS if name in shapes), 0)
    found = sorted(int(name.split("/")[1]) if name.split("/")[1].isdecimal() else -1 for name in counts)
    if found != list(range(num_structures)):
        raise UpdateFault(CASES, f"were sent for channels {found}, expected 0 to {num_structures - 1}")
    for name, value in counts.items():
        _check_count(name, value)


def _check_count(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise UpdateFault(name, f"is {value:g}, expected a number of cases")


def _decode(named: NamedTensor, codec: TensorCodec) -> np.ndarray:
    key = TensorKey(named.name, "site", named.round_number, named.report, tuple(named.tags))
    metadata = [
        {"int_to_float": proto.int_to_float, "int_list": proto.int_list, "bool_list": proto.bool_list}
        for proto in named.transformer_metadata
    ]
    try:
        _, values = codec.decompress(key, data=named.data_bytes, transformer_metadata=metadata, require_lossless=True)
    except (AssertionError, ValueError, TypeError, KeyError, IndexError) as error:
        raise UpdateFault(named.name, f"does not decode ({error})") from error
    return np.asarray(values)
