"""The last rounds of a plan with an aggregator, done by one site alone from the shared model.

Rounds, steps and the learning rate go on where the shared rounds stopped. What pulls towards a shared model (FedProx's term)
does not: there is none any more.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path

import torch

from experiments.simulation.event_files import keep_events
from experiments.simulation.meter import CpuMeter
from experiments.simulation.runner import make_runner
from experiments.simulation.server_rounds import below, restore_site
from src.exchange.checkpoint import Checkpoints


def plan_of_finish(plan: dict, steps_per_round: int | None) -> dict:
    """The plan of a site alone; a copy.

    Args:
        steps_per_round: of the site; None leaves the plan's, which for pooled data are those of all sites.
    """
    plan = deepcopy(plan)
    settings = plan["task_runner"]["settings"]
    settings["proximal_mu"] = 0.0
    if steps_per_round is not None:
        settings["steps_per_round"] = steps_per_round
    return plan


class LocalFinish:
    """One site's rounds alone; goes on where its checkpoint ends.

    Args:
        plan: as ``plan_of_finish`` gives it.
        site: its name.
        data: its dataset.
        save, logs: folders under which the site gets one of its own; no other arm's.
        state: the site's own folder, gets the checkpoint after each round.
        cache: folder of prepared cases, one below it per site.
        branch: what ``ServerRounds.branch`` gives.

    Attributes:
        cpu_seconds: of the rounds that are done.
    """

    def __init__(
        self,
        plan: dict,
        site: str,
        data: Path,
        *,
        save: Path,
        logs: Path,
        state: Path,
        cache: Path,
        branch: tuple[Mapping[str, torch.Tensor], dict],
    ) -> None:
        self.site = site
        self.num_rounds = plan["aggregator"]["settings"]["rounds_to_train"] - 1
        self.runner = make_runner(plan, site, data, save, logs, cache)
        self.runner.set_optimizer_treatment("CONTINUE_LOCAL")
        self.runner.set_tensor_dict(self.runner.get_tensor_dict())
        self._checkpoints = Checkpoints(state)
        tensors, facts = self._checkpoints.load() or _beginning(branch, site, plan["collaborator"]["settings"]["opt_treatment"])
        self.round, self.cpu_seconds = facts["round"], facts["cpu_seconds"]
        self.model = {name: tensor.numpy() for name, tensor in below(tensors, "model").items()}
        restore_site(self.runner, site, below(tensors, "optimiser"), facts["best_dice"])

    def run(self, look: Callable[[], None] = lambda: None) -> None:
        """The rounds that are left: training, then validation of what came out.

        Args:
            look: called after each round.
        """
        while self.round < self.num_rounds:
            with CpuMeter() as meter:
                self.runner.train_task(self.site, self.round, self.model)
                self.model = self.runner.get_tensor_dict()
                self.runner.validate_task(self.site, self.round + 1, self.model, apply="global")
            self.round, self.cpu_seconds = self.round + 1, self.cpu_seconds + meter.take()
            self._checkpoints.save(*self._state())
            look()

    def _state(self) -> tuple[dict[str, torch.Tensor], dict]:
        optimiser = self.runner.training_of_site.optimiser_tensors()
        tensors = {f"model/{name}": torch.from_numpy(values) for name, values in self.model.items()}
        tensors |= {f"optimiser/{name}": tensor for name, tensor in optimiser.items()}
        best_dice = self.runner.kept_by(self.site).best_dice
        return tensors, {"round": self.round, "best_dice": best_dice, "cpu_seconds": self.cpu_seconds}


def keep_done(metrics: Path, state: Path) -> None:
    """Drops from a site's events what its checkpoint knows nothing of, since it is about to be done again.

    Args:
        metrics: the site's ``metrics.jsonl``.
        state: its state folder.
    """
    found = Checkpoints(state).load()
    done = 0 if found is None else found[1]["round"]
    # The validation of what a round came to bears the next one's number.
    keep_events(metrics, lambda event: event["round"] < done + (event["phase"] == "validate"))


def _beginning(
    branch: tuple[Mapping[str, torch.Tensor], dict], site: str, opt_treatment: str
) -> tuple[dict[str, torch.Tensor], dict]:
    """The shared model; with the site's own moments, if it has any and the plan keeps them when a model arrives."""
    tensors, facts = branch
    beginning = {f"model/{name}": tensor for name, tensor in below(tensors, "model").items()}
    if opt_treatment == "CONTINUE_LOCAL":
        optimiser = below(tensors, f"optimiser/{site}")
        beginning |= {f"optimiser/{name}": tensor for name, tensor in optimiser.items()}
    return beginning, {"round": facts["round"], "best_dice": float("-inf"), "cpu_seconds": 0.0}
