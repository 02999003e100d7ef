"""The task runner a plan names: trains and validates one site's network, and keeps its files.

``PyTorchTaskRunner`` is an ``nn.Module`` and federates whatever module hangs on it, so ``network`` is the only one here.
"""

import json
import logging
import math
import time
from collections.abc import Collection
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from openfl.federated import PyTorchTaskRunner
from openfl.utilities import TensorKey
from tqdm import tqdm

from src.data.dataset import TOOL
from src.data.preprocessing import GridGeometry
from src.data.structures import load_structures
from src.dataloader import CTLoader
from src.errors import ModelCardError, PlanSettingError
from src.evaluation.dice import StructureDice, macro_mean, summarise
from src.learning.optimisation import Optimisation, Stepper
from src.learning.proximal import ProximalTerm
from src.model.card import ModelCard, read_model, write_model
from src.model.inference import Predictor
from src.model.losses import segmentation_loss, unpack_labels
from src.model.network import build_network
from src.model.precision import autocast, choose_precision
from src.model.state import load_network_state, network_state, state_digest
from src.run_log import RunLog

logger = logging.getLogger(__name__)


class SegmentationTaskRunner(PyTorchTaskRunner):
    """Trains one 3D network with one sigmoid channel per structure.

    Args:
        data_loader: the site's ``CTLoader``.
        network: see ``build_network``.
        optimisation: see ``Optimisation``.
        steps_per_round: optimiser steps of one training round.
        schedule_rounds: training rounds of the whole run, over which the learning rate decays.
        precision: see ``choose_precision``.
        overlap: of the sliding window, 0 to below 1.
        proximal_mu: FedProx's μ; 0 is FedAvg.
        random_seed: of the first weights and of dropout.
        save_path, log_path: folders under which each site gets one of its own.

    Raises:
        PlanSettingError: a setting is of the wrong kind or out of range, or the network does not fit the patch.
    """

    def __init__(
        self,
        data_loader: CTLoader,
        *,
        network: dict,
        optimisation: dict,
        steps_per_round: int,
        schedule_rounds: int,
        precision: str,
        overlap: float,
        proximal_mu: float,
        random_seed: int,
        save_path: str,
        log_path: str,
    ) -> None:
        super().__init__(data_loader=data_loader)
        self.structures = data_loader.structures
        self.steps_per_round = _check_whole("steps_per_round", steps_per_round)
        self.num_steps = steps_per_round * _check_whole("schedule_rounds", schedule_rounds)
        self.proximal_mu = _check_number("proximal_mu", proximal_mu, 1e6)
        self.precision = choose_precision(precision, self.device)
        self.overlap = _check_number("overlap", overlap, 0.95)
        self.random_seed = random_seed
        self.save_path, self.log_path = Path(save_path), Path(log_path)
        self.optimisation = _read_optimisation(optimisation)
        self.network_settings = network
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(random_seed)
            self.network = build_network(network, len(self.structures))
        self._check_output()
        self.network.to(self.device)
        # Set by the collaborator, which knows it; stands in the card of what is saved.
        self.federation = ""
        self._stepper: Stepper | None = None
        self._first_head: list[np.ndarray] | None = None
        self._given_structures: tuple[str, ...] = ()
        self._best_dice = -math.inf
        self._log: RunLog | None = None

    # What OpenFL moves: the network's tensors, each storage once.

    def get_tensor_dict(self, with_opt_vars: bool = False) -> dict[str, np.ndarray]:
        """The federated state: the network, nothing else; optimiser state stays at the site."""
        return network_state(self.network)

    def set_tensor_dict(self, tensor_dict: dict[str, np.ndarray], with_opt_vars: bool = False) -> None:
        """Takes over a network state.

        Raises:
            ModelCardError: names or shapes are not those of the plan's network.
        """
        load_network_state(self.network, tensor_dict, origin="the aggregator")
        if self._first_head is None:
            self._first_head = self._head_rows()
            self._given_structures = self._structures_trained_before(tensor_dict)

    def rebuild_model(self, round_num: int, input_tensor_dict: dict[str, np.ndarray], validation: bool = False) -> None:
        """Takes over the model a task starts from, and treats the optimiser as the plan says."""
        if self.opt_treatment == "CONTINUE_GLOBAL":
            raise PlanSettingError(
                "collaborator.opt_treatment: expected RESET or CONTINUE_LOCAL; the optimiser's state is never sent"
            )
        self.set_tensor_dict(input_tensor_dict)
        if self.opt_treatment == "RESET" and not validation:
            self._stepper = None

    def load_native(self, filepath: str) -> None:
        """Starts from a saved model: ``fx plan initialize -i <file>.safetensors``.

        Raises:
            ModelCardError: it is another architecture, has other structures or was preprocessed differently.
        """
        path = Path(filepath)
        card, tensors = read_model(path)
        if differences := self.card().differences(card):
            raise ModelCardError(f"'{path.name}' does not fit this plan: {'; '.join(differences)}")
        load_network_state(self.network, tensors, origin=f"'{path.name}'")
        self.save_path.mkdir(parents=True, exist_ok=True)
        facts = {"digest": state_digest(tensors), "card": card.to_json()}
        (self.save_path / "init_card.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")

    # The tasks.

    def train_task(self, col_name: str, round_num: int, input_tensor_dict: dict[str, np.ndarray]) -> tuple[dict, dict]:
        """Trains ``steps_per_round`` steps from the given model.

        Returns:
            What goes to the aggregator: the network's tensors, ``train_loss``, and per structure the number of training cases
            that taught it; and an empty dict.
        """
        self.rebuild_model(round_num, input_tensor_dict)
        began = time.perf_counter()
        losses, norms = self._train_round(col_name, round_num)
        cases_C = self.data_loader.train_cases_with()
        self._log_of(col_name).event(
            round_number=round_num,
            phase="train",
            site=col_name,
            loss=float(np.mean(losses)),
            gradient_norm=float(np.mean(norms)),
            steps=len(losses),
            seconds=round(time.perf_counter() - began, 3),
        )
        tensors = {
            TensorKey(name, col_name, round_num, False, ("trained",)): values for name, values in self.get_tensor_dict().items()
        }
        metrics = {TensorKey("train_loss", col_name, round_num, True, ("metric",)): np.array(np.mean(losses))}
        for channel, structure in enumerate(self.structures):
            key = TensorKey(f"train_cases/{channel:02d}/{structure}", col_name, round_num, False, ("metric",))
            metrics[key] = np.array(float(cases_C[channel]))
        return {**tensors, **metrics}, {}

    def validate_task(
        self, col_name: str, round_num: int, input_tensor_dict: dict[str, np.ndarray], apply: str
    ) -> tuple[dict, dict]:
        """Validates the given model on the site's validation cases and saves it.

        Args:
            apply: ``global`` for the aggregated model; there is no other.

        Returns:
            What goes to the aggregator: ``mean_dice`` over structures, and per structure the Dice (NaN without a case) and the
            number of cases; and an empty dict.
        """
        self.rebuild_model(round_num, input_tensor_dict, validation=True)
        began = time.perf_counter()
        trained = self._trained_structures()
        summary = self.validate_cases(trained)
        mean = macro_mean(summary)
        self._log_of(col_name).event(
            round_number=round_num,
            phase="validate",
            site=col_name,
            mean_dice=mean,
            dice={name: entry.mean for name, entry in summary.items()},
            cases={name: entry.num_scored for name, entry in summary.items()},
            seconds=round(time.perf_counter() - began, 3),
        )
        self._save(col_name, round_num, trained, summary, mean)
        metrics = {TensorKey("mean_dice", col_name, round_num, True, ("metric", "validate")): np.array(mean)}
        for channel, (structure, entry) in enumerate(summary.items()):
            for name, value in (("dice", entry.mean), ("valid_cases", float(entry.num_scored))):
                key = TensorKey(f"{name}/{channel:02d}/{structure}", col_name, round_num, False, ("metric", "validate"))
                metrics[key] = np.array(value)
        return metrics, {}

    def validate_cases(self, trained: Collection[str]) -> dict[str, StructureDice]:
        """Dice per structure of the present network on the site's validation cases, on their CTs' own grids.

        Args:
            trained: the structures that somebody trained; the others are not predicted and have no Dice.
        """
        predictor = Predictor(
            self.network,
            patch_voxels=self.data_loader.patch_voxels,
            window_hu=self.data_loader.preprocessing.window_hu,
            overlap=self.overlap,
            precision=self.precision,
            device=self.device,
        )
        cases = []
        for case in tqdm(self.data_loader.valid_cases, desc="validate", unit="case", disable=None, leave=False):
            truth = self.data_loader.truth(case)
            native = GridGeometry.of(self.data_loader.dataset.read_geometry(case.name))
            channels = [channel for channel in truth.channels if self.structures[channel] in trained]
            masks = predictor.masks(case.hu_XYZ, case.grid, native, channels)
            cases.append({self.structures[channel]: truth.dice(channel, mask_XYZ) for channel, mask_XYZ in masks})
        return summarise(cases, self.structures)

    def _train_round(self, site: str, round_number: int) -> tuple[list[float], list[float]]:
        """Losses and gradient norms of one round's steps."""
        if self._stepper is None:
            trained_C = [cases > 0 for cases in self.data_loader.train_cases_with()]
            self._stepper = Stepper(self.network, self.optimisation, self.num_steps, trained_C)
        torch.manual_seed(crc32(f"{self.random_seed}/{site}/{round_number}".encode()))
        self.network.train()
        proximal = ProximalTerm(self.network, self.proximal_mu)
        losses, norms = [], []
        batches = self.data_loader.training_batches(round_number, self.steps_per_round)
        for step, batch in enumerate(tqdm(batches, desc=f"train round {round_number}", disable=None, leave=False)):
            loss = self.batch_loss(batch) + proximal()
            losses.append(float(loss.detach()))
            norms.append(self._stepper.step(loss, round_number * self.steps_per_round + step))
        if skipped := sum(not math.isfinite(norm) for norm in norms):
            logger.warning(
                "round %d: %d of %d steps had no finite gradient and were skipped", round_number, skipped, len(norms)
            )
        return losses, norms

    def batch_loss(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """The supervised loss of the present network on one batch of the loader; a scalar with a graph."""
        with autocast(self.precision, self.device):
            logits_BCXYZ = self.network(batch["image"].to(self.device))
        masks_BCXYZ = unpack_labels(batch["bits"].to(self.device), len(self.structures))
        return segmentation_loss(logits_BCXYZ, masks_BCXYZ, batch["contoured"].to(self.device))

    # What is kept.

    def card(self, **facts) -> ModelCard:
        """The card of the present weights; ``facts`` are the fields that are not part of its identity."""
        return ModelCard(
            anatomy=self.data_loader.anatomy,
            structures=self.structures,
            preprocessing=self.data_loader.preprocessing.to_json(),
            patch_voxels=self.data_loader.patch_voxels,
            network=self.network_settings,
            structures_digest=load_structures().digest,
            code_version=TOOL,
            **{"validation_dice": {}, **facts},
        )

    def _save(
        self, site: str, round_number: int, trained: tuple[str, ...], summary: dict[str, StructureDice], mean_dice: float
    ) -> None:
        """Writes ``last``, and ``best`` when the site's own mean Dice says so, or when it has nothing to say."""
        card = self.card(
            trained_structures=trained,
            site=site,
            federation=self.federation,
            round=round_number,
            validation_dice={name: None if math.isnan(entry.mean) else entry.mean for name, entry in summary.items()},
        )
        tensors = network_state(self.network)
        write_model(self.save_path / site / "last.safetensors", card, tensors)
        if math.isnan(mean_dice) or mean_dice > self._best_dice:
            self._best_dice = self._best_dice if math.isnan(mean_dice) else mean_dice
            write_model(self.save_path / site / "best.safetensors", card, tensors)

    def _trained_structures(self) -> tuple[str, ...]:
        """Structures somebody trained: this site, the weights it all began with, or a peer (the row has moved since)."""
        cases_C = self.data_loader.train_cases_with()
        rows = zip(*self._head_rows(), *(self._first_head or self._head_rows()), strict=True)
        moved_C = [not (np.array_equal(weight, first) and bias == first_bias) for weight, bias, first, first_bias in rows]
        return tuple(
            name
            for channel, name in enumerate(self.structures)
            if cases_C[channel] or moved_C[channel] or name in self._given_structures
        )

    def _structures_trained_before(self, first_tensors: dict[str, np.ndarray]) -> tuple[str, ...]:
        """What the run's first weights were trained on, if they are those that ``load_native`` left its note about."""
        note = self.save_path / "init_card.json"
        facts = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
        return tuple(facts["card"]["trained_structures"]) if facts.get("digest") == state_digest(first_tensors) else ()

    def _head_rows(self) -> list[np.ndarray]:
        return [self.network.head.weight.detach().cpu().numpy().copy(), self.network.head.bias.detach().cpu().numpy().copy()]

    def _log_of(self, site: str) -> RunLog:
        if self._log is None:
            self._log = RunLog(self.log_path / site)
        return self._log

    def _check_output(self) -> None:
        """Runs one empty patch through the network, so that a plan that can not work fails before any patient is read."""
        shape = tuple(self.data_loader.patch_voxels)
        try:
            with torch.no_grad():
                found = self.network(torch.zeros(1, 1, *shape)).shape
        except (RuntimeError, ValueError) as error:
            raise PlanSettingError(f"data_loader.patch_voxels: the network cannot take {list(shape)}: {error}") from error
        if tuple(found) != (1, len(self.structures), *shape):
            raise PlanSettingError(
                f"task_runner.network: expected logits of shape {(1, len(self.structures), *shape)}, found {tuple(found)}; "
                "choose patch_voxels that all strides divide"
            )


def _read_optimisation(settings: dict) -> Optimisation:
    try:
        return Optimisation(**settings)
    except TypeError as error:
        raise PlanSettingError(f"task_runner.optimisation: {error}") from error


def _check_whole(name: str, value: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise PlanSettingError(f"task_runner.{name}: expected a whole number of at least 1, found {value!r}")
    return value


def _check_number(name: str, value: float, highest: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= highest:
        raise PlanSettingError(f"task_runner.{name}: expected a number from 0 to {highest}, found {value!r}")
    return float(value)
