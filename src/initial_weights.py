"""Checks the model a federation starts from, before its first round.

``fx plan initialize -i`` takes a ``.pbuf`` without a look at it; and a plan may be changed between initialising and starting.
So the aggregator builds what the plan names, compares tensor by tensor, and, when the weights came from a ``.safetensors`` with
a card, the card too.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from src.errors import ModelCardError, PlanSettingError
from src.model.card import card_from_json
from src.model.state import state_differences, state_digest
from src.model.trained_structures import INIT_CARD
from src.plan_check import build_task_runner, running_plan


def check_initial_weights(tensors: Mapping[str, np.ndarray], round_number: int, rounds_to_train: int) -> None:
    """Refuses a start that cannot work.

    Args:
        tensors: the initial model by tensor name.
        round_number: the round it was saved in; a federation goes on from there.
        rounds_to_train: rounds of the plan.

    Raises:
        PlanSettingError: no round is left to train.
        ModelCardError: a value is not finite; or, under ``fx``, the tensors or their card are not those of the plan.
    """
    if round_number >= rounds_to_train - 1:
        raise PlanSettingError(
            f"the initial model is of round {round_number}, and the plan ends after training round {rounds_to_train - 2}; "
            "raise aggregator.rounds_to_train, or initialise from a .safetensors to begin again at round 0"
        )
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise ModelCardError(f"the initial model's {name} holds values that are not finite; initialise the plan again")
    plan = running_plan()
    if plan is not None:
        check_against_plan(tensors, plan)


def check_against_plan(tensors: Mapping[str, np.ndarray], plan: dict) -> None:
    """Refuses weights that are not of the network, the structures or the preprocessing of a plan.

    Raises:
        ModelCardError: the first differences, named.
    """
    runner = build_task_runner(plan)
    if differences := state_differences(runner.network, tensors):
        raise ModelCardError(
            f"the initial model is not of this plan's network: {'; '.join(differences[:3])}{' …' if differences[3:] else ''}; "
            "run 'fx plan initialize' again with this plan"
        )
    bound = Path(plan["task_runner"]["settings"]["save_path"]) / INIT_CARD
    if not bound.is_file():
        return
    facts = json.loads(bound.read_text(encoding="utf-8"))
    if facts["digest"] != state_digest(tensors):
        return  # the card of other weights, left from before
    if differences := runner.card().differences(card_from_json(facts["card"], bound.name)):
        raise ModelCardError(f"the initial model does not fit this plan: {'; '.join(differences)}; choose weights made for it")
