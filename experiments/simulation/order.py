"""What is to be simulated, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from experiments.federation.results import describe_dataset
from experiments.federation.traffic import Traffic
from experiments.silent_site import SilentSite
from src.data.dataset import Dataset
from src.errors import PlanSettingError
from src.peer_plan import is_peer_plan


@dataclass(frozen=True, kw_only=True)
class Order:
    """One run; see ``simulate``.

    Attributes:
        finish_rounds: 0 without a local finish; the two after it then mean nothing.
        finish_datasets: of the sites that finish, by name.
        silent: the site that falls silent in the middle, if one does.
    """

    plan: dict
    plan_name: str
    scheme: str
    datasets: Mapping[str, Dataset]
    output: Path
    cache: Path
    finish_rounds: int
    finish_datasets: Mapping[str, Dataset]
    finish_steps_per_round: int | None
    console: Console
    silent: SilentSite | None = None

    @property
    def finish_arm(self) -> str:
        """Name of the arm of the local finish."""
        return f"{self.scheme}_local"

    @property
    def state(self) -> Path:
        """Folder of what is needed to go on."""
        return self.output / "state"

    def paths(self) -> dict[str, Path]:
        """Dataset folders by site."""
        return {site: dataset.path for site, dataset in self.datasets.items()}

    def identity(self) -> dict:
        """What makes the run this one, beside plan and datasets; plain values."""
        return {
            "plan": self.plan_name,
            "scheme": self.scheme,
            "local_finish_rounds": self.finish_rounds,
            "finish_steps_per_round": self.finish_steps_per_round,
            "finish_sites": {site: describe_dataset(dataset) for site, dataset in self.finish_datasets.items()},
            "silent": asdict(self.silent) if self.silent else None,
        }

    def check_finish(self) -> None:
        """Refuses a local finish that cannot be.

        Raises:
            PlanSettingError: the plan has no aggregator, or not as many rounds.
        """
        if not self.finish_rounds:
            return
        if is_peer_plan(self.plan):
            raise PlanSettingError(
                "local_finish_rounds: expected 0 for a plan whose sites exchange with each other, found "
                f"{self.finish_rounds}; set collaborator.settings.exchange.local_rounds_at_end"
            )
        rounds = self.plan["aggregator"]["settings"]["rounds_to_train"] - 1
        if not 0 < self.finish_rounds < rounds:
            raise PlanSettingError(
                f"local_finish_rounds: expected 0 to {rounds - 1}, below the plan's {rounds} training rounds, found "
                f"{self.finish_rounds}"
            )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run came to.

    Attributes:
        events: of the sites, and of the aggregator where there is one, by name.
        traffic, cpu_seconds: by site.
        models: as they stand in ``models.json``.
        exchanges, local_finish: as they stand in ``cost.json``.
    """

    events: Mapping[str, Sequence[dict]]
    traffic: Mapping[str, Traffic]
    cpu_seconds: Mapping[str, float]
    models: list[dict]
    exchanges: list[dict]
    local_finish: dict | None = None
