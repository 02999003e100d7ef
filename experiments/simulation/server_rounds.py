"""The rounds of a plan with an aggregator: FedAvg, FedProx, and pooled, which is the same with one dataset."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from experiments.simulation.averaging import Averaging
from experiments.simulation.meter import CpuMeter
from experiments.simulation.runner import make_runner
from src.evaluation.federation_dice import FederationDice
from src.exchange.checkpoint import Checkpoints
from src.plan_signature import import_template
from src.task_runner import SegmentationTaskRunner


class ServerRounds:
    """All sites and the aggregator of one run; goes on where its checkpoint ends.

    Args:
        plan: checked, of the kind with an aggregator.
        data: dataset folder by site.
        output: gets ``save`` and ``logs``.
        state: gets the checkpoint after each round.
        cache: folder of prepared cases, one below it per site.

    Attributes:
        round: the next one; ``num_rounds`` counts the closing validation.
        cpu_seconds: of each site's tasks, in the rounds that are done.
    """

    def __init__(self, plan: dict, data: Mapping[str, Path], output: Path, state: Path, cache: Path) -> None:
        self.plan, self.tasks = plan, _tasks(plan)
        self.num_rounds, self.round = plan["aggregator"]["settings"]["rounds_to_train"], 0
        self.runners = {
            site: make_runner(plan, site, path, output / "save", output / "logs", cache) for site, path in sorted(data.items())
        }
        assigner = plan["assigner"]
        self.assigner = import_template("assigner", assigner["template"])(
            tasks=self.tasks,
            authorized_cols=list(self.runners),
            rounds_to_train=self.num_rounds,
            **assigner.get("settings") or {},
        )
        self.averaging = Averaging(plan, self.assigner, self.runners, output)
        self.cpu_seconds = dict.fromkeys(self.runners, 0.0)
        for runner in self.runners.values():
            runner.set_optimizer_treatment(plan["collaborator"]["settings"]["opt_treatment"])
            # What was trained is told from the weights a run began with, also after a restart.
            runner.set_tensor_dict(self.averaging.model)
        self._checkpoints, self._branches = Checkpoints(state / "rounds"), Checkpoints(state / "branch")
        found = self._checkpoints.load()
        if found is not None:
            self._restore(*found)

    def run(self, branch_round: int | None = None, look: Callable[[], None] = lambda: None) -> None:
        """The rounds that are left.

        Args:
            branch_round: before which all that a site would need to go on alone is put aside, see ``branch``; None for nothing.
            look: called after each site's turn.
        """
        progress = tqdm(initial=self.round, total=self.num_rounds, desc="rounds", disable=None, leave=False)
        with progress:
            while self.round < self.num_rounds:
                if self.round == branch_round:
                    self._branches.save(*self._state())
                for site in self.runners:
                    self._turn(site)
                    look()
                self.averaging.end_round(self.round)
                self.round += 1
                self._checkpoints.save(*self._state())
                progress.update()

    def branch(self) -> tuple[dict[str, torch.Tensor], dict]:
        """What was put aside: tensors ``model/…`` and ``optimiser/<site>/…``, and the facts of the checkpoint."""
        found = self._branches.load()
        assert found is not None, "the branch is written before its round begins"
        return found

    def _turn(self, site: str) -> None:
        """One site's tasks of a round, in the assigner's order."""
        runner, meter = self.runners[site], CpuMeter()
        for name in self.assigner.get_tasks_for_collaborator(site, self.round):
            task = self.tasks[name]
            with meter:
                results, _ = getattr(runner, task["function"])(
                    col_name=site, round_num=self.round, input_tensor_dict=self.averaging.model, **task.get("kwargs") or {}
                )
            trains = name == self.assigner.training_task
            num_cases = runner.get_train_data_size() if trains else runner.get_valid_data_size()
            self.averaging.take(site, name, self.round, results, num_cases)
        self.cpu_seconds[site] += meter.take()

    def _state(self) -> tuple[dict[str, torch.Tensor], dict]:
        tensors = {f"model/{name}": torch.from_numpy(values) for name, values in self.averaging.model.items()}
        for site, runner in self.runners.items():
            optimiser = runner.training_of_site.optimiser_tensors()
            tensors |= {f"optimiser/{site}/{name}": tensor for name, tensor in optimiser.items()}
        best = self.averaging.best
        facts = {
            "round": self.round,
            "best": None if best is None else asdict(best),
            "best_dice": {site: runner.kept_by(site).best_dice for site, runner in self.runners.items()},
            "cpu_seconds": self.cpu_seconds,
        }
        return tensors, facts

    def _restore(self, tensors: Mapping[str, torch.Tensor], facts: dict) -> None:
        self.round, self.cpu_seconds = facts["round"], facts["cpu_seconds"]
        self.averaging.model = {name: tensors[f"model/{name}"].numpy() for name in self.averaging.model}
        self.averaging.best = None if facts["best"] is None else FederationDice(**facts["best"])
        for site, runner in self.runners.items():
            restore_site(runner, site, below(tensors, f"optimiser/{site}"), facts["best_dice"][site])


def below(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose name begins with ``<prefix>/``, without it."""
    return {name.removeprefix(f"{prefix}/"): tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}/")}


def restore_site(runner: SegmentationTaskRunner, site: str, optimiser: Mapping[str, torch.Tensor], best_dice: float) -> None:
    """Gives a fresh runner the optimiser's state and the memory of its best model."""
    runner.training_of_site.restore_optimiser(optimiser)
    runner.kept_by(site).best_dice = best_dice


def _tasks(plan: dict) -> dict[str, dict]:
    """The plan's tasks, with the aggregation functions themselves, as OpenFL gives them to its assigner."""
    tasks = {}
    for name, task in plan["tasks"].items():
        if name == "settings":
            continue
        tasks[name] = dict(task)
        if "aggregation_type" in task:
            template = import_template(f"tasks.{name}.aggregation_type", task["aggregation_type"]["template"])
            tasks[name]["aggregation_type"] = template(**task["aggregation_type"].get("settings") or {})
    return tasks
