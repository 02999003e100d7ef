"""The aggregator's part of a round, in memory: what ``SegmentationAggregator`` does between OpenFL's calls, with its parts.

Results are encoded, counted, decoded and checked as on a real way from a site to the aggregator.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from openfl.pipelines import TensorCodec
from openfl.protocols.utils import construct_named_tensor
from openfl.utilities import LocalTensor, TensorKey

from experiments.federation.workspaces import AGGREGATOR
from src.errors import NoUsableUpdate
from src.evaluation.federation_dice import FederationDice, federation_dice
from src.learning.site_update import SiteUpdate, UpdateFault, check_training, check_validation, read_update
from src.model.kept_models import KeptModels
from src.model.trained_structures import TrainedStructures
from src.plan_signature import import_template
from src.round_report import RoundReport
from src.run_log import RunLog
from src.task_runner import SegmentationTaskRunner

logger = logging.getLogger(__name__)
_LOSSLESS = {"template": "openfl.pipelines.NoCompressionPipeline"}


class Averaging:
    """The shared model: takes the sites' results of a round, averages them, and keeps the last and the best model.

    Args:
        plan: checked, of the kind with an aggregator.
        assigner: the plan's; it holds the aggregation function.
        runners: of the sites, by name, all with the weights they begin with.
        output: gets ``save/aggregator`` and ``logs/aggregator``.
    """

    def __init__(self, plan: dict, assigner, runners: Mapping[str, SegmentationTaskRunner], output: Path) -> None:
        self.assigner, self.sites = assigner, sorted(runners)
        self._runner = runners[self.sites[0]]
        self.model = self._runner.get_tensor_dict()
        self.best: FederationDice | None = None
        pipeline = plan.get("compression_pipeline") or _LOSSLESS
        self._codec = TensorCodec(
            import_template("compression_pipeline", pipeline["template"])(**pipeline.get("settings") or {})
        )
        self._shapes = {name: values.shape for name, values in self.model.items()}
        cases_C = np.sum([runner.data_loader.train_cases_with() for runner in runners.values()], axis=0)
        self._trained = TrainedStructures(self._runner.structures, cases_C, self.model, self._runner.save_path)
        self._kept = KeptModels(output / "save" / AGGREGATOR)
        self._log = RunLog(output / "logs" / AGGREGATOR)
        self._begin()

    def take(self, site: str, task: str, round_number: int, results: Mapping[TensorKey, np.ndarray], num_cases: int) -> None:
        """Takes what one task of one site came to, or refuses it for this round.

        Args:
            results: as the task gave them.
            num_cases: of the site, training or validation as the task is.
        """
        named = [self._named(key, values) for key, values in results.items()]
        self._report.count_bytes(site, sum(tensor.ByteSize() for tensor in named))
        try:
            update = read_update(named, round_number, self._codec)
            if task == self.assigner.training_task:
                check_training(update, self._shapes, num_cases)
            else:
                check_validation(update)
        except UpdateFault as fault:
            logger.warning("round %d: refused %s of %s for this round: %s", round_number, task, site, fault)
            self._report.refuse(task, site, fault)
            return
        self._report.accept(task, site, update)
        if task == self.assigner.training_task:
            self._updates[site], self._cases[site] = update, num_cases

    def end_round(self, round_number: int) -> None:
        """Keeps the model this round began with, and makes the next one where the round trained.

        Raises:
            NoUsableUpdate: not one site's training can be used.
        """
        try:
            self._score(round_number)
            if self.assigner.trains_in(round_number):
                self.model = self._average(round_number)
        finally:
            self._log.event(round_number=round_number, phase="aggregate", **self._report.facts())
            self._begin()

    def _begin(self) -> None:
        self._report = RoundReport()
        self._updates: dict[str, SiteUpdate] = {}
        self._cases: dict[str, int] = {}

    def _named(self, key: TensorKey, values: np.ndarray):
        """As OpenFL's collaborator encodes what is no delta."""
        compressed_key, data, metadata = self._codec.compress(key, values, require_lossless=True)
        return construct_named_tensor(compressed_key, data, metadata, lossless=True)

    def _score(self, round_number: int) -> None:
        task = self.assigner.validation_task
        found = federation_dice(self._report.metrics(task, self._report.accepted(task, self.sites)))
        is_best = found.better_than(self.best)
        self._report.set_dice(found, is_best)
        card = self._runner.card(
            trained_structures=self._trained.now(self.model),
            site=AGGREGATOR,
            federation=self._runner.federation,
            round=round_number,
            validation_dice={name: None if math.isnan(value) else value for name, value in found.by_structure.items()},
        )
        self._kept.write("last", card, self.model)
        if is_best:
            self.best = found
            self._kept.write("best", card, self.model)

    def _average(self, round_number: int) -> dict[str, np.ndarray]:
        total = sum(self._cases.values())
        if total == 0:
            raise NoUsableUpdate(f"round {round_number}: expected the training of at least one site, {self._report.why_none()}")
        task = self.assigner.training_task
        shares = {site: count / total for site, count in sorted(self._cases.items()) if count}
        function = self.assigner.get_aggregation_type_for_task(task)
        metrics = self._metric_rows(round_number, sorted(shares))
        model = {}
        for name, previous in self.model.items():
            parts = [LocalTensor(site, self._updates[site].tensors[name], share) for site, share in shares.items()]
            rows = [{"tensor_name": name, "round": round_number, "tags": ("model",), "nparray": previous}, *metrics]
            model[name] = function.call(parts, rows, name, round_number, ("trained",))
        self._report.set_train_loss(task, shares)
        return model

    def _metric_rows(self, round_number: int, sites: Sequence[str]) -> list[dict]:
        """The sites' metrics as rows of OpenFL's tensor store."""
        return [
            {"tensor_name": name, "round": round_number, "tags": ("metric", site), "nparray": np.array(value)}
            for site in sites
            for name, value in self._updates[site].metrics.items()
        ]
