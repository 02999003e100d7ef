"""The weights all sites of a run begin with. ``fx collaborator start`` never reads them, so the collaborator does.

Knows OpenFL's model file; used by ``collaborator`` only.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from google.protobuf.message import DecodeError
from openfl.pipelines import NoCompressionPipeline
from openfl.protocols import utils

from src.errors import ModelCardError
from src.model.card import card_from_json
from src.model.state import load_network_state, network_state, state_digest
from src.model.trained_structures import INIT_CARD

if TYPE_CHECKING:
    from src.task_runner import SegmentationTaskRunner


def load_initial_model(path: Path, runner: "SegmentationTaskRunner") -> str:
    """Gives a runner's network its first weights.

    Args:
        path: ``init.pbuf`` as ``fx plan initialize`` leaves it, or a saved model.
        runner: of the plan.

    Returns:
        The digest that all sites of the run must have in common.

    Raises:
        ModelCardError: there is no such file, it cannot be read, or its weights are not of this plan.
    """
    if not path.is_file():
        raise ModelCardError(
            f"expected the weights that all sites begin with at '{path}', found none; take the file that 'fx plan initialize' "
            "made on the coordinator's machine"
        )
    if path.suffix == ".safetensors":
        runner.load_native(str(path))
        _check_finite(network_state(runner.network), path.name)
    else:
        tensors = _read_pbuf(path)
        _check_finite(tensors, path.name)
        load_network_state(runner.network, tensors, origin=f"'{path.name}'")
        _check_card(runner, state_digest(tensors))
    return state_digest(network_state(runner.network))


def _check_finite(tensors: Mapping[str, np.ndarray], name: str) -> None:
    for tensor, values in tensors.items():
        if not np.isfinite(values).all():
            raise ModelCardError(f"'{name}': {tensor} holds values that are not finite; choose other weights to begin with")


def _read_pbuf(path: Path) -> dict[str, np.ndarray]:
    try:
        tensors, _ = utils.deconstruct_model_proto(utils.load_proto(str(path)), NoCompressionPipeline())
    except (DecodeError, ValueError, TypeError, KeyError, AssertionError) as error:
        raise ModelCardError(
            f"expected a model of 'fx plan initialize' at '{path.name}', found none that can be read"
        ) from error
    # OpenFL's arrays lie in the message's bytes, which nobody may write.
    return {name: np.array(values) for name, values in tensors.items()}


def _check_card(runner: "SegmentationTaskRunner", digest: str) -> None:
    """Compares the card of the weights, when they came from a saved model and it was handed on with them."""
    note = runner.save_path / INIT_CARD
    facts = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
    if facts.get("digest") != digest:
        return
    if differences := runner.card().differences(card_from_json(facts["card"], note.name)):
        raise ModelCardError(f"the initial model does not fit this plan: {'; '.join(differences)}; choose weights made for it")
