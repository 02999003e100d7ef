"""One plan, simulated from datasets to a run folder."""

import sys
from copy import deepcopy
from pathlib import Path

from rich.console import Console

from experiments.federation.results import merge_metrics, model_bytes, write_summary
from experiments.federation.workspaces import find_sites
from experiments.silent_site import SilentSite, check_silent_site
from experiments.simulation.cost import site_costs
from experiments.simulation.meter import Stopwatch
from experiments.simulation.model_list import check_models
from experiments.simulation.order import Order
from experiments.simulation.peer_run import run_peers
from experiments.simulation.run_folder import RunFolder
from experiments.simulation.server_run import run_server
from src.peer_plan import is_peer_plan
from src.plan_sections import check_plan


def simulate(
    plan: dict,
    plan_name: str,
    data: Path,
    output: Path,
    *,
    scheme: str | None = None,
    cache: Path | None = None,
    local_finish_rounds: int = 0,
    finish_data: Path | None = None,
    finish_steps_per_round: int | None = None,
    silent: SilentSite | None = None,
    resume: bool = False,
    console: Console | None = None,
) -> Path:
    """Runs a plan of either kind in one process: with an aggregator, or in lock-step without one.

    Args:
        plan: parsed; not changed. A roster becomes that of the datasets.
        plan_name: for the summary, ``<scheme>_<anatomy>``.
        data: folder with one dataset per site.
        output: the run folder; made. It gets the files a federation's run folder has, and ``models.json``, ``cost.json`` and,
            last of all, ``done.json``.
        scheme: name of the arms; by default what the plan's name begins with.
        cache: folder of prepared cases, one below it per site, kept between runs; by default inside ``output``.
        local_finish_rounds: of a plan with an aggregator, the last rounds that each site does alone as well, from the model
            that is shared before them (arm ``<scheme>_local``, in ``save/<scheme>_local/<site>``, its metrics in
            ``local_finish.jsonl``); 0 leaves it out.
        finish_data: the sites that finish, when they are not those of ``data``: pooled data are nobody's own.
        finish_steps_per_round: of a site that finishes; by default the plan's.
        silent: a site of a plan without an aggregator that falls silent in the middle: the others' next exchanges with it
            fail at once, as they would after the plan's timeouts, and its model of the round before is what it keeps.
        resume: goes on with a run that was stopped; one that is done is left as it is.
        console: where to say what is going on.

    Returns:
        ``output``.

    Raises:
        OarError: a setting or a dataset was refused, or the folder is in use or of another run.
    """
    plan, datasets = deepcopy(plan), find_sites(data)
    if is_peer_plan(plan):
        plan["collaborator"]["settings"]["roster"] = sorted(datasets)
    check_plan(plan)
    if silent is not None:
        check_silent_site(silent, plan, datasets)
    finish_datasets = find_sites(finish_data) if finish_data else datasets
    order = Order(
        plan=plan,
        plan_name=plan_name,
        scheme=scheme or plan_name.split("_")[0],
        datasets=datasets,
        output=output,
        cache=cache or output / "cache",
        finish_rounds=local_finish_rounds,
        finish_datasets=finish_datasets if local_finish_rounds else {},
        finish_steps_per_round=finish_steps_per_round,
        console=console or Console(),
        silent=silent,
    )
    order.check_finish()
    folder = RunFolder(output, plan, datasets, order.identity())
    folder.check(resume=resume)
    if folder.is_done:
        folder.clear()
    else:
        with folder.at_work():
            _run(order, folder)
    return output


def _run(order: Order, folder: RunFolder) -> None:
    folder.begin({"command": sys.argv, "simulated": True})
    stopwatch = Stopwatch(folder.state / "wall_seconds.json")
    outcome = (run_peers if is_peer_plan(order.plan) else run_server)(order, stopwatch)
    check_models(order.output, outcome.models)
    merge_metrics(order.output, outcome.events)
    events = {site: outcome.events[site] for site in order.datasets}
    order.console.print(
        write_summary(order.output, order.plan_name, events, outcome.traffic, stopwatch.seconds),
        highlight=False,
        soft_wrap=True,
    )
    folder.write("models.json", outcome.models)
    folder.write(
        "cost.json",
        {
            "model_bytes": model_bytes(order.output, order.datasets),
            "sites": site_costs(order.datasets, events, outcome.traffic, outcome.cpu_seconds),
            "exchanges": outcome.exchanges,
            "local_finish": outcome.local_finish,
            "wall_seconds": round(stopwatch.seconds, 1),
        },
    )
    folder.finish(stopwatch.seconds)
