"""The aggregator a plan names: OpenFL's, with a guard before the average, a best model that means something, and an end.

OpenFL ends an aggregator from the main thread only, in a loop that asks ``all_quit_jobs_sent``, while everything that can go
wrong happens in gRPC's threads, where an exception reaches one site and nobody else. So a failure is kept here, told to every
site that asks for work, and raised from that loop: the process ends with its message and exit code.
"""

import logging
import time
from pathlib import Path

from openfl.component.aggregator import Aggregator
from openfl.protocols import utils
from openfl.utilities import TaskResultKey, TensorKey

from src.errors import FederationError, NoUsableUpdate, PlanSettingError
from src.evaluation.federation_dice import FederationDice, federation_dice
from src.initial_weights import check_initial_weights
from src.learning.site_update import SiteUpdate, UpdateFault, check_training, check_validation, read_update
from src.machine_fault import writing
from src.process_edge import run_edge
from src.round_report import RoundReport
from src.run_log import RunLog
from src.stop_signal import stops_on_signal

logger = logging.getLogger(__name__)
_LAST_WORDS_S = 1.0  # for the answer to the last site that was told to leave
_TELL_FAILURE_S = 10.0  # for the others to hear of a failure; sites that train hear of it when they come back


class SegmentationAggregator(Aggregator):
    """Averages the sites' networks, refuses what cannot be averaged, and keeps the best model by mean Dice.

    Args:
        aggregator_uuid, federation_uuid, authorized_cols, assigner, compression_pipeline, straggler_handling_policy,
            initial_tensor_dict: from OpenFL.
        rounds_to_train: rounds, the closing validation counted.
        init_state_path, best_state_path, last_state_path: files of the initial, best and last model.
        log_path: folder under which the aggregator gets one of its own.
        poll_s: whole seconds after which a site without work asks again, at least 1.
        db_store_rounds: rounds that OpenFL's tensor store keeps.

    Raises:
        PlanSettingError: a setting is impossible, or there is no initial model.
        ModelCardError: the initial model is not of the plan's network.
    """

    def __init__(
        self,
        *,
        aggregator_uuid: str,
        federation_uuid: str,
        authorized_cols: list[str],
        assigner,
        compression_pipeline,
        straggler_handling_policy,
        rounds_to_train: int,
        init_state_path: str,
        best_state_path: str,
        last_state_path: str,
        log_path: str = "logs",
        poll_s: int = 1,
        db_store_rounds: int = 1,
        initial_tensor_dict: dict | None = None,
    ) -> None:
        if not isinstance(poll_s, int) or poll_s < 1:
            raise PlanSettingError(f"aggregator.poll_s: expected whole seconds of at least 1, found {poll_s!r}")
        if compression_pipeline.is_lossy():
            raise PlanSettingError("compression_pipeline: expected a lossless one; use openfl.pipelines.NoCompressionPipeline")
        if initial_tensor_dict is None and not Path(init_state_path).is_file():
            raise PlanSettingError(
                f"expected the initial model at '{init_state_path}', found none; run 'fx plan initialize' first"
            )
        self.poll_s = poll_s
        self._failure: Exception | None = None
        self._told: set[str] = set()
        self._best: FederationDice | None = None
        self._report = RoundReport()
        super().__init__(
            aggregator_uuid,
            federation_uuid,
            authorized_cols,
            init_state_path,
            best_state_path,
            last_state_path,
            assigner,
            # Deltas would cost a site's untouched rows their bits: x + (y - x) is not y.
            use_delta_updates=False,
            straggler_handling_policy=straggler_handling_policy,
            rounds_to_train=rounds_to_train,
            compression_pipeline=compression_pipeline,
            db_store_rounds=db_store_rounds,
            initial_tensor_dict=initial_tensor_dict,
            callbacks=[],  # OpenFL's default list is shared by all aggregators of a process
            # It pickles, keeps every round, and hangs the next plan; a run is taken up with 'fx plan initialize -i last.pbuf'.
            persist_checkpoint=False,
        )
        tensors, _ = utils.deconstruct_model_proto(self.model, self.compression_pipeline)
        check_initial_weights(tensors, self.round_number, rounds_to_train)
        self._shapes = {name: values.shape for name, values in tensors.items()}
        self._log = RunLog(Path(log_path) / "aggregator")

    # What sites ask and send; gRPC's threads.

    def get_tasks(self, collaborator_name: str):
        """The site's tasks of the present round; none and ``poll_s`` when it has done them.

        Raises:
            FederationError: the aggregator failed and is about to end.
        """
        if self._failure is not None:
            self._told.add(collaborator_name)
            raise FederationError(f"the aggregator has stopped: {self._failure}")
        tasks, round_number, sleep_s, time_to_quit = super().get_tasks(collaborator_name)
        return tasks, round_number, min(sleep_s, self.poll_s), time_to_quit

    def process_task_results(self, collaborator_name, round_number, task_name, data_size, named_tensors) -> None:
        """Takes a site's results, or refuses them for this round; the last of a round ends it."""
        try:
            self._take(collaborator_name, round_number, task_name, data_size, named_tensors)
        except Exception as error:  # the edge of a gRPC thread: whatever it is, the main thread must end the process
            self._failure = self._failure or error
            self._told.add(collaborator_name)
            raise

    def _take(self, site: str, round_number: int, task_name: str, data_size: int, named_tensors) -> None:
        if round_number == self.round_number and task_name not in self.assigner.get_tasks_for_collaborator(site, round_number):
            logger.warning("%s sent results of %s, which is no task of round %d; ignored", site, task_name, round_number)
            return
        done = self._time_to_quit() or self._collaborator_task_completed(site, task_name, round_number)
        if not done and round_number == self.round_number:
            self._report.count_bytes(site, sum(tensor.ByteSize() for tensor in named_tensors))
            try:
                self._report.accept(task_name, site, self._checked(task_name, round_number, data_size, named_tensors))
            except UpdateFault as fault:
                logger.warning("round %d: refused %s of %s for this round: %s", round_number, task_name, site, fault)
                self._report.refuse(task_name, site, fault)
                named_tensors, data_size = [], 0
        super().process_task_results(site, round_number, task_name, data_size, named_tensors)

    def _checked(self, task_name: str, round_number: int, data_size: int, named_tensors) -> SiteUpdate:
        update = read_update(named_tensors, round_number, self.tensor_codec)
        if task_name == self.assigner.training_task:
            check_training(update, self._shapes, data_size)
        else:
            check_validation(update)
        return update

    # The end of a round.

    def _end_of_round_check(self) -> None:
        if self._end_of_round_check_done[self.round_number]:
            return
        round_number = self.round_number
        try:
            super()._end_of_round_check()
        finally:
            self._log.event(round_number=round_number, phase="aggregate", **self._report.facts())
            self._report = RoundReport()

    def _compute_validation_related_task_metrics(self, task_name: str) -> dict[str, float]:
        """Averages or scores one task over the sites that were not refused."""
        sites = self._report.accepted(task_name, self.collaborators_done)
        if task_name == self.assigner.training_task:
            name, value = "train_loss", self._average(task_name, sites)
        else:
            name, value = "mean_dice", self._score(task_name, sites)
        return {f"aggregator/{task_name}/{name}": value}

    def _average(self, task_name: str, sites: list[str]) -> float:
        """Makes the next model; returns the mean training loss."""
        cases = {site: self.collaborator_task_weight[TaskResultKey(task_name, site, self.round_number)] for site in sites}
        total = sum(cases.values())
        if total == 0:
            raise NoUsableUpdate(
                f"round {self.round_number}: expected the training of at least one site, {self._report.why_none()}"
            )
        weights = {site: count / total for site, count in cases.items() if count}
        function = self.assigner.get_aggregation_type_for_task(task_name)
        for name in self._shapes:
            key = TensorKey(name, self.uuid, self.round_number, False, ("trained",))
            mean = self.tensor_db.get_aggregated_tensor(key, weights, function)
            self._prepare_trained(name, self.uuid, self.round_number, False, mean)
        return self._report.set_train_loss(task_name, weights)

    def _score(self, task_name: str, sites: list[str]) -> float:
        """Dice of the model this round began with; keeps it when it is the best so far."""
        found = federation_dice(self._report.metrics(task_name, sites))
        best = found.better_than(self._best)
        self._report.set_dice(found, best)
        if best:
            self._best, self.best_model_score = found, found.mean
            logger.info("Round %d: best model so far, mean Dice %.4f", self.round_number, found.mean)
            self._save_model(self.round_number, self.best_state_path)
        if not found.num_scored:
            logger.warning("Round %d: no site has a validation case; no best model can be chosen", self.round_number)
        return found.mean

    def _save_model(self, round_number: int, file_path: str) -> None:
        """Writes a model beside its place and moves it there, so that a kill leaves the last whole one."""
        partial = f"{file_path}.partial"
        with writing(Path(file_path)):
            super()._save_model(round_number, partial)
            Path(partial).replace(file_path)

    # The end of the run; the main thread.

    def all_quit_jobs_sent(self) -> bool:
        """Waits until every site was told to leave; OpenFL's serving loop asks this, and stops the server on True."""
        with run_edge(), stops_on_signal(self._how_to_go_on()):
            while self._failure is None and not super().all_quit_jobs_sent():
                time.sleep(0.2)
            if self._failure is not None:
                self._tell_failure()
                raise self._failure
        time.sleep(_LAST_WORDS_S)
        return True

    def _how_to_go_on(self) -> str:
        return (
            f"the average of the last finished round, if there was one, is in '{self.last_state_path}', and 'fx plan "
            "initialize -i' goes on from it. Sites that hear nothing end after the plan's give_up_after_s"
        )

    def _tell_failure(self) -> None:
        deadline = time.monotonic() + _TELL_FAILURE_S + 2 * self.poll_s
        while self._told != set(self.authorized_cols) and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(_LAST_WORDS_S)
