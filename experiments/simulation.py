"""``python -m experiments.simulation``: a federation without a server in one process, round by round.

The same loaders, learners, exchange and files as with real processes; only the network between the sites is in memory, and the
sites take turns. A test holds both to the same numbers. For trying out rules on validation patients.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from tqdm import tqdm

from experiments.command import exit_code_of
from experiments.federation.plan import change_plan, plan_bytes, read_plan, set_rounds
from experiments.federation.progress import MetricsReader
from experiments.federation.results import merge_metrics, write_config, write_summary
from experiments.federation.scheme import scheme_of
from experiments.federation.traffic import traffic_of_exchanges
from experiments.federation.workspaces import find_sites
from src.data.dataset import TOOL
from src.errors import FederationError, PlanSettingError
from src.exchange.closing import Closing
from src.exchange.collaborator import read_settings
from src.exchange.gossip import GossipSite
from src.exchange.in_memory import InMemoryNetwork, InMemoryTransport
from src.exchange.membership import Membership, roster_digest
from src.exchange.settings import ExchangeSettings, TimingSettings
from src.learning.peer_learner import PeerLearner
from src.learning.peer_settings import CompletionSettings, LearningSettings
from src.model.state import network_state, state_digest
from src.peer_plan import is_peer_plan
from src.plan_sections import check_plan
from src.plan_signature import import_template
from src.run_log import RunLog


def simulate(
    plan: dict, plan_name: str, data: Path, output: Path, *, cache: Path | None = None, console: Console | None = None
) -> Path:
    """Runs a gossip, cyclic or individual plan in lock-step.

    Args:
        plan: parsed; its roster becomes that of the datasets.
        plan_name: for the summary.
        data: folder with one dataset per site.
        output: the run folder; made, must not be there or be empty. It gets the files a federation's run folder has.
        cache: folder of prepared cases, kept between runs; by default inside ``output``.

    Returns:
        ``output``.

    Raises:
        OarError: a setting or a dataset was refused.
    """
    console = console or Console()
    if output.exists() and any(output.iterdir()):
        raise FederationError(f"expected an empty or new run folder, found '{output.name}' in use; choose another --output")
    if not is_peer_plan(plan):
        raise PlanSettingError("a simulation has no aggregator: expected a gossip, cyclic or individual plan")
    datasets = find_sites(data)
    scheme_of(plan, list(datasets))
    check_plan(plan)
    output.mkdir(parents=True, exist_ok=True)
    write_config(output, plan_bytes(plan), datasets, {"plan": plan_name, "command": sys.argv, "simulated": True})
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=output) as state:
        sites = make_sites(plan, {site: dataset.path for site, dataset in datasets.items()}, output, Path(state), cache)
        run_in_turns(list(sites.values()))
    reader = MetricsReader({site: output / "logs" / site / "metrics.jsonl" for site in datasets})
    reader.read()
    merge_metrics(output, reader.events)
    traffic = {site: traffic_of_exchanges(events) for site, events in reader.events.items()}
    summary = write_summary(output, plan_name, reader.events, traffic, time.monotonic() - began)
    console.print(summary, highlight=False, soft_wrap=True)
    return output


def make_sites(
    plan: dict, data: dict[str, Path], output: Path, state: Path, cache: Path | None = None
) -> dict[str, GossipSite]:
    """The sites of a plan in one process, connected in memory, each as ``fx collaborator start`` would make it.

    Args:
        plan: checked, with the roster of ``data``.
        data: dataset folder by site.
        output: gets ``save`` and ``logs``.
        state: gets each site's state folder.
        cache: see ``simulate``.
    """
    network = InMemoryNetwork()
    return {site: _make_site(plan, site, path, output, state, cache, network) for site, path in sorted(data.items())}


def run_in_turns(sites: Sequence[GossipSite]) -> None:
    """All rounds of all sites, one site after the other in each, and the end of the run."""
    for site in sites:
        site.resume()
    rounds = max(site.rounds - site.round for site in sites)
    for _ in tqdm(range(rounds), desc="rounds", disable=None, leave=False):
        for site in sites:
            if site.round < site.rounds:
                site.step()
    for site in sites:
        if site.fetcher is None:
            site.finish_alone()
        else:
            Closing(site).finish()
    for site in sites:
        if site.fetcher is not None:
            Closing(site).serve_on()


def _make_site(
    plan: dict, site: str, data: Path, output: Path, state: Path, cache: Path | None, network: InMemoryNetwork
) -> GossipSite:
    settings = plan["collaborator"]["settings"]
    exchange = read_settings("exchange", ExchangeSettings, {**settings["exchange"], "lock_step": True})
    runner = _make_runner(plan, site, data, output, cache or output / "cache")
    learner = PeerLearner(
        runner,
        site=site,
        learning=read_settings("learning", LearningSettings, settings["learning"]),
        completion=read_settings("completion", CompletionSettings, settings["completion"]),
        warm_up_rounds=exchange.warm_up_rounds,
    )
    membership = Membership(
        federation_id="simulation",
        run_id=settings["run_id"],
        roster_digest=roster_digest(settings["roster"]),
        architecture_hash=runner.card().architecture_hash(),
        initial_digest=state_digest(network_state(runner.network)),
    )
    made = GossipSite(
        site=site,
        roster=settings["roster"],
        rounds=settings["rounds"],
        epoch=1,
        exchange=exchange,
        timing=read_settings("timing", TimingSettings, settings["timing"]),
        membership=membership,
        learner=learner,
        transport=None if exchange.schedule == "none" else InMemoryTransport(network, site),
        state_folder=state / site,
        log=RunLog(runner.log_path / site).event,
        code_version=TOOL,
    )
    network.register(site, made.served)
    return made


def _make_runner(plan: dict, site: str, data: Path, output: Path, cache: Path):
    loader, task_runner = plan["data_loader"], plan["task_runner"]
    data_loader = import_template("data_loader", loader["template"])(
        data_path=str(data), **{**loader["settings"], "cache_path": str(cache / site)}
    )
    runner = import_template("task_runner", task_runner["template"])(
        data_loader=data_loader,
        **{**task_runner["settings"], "save_path": str(output / "save"), "log_path": str(output / "logs")},
    )
    runner.federation = "simulation"
    return runner


def main() -> None:
    """Reads the command line and simulates one plan."""
    parser = argparse.ArgumentParser(prog="python -m experiments.simulation", description=__doc__)
    parser.add_argument("--plan", required=True, help="a folder of plan/plans, such as gossip_head_neck")
    parser.add_argument("--data", required=True, type=Path, help="folder with one dataset per site")
    parser.add_argument("--output", required=True, type=Path, help="run folder")
    parser.add_argument("--rounds", type=int, help="training rounds; the learning rate decays over them")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="section.settings.key=value")
    parser.add_argument("--cache", type=Path, help="folder for prepared cases, kept between runs")
    given = parser.parse_args()
    plan = read_plan(given.plan)
    if given.rounds is not None:
        set_rounds(plan, given.rounds)
    change_plan(plan, given.changes)
    print(f"saved: {simulate(plan, given.plan, given.data, given.output, cache=given.cache)}")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
