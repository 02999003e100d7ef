"""The task runner a plan names: OpenFL's face of one site's network, its training, validation and files.

``PyTorchTaskRunner`` is an ``nn.Module`` and federates whatever module hangs on it, so ``network`` is the only one here.
"""

import math
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from openfl.federated import PyTorchTaskRunner
from openfl.utilities import TensorKey

from src.data.dataset import TOOL
from src.data.structures import load_structures
from src.dataloader import CTLoader
from src.errors import ModelCardError, PlanSettingError
from src.evaluation.dice import StructureDice, macro_mean
from src.evaluation.validation import dice_facts, validate_cases
from src.learning.optimisation import Optimisation
from src.learning.training import LocalTraining
from src.model.card import ModelCard, read_model
from src.model.inference import Predictor
from src.model.kept_models import KeptModels
from src.model.network import build_network
from src.model.precision import choose_precision
from src.model.state import load_network_state, network_state
from src.model.trained_structures import TrainedStructures, note_initial_card
from src.run_log import RunLog
from src.setting_range import check_number, check_whole


class SegmentationTaskRunner(PyTorchTaskRunner):
    """Trains and validates one 3D network with one sigmoid channel per structure.

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
        self.save_path, self.log_path = Path(save_path), Path(log_path)
        self.network_settings = network
        dtype = choose_precision(precision, self.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(random_seed)
            self.network = build_network(network, len(self.structures))
        self._check_output()
        self.network.to(self.device)
        self.training_of_site = LocalTraining(
            self.network,
            data_loader,
            optimisation=_read_optimisation(optimisation),
            steps_per_round=check_whole("task_runner.steps_per_round", steps_per_round, 1),
            schedule_rounds=check_whole("task_runner.schedule_rounds", schedule_rounds, 1),
            precision=dtype,
            device=self.device,
            proximal_mu=check_number("task_runner.proximal_mu", proximal_mu, 0, 1e6),
            random_seed=random_seed,
        )
        self.predictor = Predictor(
            self.network,
            patch_voxels=data_loader.patch_voxels,
            window_hu=data_loader.preprocessing.window_hu,
            overlap=check_number("task_runner.overlap", overlap, 0, 0.95),
            precision=dtype,
            device=self.device,
        )
        # Set by the collaborator, which knows it; stands in the card of what is saved.
        self.federation = ""
        self._trained: TrainedStructures | None = None
        self._kept: KeptModels | None = None
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
        if self._trained is None:
            cases_C = self.data_loader.train_cases_with()
            self._trained = TrainedStructures(self.structures, cases_C, tensor_dict, self.save_path)

    def rebuild_model(self, round_num: int, input_tensor_dict: dict[str, np.ndarray], validation: bool = False) -> None:
        """Takes over the model a task starts from, and treats the optimiser as the plan says."""
        self.set_tensor_dict(input_tensor_dict)
        if self.opt_treatment == "RESET" and not validation:
            self.training_of_site.forget_optimiser()

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
        note_initial_card(self.save_path, card, tensors)

    # The tasks.

    def train_task(self, col_name: str, round_num: int, input_tensor_dict: dict[str, np.ndarray]) -> tuple[dict, dict]:
        """Trains ``steps_per_round`` steps from the given model.

        Returns:
            What goes to the aggregator: the network's tensors, ``train_loss``, and per structure the number of training cases
            that taught it; and an empty dict.
        """
        self.rebuild_model(round_num, input_tensor_dict)
        began = time.perf_counter()
        trained = self.training_of_site.train_round(col_name, round_num)
        self._log_of(col_name).event(
            round_number=round_num,
            phase="train",
            site=col_name,
            loss=trained.mean_loss,
            gradient_norm=trained.mean_gradient_norm,
            steps=len(trained.losses),
            seconds=round(time.perf_counter() - began, 3),
        )
        sent = {
            TensorKey(name, col_name, round_num, False, ("trained",)): values for name, values in self.get_tensor_dict().items()
        }
        sent[TensorKey("train_loss", col_name, round_num, True, ("metric",))] = np.array(trained.mean_loss)
        for channel, cases in enumerate(self.data_loader.train_cases_with()):
            name = f"train_cases/{channel:02d}/{self.structures[channel]}"
            sent[TensorKey(name, col_name, round_num, False, ("metric",))] = np.array(float(cases))
        return sent, {}

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
        trained = self._trained.now(input_tensor_dict)
        summary = validate_cases(self.predictor, self.data_loader, trained)
        mean = macro_mean(summary)
        self._log_of(col_name).event(
            round_number=round_num,
            phase="validate",
            site=col_name,
            **dice_facts(summary),
            seconds=round(time.perf_counter() - began, 3),
        )
        self._save(col_name, round_num, trained, summary, mean)
        sent = {TensorKey("mean_dice", col_name, round_num, True, ("metric", "validate")): np.array(mean)}
        for channel, (structure, entry) in enumerate(summary.items()):
            for what, value in (("dice", entry.mean), ("valid_cases", float(entry.num_scored))):
                name = f"{what}/{channel:02d}/{structure}"
                sent[TensorKey(name, col_name, round_num, False, ("metric", "validate"))] = np.array(value)
        return sent, {}

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

    def site_card(self, site: str, rounds: int, trained: Sequence[str], dice: Mapping[str, StructureDice]) -> ModelCard:
        """The card of a site's model after so many rounds, with what its own validation cases say of it."""
        return self.card(
            trained_structures=tuple(trained),
            site=site,
            federation=self.federation,
            round=rounds,
            validation_dice={name: None if math.isnan(entry.mean) else entry.mean for name, entry in dice.items()},
            fingerprint=self.data_loader.ct_fingerprint,
        )

    def kept_by(self, site: str) -> KeptModels:
        """The model files of the site; made when first asked for."""
        if self._kept is None:
            self._kept = KeptModels(self.save_path / site)
        return self._kept

    def _save(
        self, site: str, round_number: int, trained: tuple[str, ...], summary: dict[str, StructureDice], mean_dice: float
    ) -> None:
        card = self.site_card(site, round_number, trained, summary)
        self.kept_by(site).keep(card, network_state(self.network), mean_dice)

    def _log_of(self, site: str) -> RunLog:
        if self._log is None:
            self._log = RunLog(self.log_path / site)
        return self._log

    def _check_output(self) -> None:
        """Sends the shape of a patch through the network, so that a plan that cannot work fails before any patient is read.

        On the meta device: shapes alone, which costs neither time nor memory.
        """
        shape = tuple(self.data_loader.patch_voxels)
        try:
            with torch.no_grad():
                found = deepcopy(self.network).to("meta")(torch.zeros(1, 1, *shape, device="meta")).shape
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
