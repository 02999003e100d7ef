"""What the plan says about learning from a peer; checked once, here."""

from dataclasses import dataclass

from src.errors import PlanSettingError
from src.setting_range import check_number, check_whole

RULES = ("mutual", "distill", "average", "adopt")
CO_TRAINING = ("mutual", "distill")
SURVIVORS = ("keep", "best")
OPTIMISER_TREATMENTS = ("RESET", "CONTINUE_LOCAL")


@dataclass(frozen=True, kw_only=True)
class LearningSettings:
    """What a site does with a peer's model in a round with an exchange.

    Attributes:
        rule: steps in order, of ``RULES``. At most one of them trains (``mutual``, ``distill``); when none does, the round is
            trained alone after the last step. ``[average]`` averages, then trains; ``[mutual, average]`` trains both models,
            then averages them; ``[mutual, adopt]`` is Def-KT; ``[adopt]`` is weight transfer.
        survivor: ``keep`` what the rule leaves, or the ``best`` on local validation among own, the peer's and their average.
        divergence_weight: λ, at least 0.
        ramp_rounds: rounds after the warm-up over which λ rises to its full value; at least 0.
        region_dilation_mm: how far around a contour the models learn from each other; at least 0.
        gate_width: lead in Dice at which a peer teaches a structure with full weight; above 0.
        gate_smoothing: share of the gate that is kept from the exchange before, 0 to below 1.
        peer_tolerance: a peer whose Dice on our validation cases is more than this below ours is neither averaged nor adopted.
        opt_treatment: of the optimiser's moments when the weights were replaced or averaged: RESET or CONTINUE_LOCAL.
    """

    rule: list[str]
    survivor: str
    divergence_weight: float
    ramp_rounds: int
    region_dilation_mm: float
    gate_width: float
    gate_smoothing: float
    peer_tolerance: float
    opt_treatment: str

    def __post_init__(self) -> None:
        where = "collaborator.learning"
        if not isinstance(self.rule, list) or not self.rule or any(step not in RULES for step in self.rule):
            raise PlanSettingError(f"{where}.rule: expected a list of {', '.join(RULES)}, found {self.rule!r}")
        if len(set(self.rule)) != len(self.rule) or sum(step in CO_TRAINING for step in self.rule) > 1:
            raise PlanSettingError(f"{where}.rule: each step at most once, and one of mutual and distill, found {self.rule}")
        if {"average", "adopt"} <= set(self.rule):
            raise PlanSettingError(f"{where}.rule: average and adopt undo each other; choose one, found {self.rule}")
        for name, known in (("survivor", SURVIVORS), ("opt_treatment", OPTIMISER_TREATMENTS)):
            if getattr(self, name) not in known:
                raise PlanSettingError(f"{where}.{name}: expected {' or '.join(known)}, found {getattr(self, name)!r}")
        check_number(f"{where}.divergence_weight", self.divergence_weight, 0, 1e3)
        check_whole(f"{where}.ramp_rounds", self.ramp_rounds, 0)
        check_number(f"{where}.region_dilation_mm", self.region_dilation_mm, 0, 200)
        check_number(f"{where}.gate_width", self.gate_width, 1e-6, 1)
        check_number(f"{where}.gate_smoothing", self.gate_smoothing, 0, 0.99)
        check_number(f"{where}.peer_tolerance", self.peer_tolerance, 0, 1)

    @property
    def co_training(self) -> str | None:
        """``mutual``, ``distill``, or None when the rule only moves weights."""
        return next((step for step in self.rule if step in CO_TRAINING), None)

    def divergence_weight_at(self, round_number: int, warm_up_rounds: int) -> float:
        """λ of a round: 0 before the warm-up's end, then a straight rise over ``ramp_rounds``."""
        since = round_number - warm_up_rounds
        if since < 0:
            return 0.0
        return self.divergence_weight * min(1.0, (since + 1) / max(1, self.ramp_rounds))


@dataclass(frozen=True, kw_only=True)
class CompletionSettings:
    """The phase at the end in which the peers' final models teach the structures that a site never contoured.

    Attributes:
        steps: optimiser steps; 0 leaves the phase out.
        learning_rate: constant, above 0.
        largest_loss: of the mean validation Dice of the site's own structures; when it loses more, the phase is undone.
    """

    steps: int
    learning_rate: float
    largest_loss: float

    def __post_init__(self) -> None:
        check_whole("collaborator.completion.steps", self.steps, 0)
        check_number("collaborator.completion.learning_rate", self.learning_rate, 1e-8, 1)
        check_number("collaborator.completion.largest_loss", self.largest_loss, 0, 1)
