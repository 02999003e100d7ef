"""The rounds of a plan without a server: gossip, cyclic, individual. The sites take turns, in lock-step."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from tqdm import tqdm

from experiments.simulation.meter import CpuMeter
from experiments.simulation.runner import FEDERATION, make_runner
from experiments.simulation.silence import NOBODY, Silence
from src.data.dataset import TOOL
from src.exchange.closing import Closing
from src.exchange.collaborator import read_settings
from src.exchange.gossip import GossipSite
from src.exchange.in_memory import InMemoryNetwork, InMemoryTransport
from src.exchange.membership import Membership, roster_digest
from src.exchange.settings import ExchangeSettings, TimingSettings
from src.learning.peer_learner import PeerLearner
from src.learning.peer_settings import CompletionSettings, LearningSettings
from src.model.state import network_state, state_digest
from src.run_log import RunLog


def make_sites(
    plan: dict,
    data: Mapping[str, Path],
    output: Path,
    state: Path,
    cache: Path,
    meters: Mapping[str, CpuMeter],
    silence: Silence = NOBODY,
) -> dict[str, GossipSite]:
    """The sites of a plan in one process, connected in memory, each as ``fx collaborator start`` would make it.

    Args:
        plan: checked, with the roster of ``data``.
        data: dataset folder by site.
        output: gets ``save`` and ``logs``.
        state: gets each site's state folder.
        cache: folder of prepared cases, one below it per site.
        meters: by site; each event of a site gets ``cpu_seconds``, what its meter took since the one before.
        silence: of a site, in the middle of the run.
    """
    network = InMemoryNetwork()
    silence.of_network(network)
    return {
        site: _make_site(plan, site, path, output, state / site, cache, network, meters[site], silence)
        for site, path in sorted(data.items())
    }


def run_in_turns(
    sites: Sequence[GossipSite],
    at_work: Callable[[GossipSite], AbstractContextManager] = nullcontext,
    look: Callable[[], None] = lambda: None,
    silence: Silence = NOBODY,
) -> None:
    """All rounds of all sites, one site after the other in each, and the end of the run.

    Args:
        sites: of one roster; of those that go on with a run, who is behind goes first, since the others need its models.
        at_work: entered while a site learns, exchanges or ends.
        look: called after each turn.
        silence: what the sites were made with.
    """
    for site in sites:
        site.resume()
    for number in tqdm(range(max(site.rounds for site in sites)), desc="rounds", disable=None, leave=False):
        silence.begins_at(number)
        for site in sites:
            if site.round == number < site.rounds and silence.takes_part(site.site, number):
                with at_work(site):
                    site.step()
                look()
    present = [site for site in sites if silence.takes_part(site.site, site.rounds)]
    for site in present:
        with at_work(site):
            _finish(site)
        look()
    for site in present:
        if site.fetcher is not None:
            with at_work(site):
                Closing(site).serve_on()
    for site in sites:
        if site not in present:
            _report_sent(site)


def _finish(site: GossipSite) -> None:
    if site.fetcher is not None:
        Closing(site).finish()
    elif not site.closed:
        site.finish_alone()


def _report_sent(site: GossipSite) -> None:
    """What a site that is gone sent after its last event; it cannot say so itself, and the costs are to be whole."""
    sent = site.served.take_sent_bytes()
    site.log("served", sent_bytes=sum(sent.values()), sent_to=sent, refused_callers=dict(site.refusals()))


def _make_site(
    plan: dict,
    site: str,
    data: Path,
    output: Path,
    state: Path,
    cache: Path,
    network: InMemoryNetwork,
    meter: CpuMeter,
    silence: Silence,
) -> GossipSite:
    settings = plan["collaborator"]["settings"]
    exchange = read_settings("exchange", ExchangeSettings, {**settings["exchange"], "lock_step": True})
    runner = make_runner(plan, site, data, output / "save", output / "logs", cache)
    learner = PeerLearner(
        runner,
        site=site,
        learning=read_settings("learning", LearningSettings, settings["learning"]),
        completion=read_settings("completion", CompletionSettings, settings["completion"]),
        warm_up_rounds=exchange.warm_up_rounds,
    )
    membership = Membership(
        federation_id=FEDERATION,
        run_id=settings["run_id"],
        roster_digest=roster_digest(settings["roster"]),
        architecture_hash=runner.card().architecture_hash(),
        initial_digest=state_digest(network_state(runner.network)),
    )
    log = RunLog(runner.log_path / site)
    made = GossipSite(
        site=site,
        roster=settings["roster"],
        rounds=settings["rounds"],
        epoch=1,
        exchange=exchange,
        timing=silence.timing(read_settings("timing", TimingSettings, settings["timing"])),
        membership=membership,
        learner=learner,
        transport=None if exchange.schedule == "none" else InMemoryTransport(network, site),
        state_folder=state,
        log=lambda **facts: log.event(**facts, cpu_seconds=round(meter.take(), 4)),
        code_version=TOOL,
    )
    network.register(site, made.served)
    return made
