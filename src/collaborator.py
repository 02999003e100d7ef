"""The collaborator a FedAvg or FedProx plan names: OpenFL's, with bounded patience and an exit code."""

from openfl.component.collaborator import Collaborator

from src.aggregator_link import AggregatorLink
from src.errors import PlanSettingError
from src.process_edge import process_edge, run_edge
from src.stop_signal import stops_on_signal

OPTIMISER_TREATMENTS = ("RESET", "CONTINUE_LOCAL")
_HOW_TO_GO_ON = (
    "the aggregator waits for this site as long as its plan lets it; start it with the same command and it takes part in the "
    "present round"
)
_SHORTEST_PATIENCE_S = 6  # OpenFL's aggregator delays a refusal by up to 5 s; who leaves earlier never learns the reason


class AveragingCollaborator(Collaborator):
    """Works for the aggregator until it is told to leave, or until the aggregator is given up.

    Args:
        collaborator_name, aggregator_uuid, federation_uuid, client, task_runner, task_config, compression_pipeline,
            secure_aggregation: from OpenFL.
        give_up_after_s: seconds without an answer after which the process ends, at least 6. An upload is answered when the
            aggregator has taken it, after those of the other sites that came first and, for the last one, after the average;
            so this must be longer than all of them together.
        opt_treatment: RESET forgets the optimiser's state with each new model, CONTINUE_LOCAL keeps the site's own.
        db_store_rounds: rounds that OpenFL's tensor store keeps.

    Raises:
        PlanSettingError: a setting is impossible.
    """

    def __init__(
        self,
        *,
        collaborator_name: str,
        aggregator_uuid: str,
        federation_uuid: str,
        client,
        task_runner,
        task_config: dict,
        compression_pipeline,
        secure_aggregation: bool,
        give_up_after_s: float,
        opt_treatment: str = "RESET",
        db_store_rounds: int = 1,
    ) -> None:
        _check_patience(give_up_after_s)
        if opt_treatment not in OPTIMISER_TREATMENTS:
            raise PlanSettingError(
                f"collaborator.opt_treatment: expected {' or '.join(OPTIMISER_TREATMENTS)}, found '{opt_treatment}'; "
                "the optimiser's state is never sent"
            )
        if secure_aggregation:
            raise PlanSettingError(
                "aggregator.secure_aggregation: OpenFL's masks can be rebuilt by the aggregator; leave it out"
            )
        super().__init__(
            collaborator_name,
            aggregator_uuid,
            federation_uuid,
            AggregatorLink(client, give_up_after_s),
            task_runner,
            task_config,
            opt_treatment=opt_treatment,
            use_delta_updates=False,
            compression_pipeline=compression_pipeline,
            db_store_rounds=db_store_rounds,
            callbacks=[],  # OpenFL's default list is shared by all collaborators of a process
        )
        # Stands in the card of every model the site saves.
        task_runner.federation = federation_uuid

    def run(self) -> None:
        """Works until the aggregator says to leave; the process ends with the error's exit code when something is wrong."""
        with run_edge(), stops_on_signal(_HOW_TO_GO_ON):
            super().run()

    def ping(self) -> None:
        """Asks the aggregator for a sign of life; ends as ``run`` does."""
        with process_edge():
            super().ping()


def _check_patience(give_up_after_s: float) -> None:
    number = isinstance(give_up_after_s, int | float) and not isinstance(give_up_after_s, bool)
    if not number or not _SHORTEST_PATIENCE_S <= give_up_after_s < float("inf"):
        raise PlanSettingError(
            f"collaborator.give_up_after_s: expected seconds of at least {_SHORTEST_PATIENCE_S}, found {give_up_after_s!r}"
        )
