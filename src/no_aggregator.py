"""What a plan without an aggregator names where OpenFL wants one: both refuse to be built, and say what to start instead.

OpenFL parses no plan without an ``aggregator`` section; ``fx aggregator start`` builds the assigner first, then the aggregator.
"""

from typing import NoReturn

from src.errors import PlanSettingError


class NoAggregator:
    """Stands in the plan for the aggregator that there is not.

    Args:
        rounds_to_train: rounds of training, which OpenFL wants to read here.
        init_state_path: where ``fx plan initialize`` writes the first weights.
        **passed_by_openfl: what OpenFL would give an aggregator.

    Raises:
        PlanSettingError: always.
    """

    def __init__(self, *, rounds_to_train: int, init_state_path: str, **passed_by_openfl) -> None:
        _refuse()


class NoAssigner:
    """Stands in the plan for the assigner that there is not.

    Args:
        **passed_by_openfl: what OpenFL would give an assigner.

    Raises:
        PlanSettingError: always.
    """

    def __init__(self, **passed_by_openfl) -> None:
        _refuse()


def _refuse() -> NoReturn:
    raise PlanSettingError(
        "this plan has no aggregator: its sites exchange with each other; start each with "
        "'fx collaborator start -n <site> -p <this plan>', and nothing else"
    )
