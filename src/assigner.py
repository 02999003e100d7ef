"""Which tasks a site does in which round: validate what arrived, then train; last of all validate what came out.

OpenFL validates the model a round starts from, so the model of the last training would never be seen. The last round therefore
only validates: ``rounds_to_train: R`` means R − 1 trainings and R validations, of the initial model and of each average.
"""

from openfl.component.assigner.assigner import Assigner

from src.errors import PlanSettingError
from src.plan_check import check_running_plan

# OpenFL marks tensors with these and with the site's name, in one and the same list.
_TAGS_OF_OPENFL = {
    "model",
    "trained",
    "metric",
    "validate",
    "aggregated",
    "delta",
    "compressed",
    "lossy_compressed",
    "analytics",
}


class ClosingValidationAssigner(Assigner):
    """Every site does the same: validation and training in each round, validation alone in the last.

    Args:
        tasks: the plan's tasks.
        authorized_cols: the sites of ``plan/cols.yaml``.
        rounds_to_train: rounds, the closing validation counted; at least 2.
        validation_task, training_task: names of the two tasks.

    Raises:
        PlanSettingError: no site, too few rounds, a task the plan does not have, or a site named like one of OpenFL's tags.
    """

    def __init__(
        self,
        *,
        tasks: dict,
        authorized_cols: list[str] | None,
        rounds_to_train: int,
        validation_task: str = "aggregated_model_validation",
        training_task: str = "train",
    ) -> None:
        check_running_plan()
        if rounds_to_train < 2:
            raise PlanSettingError(
                "aggregator.rounds_to_train: expected at least 2, one training and the closing validation, "
                f"found {rounds_to_train}"
            )
        for task in (validation_task, training_task):
            if task not in tasks:
                raise PlanSettingError(f"assigner: expected a task of the plan ({', '.join(sorted(tasks))}), found '{task}'")
        if not authorized_cols:
            raise PlanSettingError(
                "expected the names of the sites in plan/cols.yaml, found none; certify a collaborator first"
            )
        if taken := _TAGS_OF_OPENFL & set(authorized_cols):
            raise PlanSettingError(
                f"plan/cols.yaml: '{sorted(taken)[0]}' means something else to OpenFL; give that site another name"
            )
        self.validation_task, self.training_task = validation_task, training_task
        super().__init__(tasks=tasks, authorized_cols=authorized_cols, rounds_to_train=rounds_to_train)

    def define_task_assignments(self) -> None:
        """Nothing to prepare: the assignment follows from the round alone."""
        self.all_tasks_in_groups = [self.validation_task, self.training_task]

    def trains_in(self, round_number: int) -> bool:
        """Whether a round trains; the last one does not."""
        return round_number < self.rounds - 1

    def get_all_tasks_for_round(self, round_number: int) -> list[str]:
        """The tasks of a round, in the order they are done."""
        return [self.validation_task, self.training_task] if self.trains_in(round_number) else [self.validation_task]

    def get_tasks_for_collaborator(self, collaborator_name: str, round_number: int) -> list[str]:
        """The tasks of one site in a round: the same for every site."""
        return self.get_all_tasks_for_round(round_number)

    def get_collaborators_for_task(self, task_name: str, round_number: int) -> list[str]:
        """The sites that do a task in a round: all of them, or none when the round has no such task."""
        return list(self.authorized_cols) if task_name in self.get_all_tasks_for_round(round_number) else []
