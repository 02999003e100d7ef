"""A whole run of a plan with an aggregator and its local finish, from the first round or from where it was stopped."""

import json
from collections.abc import Callable, Mapping

from experiments.federation.progress import MetricsReader, Progress
from experiments.federation.results import model_bytes
from experiments.federation.traffic import traffic_of_rounds
from experiments.federation.workspaces import AGGREGATOR
from experiments.simulation.cost import exchanges_of_rounds
from experiments.simulation.event_files import keep_events
from experiments.simulation.local_finish import LocalFinish, keep_done, plan_of_finish
from experiments.simulation.meter import Stopwatch
from experiments.simulation.model_list import models_of_server, models_of_sites
from experiments.simulation.order import Order, Outcome
from experiments.simulation.server_rounds import ServerRounds
from src.exchange.whole_file import write_whole

FINISH_METRICS = "local_finish.jsonl"


def run_server(order: Order, stopwatch: Stopwatch) -> Outcome:
    """Runs all rounds, and after them each site's local finish, if there is one.

    Args:
        order: its plan is of the kind with an aggregator.
        stopwatch: noted after each site's turn.
    """
    server = ServerRounds(order.plan, order.paths(), order.output, order.state, order.cache)
    files = {name: order.output / "logs" / name / "metrics.jsonl" for name in (*order.datasets, AGGREGATOR)}
    for path in files.values():
        keep_events(path, lambda event: event["round"] < server.round)
    reader = MetricsReader({site: files[site] for site in order.datasets})
    branch_round = server.num_rounds - 1 - order.finish_rounds if order.finish_rounds else None
    server.run(branch_round, _looker(reader, order, stopwatch))
    aggregator = MetricsReader({AGGREGATOR: files[AGGREGATOR]})
    aggregator.read()
    reader.read()
    num_bytes = model_bytes(order.output, order.datasets)
    finish = _finish(order, server, stopwatch) if order.finish_rounds else None
    return Outcome(
        events={**aggregator.events, **reader.events},
        traffic=traffic_of_rounds(sorted(order.datasets), reader.events, aggregator.events[AGGREGATOR], num_bytes),
        cpu_seconds=server.cpu_seconds,
        models=[
            *models_of_server(order.scheme),
            *(models_of_sites(order.finish_arm, order.finish_datasets, f"save/{order.finish_arm}") if finish else []),
        ],
        exchanges=exchanges_of_rounds(reader.events, num_bytes),
        local_finish=finish,
    )


def _finish(order: Order, server: ServerRounds, stopwatch: Stopwatch) -> dict:
    """Every site's last rounds alone; returns what they cost."""
    plan, arm = plan_of_finish(order.plan, order.finish_steps_per_round), order.finish_arm
    save, logs = order.output / "save" / arm, order.output / "logs" / arm
    files = {site: logs / site / "metrics.jsonl" for site in sorted(order.finish_datasets)}
    states = {site: order.state / "finish" / site for site in files}
    for site, path in files.items():
        keep_done(path, states[site])
    branch, cpu_seconds, events = server.branch(), {}, {}
    for site, path in files.items():
        finish = LocalFinish(
            plan,
            site,
            order.finish_datasets[site].path,
            save=save,
            logs=logs,
            state=states[site],
            cache=order.cache,
            branch=branch,
        )
        # Each site to its end, one after the other, so each has news of its own.
        reader = MetricsReader({site: path})
        finish.run(_looker(reader, order, stopwatch))
        reader.read()
        cpu_seconds[site], events[site] = round(finish.cpu_seconds, 3), reader.events[site]
    _write_metrics(order, events)
    steps = {site: sum(event.get("steps", 0) for event in rows) for site, rows in events.items()}
    return {"cpu_seconds": cpu_seconds, "rounds": order.finish_rounds, "steps": steps}


def _write_metrics(order: Order, events: Mapping[str, list[dict]]) -> None:
    """Apart from the shared rounds' ``metrics.jsonl``, which has the same rounds of the same sites."""
    lines = [json.dumps({**event, "site": site}) + "\n" for site, rows in events.items() for event in rows]
    write_whole(order.output / FINISH_METRICS, ["".join(lines).encode()])


def _looker(reader: MetricsReader, order: Order, stopwatch: Stopwatch) -> Callable[[], None]:
    """What is done after each turn; what is on file already is not said again."""
    reader.read()
    progress = Progress(reader, order.console)

    def look() -> None:
        stopwatch.note()
        progress.look()

    return look
