"""What one site does with its model: a round alone or with peers' models, validation, the end of the run.

Puts the rules of this folder together as the plan says; knows nothing of how models travel. See ``src.exchange.learner``.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING

import numpy as np
import torch

from src.evaluation.dice import StructureDice, macro_mean
from src.evaluation.validation import dice_facts, validate_cases
from src.exchange.learner import PeerModel, Standing
from src.learning.adopt import adopt
from src.learning.average import average_with_peers
from src.learning.co_training import CoTrainedRound, Lesson
from src.learning.distill import train_distilled
from src.learning.gate import Gate, Gates
from src.learning.judgement import JudgedPeer, PeerJudge
from src.learning.mutual import train_mutually
from src.learning.peer_settings import CompletionSettings, LearningSettings
from src.learning.run_end import RunEnd
from src.learning.survivor import Candidate, choose_survivor
from src.learning.training import TrainedRound
from src.model.kept_models import KeptModels
from src.model.network import HEAD_TENSORS
from src.model.state import load_network_state, network_state, unique_tensors
from src.model.trained_structures import TrainedStructures

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from src.task_runner import SegmentationTaskRunner

_CO_TRAINING = {"mutual": train_mutually, "distill": train_distilled}


class PeerLearner:
    """One site's learner.

    Args:
        runner: holds the site's network, already with the weights all sites begin with, its data, training and predictor.
        site: its name.
        learning, completion: see there.
        warm_up_rounds: rounds before the first exchange.
    """

    def __init__(
        self,
        runner: "SegmentationTaskRunner",
        *,
        site: str,
        learning: LearningSettings,
        completion: CompletionSettings,
        warm_up_rounds: int,
    ) -> None:
        self.runner, self.site, self.learning, self.warm_up_rounds = runner, site, learning, warm_up_rounds
        self.network, self.local, self.structures = runner.network, runner.training_of_site, runner.structures
        self.cases_C = runner.data_loader.train_cases_with()
        self.rows_C = np.array(self.cases_C, dtype=np.float64)
        self.dice: dict[str, StructureDice] = {}
        self.kept = KeptModels(runner.save_path / site)
        self._trained = TrainedStructures(self.structures, self.cases_C, network_state(self.network), runner.save_path)
        self._gate = Gate(self.structures, self.cases_C, width=learning.gate_width, smoothing=learning.gate_smoothing)
        self._judge: PeerJudge | None = None
        self._end = RunEnd(self, completion)

    # See ``src.exchange.learner.Learner``.

    def tensors(self) -> Mapping[str, torch.Tensor]:
        """The live tensors of the network, each storage once."""
        return unique_tensors(self.network)

    def standing(self) -> Standing:
        """What the manifest says of the present model."""
        dice = {name: self.dice.get(name) for name in self.structures}
        return Standing(
            train_cases=dict(zip(self.structures, self.cases_C, strict=True)),
            valid_cases={name: entry.num_scored if entry else 0 for name, entry in dice.items()},
            valid_dice={name: entry.mean if entry and entry.num_scored else None for name, entry in dice.items()},
            row_cases=dict(zip(self.structures, map(float, self.rows_C), strict=True)),
        )

    def learn(self, round_number: int, peers: Sequence[PeerModel]) -> dict:
        """One round as ``learning.rule`` says, or alone."""
        judged = [self.judge.look(peer, self.dice) for peer in peers]
        facts: dict = {"peers": {peer.site: _verdict(peer) for peer in judged}} if judged else {}
        gates = self._open_gates(judged[0], facts) if judged else None
        trained = None
        for step in self.learning.rule if judged else ():
            if step in _CO_TRAINING:
                trained = self._co_train(step, judged[0], gates, round_number, facts)
            elif step == "average":
                self._average(judged, co_trained=trained is not None)
            else:
                self._adopt(judged, co_trained=trained is not None)
        co_trained = trained is not None
        if trained is None:
            trained = self.local.train_round(self.site, round_number)
        if judged and self.learning.survivor == "best":
            facts["survivor"] = self._survive(judged, co_trained=co_trained)
        return {
            "loss": trained.mean_loss,
            "gradient_norm": trained.mean_gradient_norm,
            "steps": len(trained.losses),
            **facts,
        }

    def validate(self, round_number: int) -> dict:
        """Dice on the site's validation cases; saves ``last`` and ``best``."""
        self.dice = self.dice_of(self.network)
        mean = macro_mean(self.dice)
        self.kept.keep(self.card(round_number + 1, self.trained(), self.dice), network_state(self.network), mean)
        return dice_facts(self.dice)

    def finish(self, round_number: int, finals: Sequence[PeerModel], chain_end: str | None) -> list[dict]:
        """See ``RunEnd``."""
        return self._end.finish(round_number, finals, chain_end)

    def state(self) -> tuple[dict[str, torch.Tensor], dict]:
        """Network, optimiser, and the memory of gates, rows and validation."""
        tensors = {f"network/{name}": tensor for name, tensor in self.tensors().items()}
        tensors |= {f"optimiser/{name}": tensor for name, tensor in self.local.optimiser_tensors().items()}
        best = self.kept.best_dice
        facts = {
            "rows": [float(cases) for cases in self.rows_C],
            "gate": self._gate.state(),
            "best_dice": best if math.isfinite(best) else None,
            "dice": {name: [entry.mean, entry.num_scored, entry.num_absent] for name, entry in self.dice.items()},
            "precision": str(self.local.precision),
            "device": self.local.device.type,
        }
        return tensors, facts

    def restore(self, tensors: Mapping[str, torch.Tensor], facts: dict) -> None:
        """Takes over what ``state`` gave.

        Raises:
            ModelCardError: it is of another network.
        """
        parts: dict[str, dict[str, torch.Tensor]] = {"network": {}, "optimiser": {}}
        for name, tensor in tensors.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = tensor
        values = {name: tensor.numpy() for name, tensor in parts["network"].items()}
        load_network_state(self.network, values, origin="the checkpoint")
        self.local.restore_optimiser(parts["optimiser"])
        self.rows_C = np.array(facts["rows"])
        self._gate.restore(facts["gate"])
        self.kept.best_dice = -math.inf if facts["best_dice"] is None else facts["best_dice"]
        self.dice = {
            name: StructureDice(mean=mean, num_scored=scored, num_absent=absent)
            for name, (mean, scored, absent) in facts["dice"].items()
        }
        self._use_precision(facts["precision"])
        before, now = facts.get("device", self.local.device.type), self.local.device.type
        if before != now:
            logger.warning(
                "%s: THE DEVICE CHANGED: the run so far was computed on '%s', now it is '%s'; it goes on, at another pace and "
                "not bit for bit. If a GPU is gone, stop this and look at nvidia-smi",
                self.site,
                before,
                now,
            )

    # What the parts of this folder share.

    @property
    def judge(self) -> PeerJudge:
        """Looks at peers' models; its spare network is made when the first one arrives."""
        if self._judge is None:
            self._judge = PeerJudge(
                deepcopy(self.network),
                self.runner.predictor,
                self.runner.data_loader,
                tolerance=self.learning.peer_tolerance,
                gated=self.learning.co_training is not None,
            )
        return self._judge

    def trained(self) -> tuple[str, ...]:
        """Structures of the present model that somebody has trained."""
        return self._trained.now(network_state(self.network))

    def dice_of(self, network: torch.nn.Module, trained: Sequence[str] | None = None) -> dict[str, StructureDice]:
        """Dice of a network on the site's validation cases; by default over what our own model was trained for."""
        known = self.trained() if trained is None else trained
        return validate_cases(self.runner.predictor.applied_to(network), self.runner.data_loader, known)

    def card(self, rounds: int, trained: Sequence[str], dice: Mapping[str, StructureDice]):
        """The card of a model of this site."""
        return self.runner.site_card(self.site, rounds, trained, dice)

    # The steps of a rule.

    def _open_gates(self, peer: JudgedPeer, facts: dict) -> Gates:
        """Where the peer is better here; logged under every rule, since it tells what a peer is worth."""
        gates = self._gate.update(self.dice, peer.dice, peer.model.manifest)
        facts["gates"] = self._by_name(gates.taught_own_C)
        return gates

    def _co_train(self, rule: str, peer: JudgedPeer, gates: Gates, round_number: int, facts: dict) -> TrainedRound:
        weight = self.learning.divergence_weight_at(round_number, self.warm_up_rounds)
        facts |= {"rule": rule, "divergence_weight": weight}
        if rule == "mutual":
            facts["gates_of_peer"] = self._by_name(gates.taught_peer_C)
        if not self._is_copy_used(peer) and not (weight and gates.taught_own_C.any()):
            # Nothing would come of the peer's part: the round is what it is alone, at half the price.
            return self.local.train_round(self.site, round_number)
        trained = _CO_TRAINING[rule](self.local, self._lesson(gates, weight), self.site, round_number)
        return self._note_co_training(trained, facts)

    def _lesson(self, gates: Gates, weight: float) -> Lesson:
        return Lesson(
            peer_network=self.judge.spare,
            taught_own_C=gates.taught_own_C,
            taught_peer_C=gates.taught_peer_C,
            divergence_weight=weight,
            dilation_mm=self.learning.region_dilation_mm,
        )

    def _note_co_training(self, trained: CoTrainedRound, facts: dict) -> CoTrainedRound:
        facts["divergence"] = self._by_name(trained.divergence_C)
        facts["dropped_steps"] = trained.dropped_steps
        if trained.peer is not None:
            facts["peer_loss"] = trained.peer.mean_loss
        return trained

    def _is_copy_used(self, peer: JudgedPeer) -> bool:
        """Whether the incoming copy can go on after it was trained here."""
        rule = self.learning.rule
        may_survive = self.learning.survivor == "best" and bool(self.runner.data_loader.valid_cases)
        return peer.acceptable and (may_survive or rule.index(self.learning.co_training) < len(rule) - 1)

    def _average(self, judged: Sequence[JudgedPeer], *, co_trained: bool) -> None:
        parts = [(peer.model.weight, self._now_of(peer, co_trained), peer.rows_C) for peer in judged if peer.acceptable]
        if parts:
            self._take_over(*average_with_peers(network_state(self.network), self.rows_C, parts))

    def _adopt(self, judged: Sequence[JudgedPeer], *, co_trained: bool) -> None:
        peer = _first_acceptable(judged)
        if peer is not None:
            own = network_state(self.network)
            self._take_over(*adopt(own, self.rows_C, self._now_of(peer, co_trained), peer.rows_C, HEAD_TENSORS))

    def _now_of(self, peer: JudgedPeer, co_trained: bool) -> dict[str, np.ndarray]:
        return network_state(self.judge.spare) if co_trained else peer.tensors

    def _survive(self, judged: Sequence[JudgedPeer], *, co_trained: bool) -> dict:
        own = Candidate(name="own", tensors=network_state(self.network), rows_C=self.rows_C)
        candidates = [own]
        peer = _first_acceptable(judged)
        if peer is not None:
            theirs = self._now_of(peer, co_trained)
            # What only we have trained stays in any case, or it would be lost and not even missed: nothing of it is compared.
            adopted = adopt(own.tensors, own.rows_C, theirs, peer.rows_C, HEAD_TENSORS)
            average = average_with_peers(own.tensors, own.rows_C, [(peer.model.weight, theirs, peer.rows_C)])
            for name, (tensors, rows_C) in (("peer", adopted), ("average", average)):
                candidates.append(Candidate(name=name, tensors=tensors, rows_C=rows_C))
        chosen, means = choose_survivor(candidates, self._dice_of_candidate)
        if chosen is not own:
            self._take_over(chosen.tensors, chosen.rows_C)
        return {"chosen": chosen.name, "mean_dice": means}

    def _dice_of_candidate(self, candidate: Candidate) -> dict[str, StructureDice]:
        load_network_state(self.judge.spare, candidate.tensors, origin=candidate.name)
        known = [name for name, cases in zip(self.structures, candidate.rows_C, strict=True) if cases]
        return self.dice_of(self.judge.spare, known)

    def _take_over(self, tensors: Mapping[str, np.ndarray], rows_C: np.ndarray) -> None:
        """Another model in the place of ours; the optimiser's moments are the old one's, and the plan says what of them."""
        load_network_state(self.network, tensors, origin="the exchange")
        self.rows_C = rows_C
        if self.learning.opt_treatment == "RESET":
            self.local.forget_optimiser()

    def _by_name(self, values_C) -> dict[str, float]:
        return {name: round(float(value), 6) for name, value in zip(self.structures, values_C, strict=True)}

    def _use_precision(self, name: str) -> None:
        """What the run began with stays, even on a machine where ``auto`` would choose otherwise."""
        self.local.precision = {str(dtype): dtype for dtype in (torch.float32, torch.bfloat16)}[name]
        self.runner.predictor.precision = self.local.precision


def _first_acceptable(judged: Sequence[JudgedPeer]) -> JudgedPeer | None:
    return next((peer for peer in judged if peer.acceptable), None)


def _verdict(peer: JudgedPeer) -> dict:
    return {
        "judged": not math.isnan(peer.own_mean),
        "own_mean_dice": peer.own_mean,
        "peer_mean_dice": peer.peer_mean,
        "acceptable": peer.acceptable,
    }
