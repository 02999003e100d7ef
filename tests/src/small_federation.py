"""An aggregator of a network with two structures, and hand-made results as OpenFL's sites send them."""

import json
import math
from functools import partial
from pathlib import Path

import numpy as np
from openfl.component.aggregator.straggler_handling import WaitForAllPolicy
from openfl.pipelines import NoCompressionPipeline, TensorCodec
from openfl.protocols import utils
from openfl.utilities import TensorKey

from src.aggregator import SegmentationAggregator
from src.assigner import ClosingValidationAssigner
from src.learning.partial_label_average import PartialLabelAverage

STRUCTURES = ("Liver", "Spleen")
VALIDATE, TRAIN = "aggregated_model_validation", "train"
TASKS = {VALIDATE: {"function": "validate_task"}, TRAIN: {"function": "train_task", "aggregation_type": PartialLabelAverage()}}


def network(value: float) -> dict[str, np.ndarray]:
    """Tensors all of one value, with a head of two rows."""
    return {
        "backbone.weight": np.full((3, 2), value, np.float32),
        "head.weight": np.full((2, 3, 1, 1, 1), value, np.float32),
        "head.bias": np.full((2,), value, np.float32),
    }


def aggregator_in(folder: Path, sites: tuple[str, ...], rounds_to_train: int = 3, **settings) -> SegmentationAggregator:
    """An aggregator of some sites that starts with ``network(1)`` and writes into ``folder``."""
    assigner = ClosingValidationAssigner(tasks=TASKS, authorized_cols=list(sites), rounds_to_train=rounds_to_train)
    return SegmentationAggregator(
        **{
            "aggregator_uuid": "aggregator_plan.yaml_1",
            "federation_uuid": "plan.yaml_1",
            "authorized_cols": list(sites),
            "assigner": assigner,
            "compression_pipeline": NoCompressionPipeline(),
            "straggler_handling_policy": partial(WaitForAllPolicy),
            "rounds_to_train": rounds_to_train,
            "init_state_path": str(folder / "init.pbuf"),
            "best_state_path": str(folder / "best.pbuf"),
            "last_state_path": str(folder / "last.pbuf"),
            "log_path": str(folder / "logs"),
            "initial_tensor_dict": network(1.0),
            **settings,
        }
    )


def send(aggregator: SegmentationAggregator, site: str, task: str, size: int, tensors: dict, *, round_number=None) -> None:
    """Sends results as ``site`` would; ``tensors`` are arrays of the network or, below a known name, metrics."""
    round_number = aggregator.round_number if round_number is None else round_number
    aggregator.send_local_task_results(site, round_number, task, size, encode(tensors, round_number))


def encode(tensors: dict, round_number: int) -> list:
    """Named tensors on the wire: a float is a metric, an array a trained tensor."""
    codec = TensorCodec(NoCompressionPipeline())
    named = []
    for name, value in tensors.items():
        tags = ("metric",) if isinstance(value, float) else ("trained",)
        key = TensorKey(name, "site", round_number, False, tags)
        key, data, metadata = codec.compress(key, np.asarray(value), require_lossless=True)
        named.append(utils.construct_named_tensor(key, data, metadata, lossless=True))
    return named


def train(
    aggregator: SegmentationAggregator, site: str, value: float, cases: tuple[int, int], size: int = 1, **changes
) -> None:
    """A training of ``site`` that ended in ``network(value)``; ``changes`` replace tensors (``__`` stands for a dot)."""
    metrics = {f"train_cases/{channel:02d}/{name}": float(cases[channel]) for channel, name in enumerate(STRUCTURES)}
    tensors = {**network(value), "train_loss": 0.5, **metrics}
    send(aggregator, site, TRAIN, size, {**tensors, **{name.replace("__", "."): array for name, array in changes.items()}})


def validate(aggregator: SegmentationAggregator, site: str, dice: tuple[float, float], cases: tuple[int, int]) -> None:
    """A validation of ``site``; NaN where it has no case."""
    scored = [value for value in dice if not math.isnan(value)]
    metrics = {"mean_dice": float(np.mean(scored)) if scored else math.nan}
    for channel, name in enumerate(STRUCTURES):
        metrics |= {f"dice/{channel:02d}/{name}": dice[channel], f"valid_cases/{channel:02d}/{name}": float(cases[channel])}
    send(aggregator, site, VALIDATE, sum(cases), metrics)


def read_model(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a saved ``.pbuf``."""
    tensors, _ = utils.deconstruct_model_proto(utils.load_proto(str(path)), NoCompressionPipeline())
    return tensors


def events(folder: Path) -> list[dict]:
    """The aggregator's lines of ``metrics.jsonl``."""
    lines = (folder / "logs" / "aggregator" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line, parse_constant=lambda name: (_ for _ in ()).throw(ValueError(name))) for line in lines]
