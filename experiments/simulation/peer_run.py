"""A whole run of a plan without a server, from its first round or from where it was stopped."""

from experiments.federation.progress import MetricsReader, Progress
from experiments.federation.traffic import traffic_of_exchanges
from experiments.simulation.cost import exchanges_of_peers
from experiments.simulation.event_files import keep_events, unreported_bytes
from experiments.simulation.meter import CpuMeter, Stopwatch
from experiments.simulation.model_list import models_of_peers
from experiments.simulation.order import Order, Outcome
from experiments.simulation.peer_rounds import make_sites, run_in_turns
from experiments.simulation.silence import Silence
from src.exchange.checkpoint import Checkpoints
from src.exchange.collaborator import read_settings
from src.exchange.gossip import GossipSite
from src.exchange.inbox import Inbox
from src.exchange.settings import ExchangeSettings


def run_peers(order: Order, stopwatch: Stopwatch) -> Outcome:
    """Runs all sites to their end.

    Args:
        order: its plan is of the kind without an aggregator.
        stopwatch: noted after each site's turn.
    """
    files = {site: order.output / "logs" / site / "metrics.jsonl" for site in order.datasets}
    state = order.state / "sites"
    for site in order.datasets:
        _forget_unfinished(order, site)
    reader = MetricsReader(files)
    reader.read()
    meters = {site: CpuMeter() for site in order.datasets}
    silence = Silence(order.silent)
    sites = make_sites(order.plan, order.paths(), order.output, state, order.cache, meters, silence)
    for site, counts in unreported_bytes(reader.events).items():
        for receiver, num_bytes in counts.items():
            sites[site].served.count_sent(receiver, num_bytes)
    progress = Progress(reader, order.console, order.silent)

    def look() -> None:
        stopwatch.note()
        progress.look()

    def at_work(site: GossipSite) -> CpuMeter:
        return meters[site.site]

    run_in_turns(list(sites.values()), at_work, look, silence)
    reader.read()
    events = reader.events
    schedule = order.plan["collaborator"]["settings"]["exchange"]["schedule"]
    return Outcome(
        events=events,
        traffic={site: traffic_of_exchanges(rows) for site, rows in events.items()},
        cpu_seconds={site: sum(event["cpu_seconds"] for event in rows) for site, rows in events.items()},
        models=models_of_peers(order.scheme, schedule, order.datasets, [order.silent.site] if order.silent else []),
        exchanges=exchanges_of_peers(events),
    )


def _forget_unfinished(order: Order, site: str) -> None:
    """Leaves of a site's state and events what its checkpoint knows of; the rest is about to be done again.

    Models pulled in the round it was stopped in are pulled again, so that their bytes are counted in that round, and once.
    """
    state = order.state / "sites" / site
    found = Checkpoints(state / "checkpoint").load()
    facts = {"round": 0, "closed": False} if found is None else found[1]
    settings = order.plan["collaborator"]["settings"]
    exchange = read_settings("exchange", ExchangeSettings, settings["exchange"])
    done = [exchange.exchange_at(number, settings["rounds"]) for number in range(facts["round"])]
    Inbox(state / "inbox").keep_only([number for number in done if number is not None])

    def is_kept(event: dict) -> bool:
        return event["phase"] != "served" and (facts["closed"] or event["round"] < facts["round"])

    keep_events(order.output / "logs" / site / "metrics.jsonl", is_kept)
