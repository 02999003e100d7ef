"""Who does what in which round."""

import pytest

from src.assigner import ClosingValidationAssigner
from src.errors import PlanSettingError

TASKS = {"aggregated_model_validation": {"function": "validate_task"}, "train": {"function": "train_task"}}


def assigner(**changes) -> ClosingValidationAssigner:
    return ClosingValidationAssigner(**{"tasks": TASKS, "authorized_cols": ["a", "b"], "rounds_to_train": 3, **changes})


def test_every_round_validates_first_and_the_last_does_nothing_else():
    found = [assigner().get_tasks_for_collaborator("b", round_number) for round_number in range(3)]
    both = ["aggregated_model_validation", "train"]
    assert found == [both, both, both[:1]]
    assert [assigner().get_all_tasks_for_round(round_number) for round_number in range(3)] == found


def test_every_site_does_every_task_of_a_round():
    assert assigner().get_collaborators_for_task("train", 1) == ["a", "b"]
    assert assigner().get_collaborators_for_task("train", 2) == []
    assert assigner().get_collaborators_for_task("aggregated_model_validation", 2) == ["a", "b"]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"rounds_to_train": 1}, "at least 2"),
        ({"training_task": "trian"}, "'trian'"),
        ({"authorized_cols": []}, "cols.yaml"),
        ({"authorized_cols": None}, "cols.yaml"),  # an empty 'collaborators:' of cols.yaml
        ({"authorized_cols": ["a", "model"]}, "'model'"),
    ],
)
def test_what_cannot_work_is_refused(changes, message):
    with pytest.raises(PlanSettingError, match=message):
        assigner(**changes)


def test_an_unknown_setting_is_no_setting():
    with pytest.raises(TypeError, match="task_groups"):
        assigner(task_groups=[])
