"""The two FedAvgs whose bytes the others are held against: plain, and on another scheme's own schedule and precision.

Bytes of a site are those on its line: sent and received. A model that goes from site to site counts at both, one that goes to
or from an aggregator at its one site; that is what each hospital's line carries, and the stricter count for gossip.
"""

from collections.abc import Sequence
from statistics import fmean

from experiments.costs.measured_run import MeasuredRun

_BYTES_OF = {"float32": 4, "bfloat16": 2, "float16": 2}


def plain_fedavg(runs: Sequence[MeasuredRun]) -> tuple[str, dict[str, float]] | None:
    """Bytes by site of FedAvg that exchanges float32 models in every round.

    Args:
        runs: of the whole study.

    Returns:
        ``measured``, the mean over the seeds of the study's first scheme that is FedAvg among all its sites; or ``computed``
        from model size and rounds: one model down and one up per round, and the final one down. None where the study has no
        run of several sites.
    """
    federated = [run for run in runs if len(run.sites) > 1]
    if not federated:
        return None
    largest = max(federated, key=lambda run: len(run.sites))
    fedavg = [run for run in federated if run.kind == "fedavg" and run.sites.keys() == largest.sites.keys()]
    if not fedavg:
        return "computed", dict.fromkeys(largest.sites, (2 * largest.rounds + 1) * largest.model_bytes)
    seeds = [run.sites for run in fedavg if run.scheme == fedavg[0].scheme]
    return "measured", {
        site: fmean(sites[site].sent_bytes + sites[site].received_bytes for sites in seeds) for site in seeds[0]
    }


def same_schedule_fedavg(run: MeasuredRun) -> dict[str, int]:
    """Bytes by site of FedAvg that exchanges as often as a run's plan does, and in its precision.

    At each exchange of the plan every site sends one model and receives one: weights alone, without any header, and without a
    final download. A site of the run that is left out at some exchange is below it, one that pulls each time is above by its
    headers.
    """
    payload_bytes = run.model_bytes * _BYTES_OF[run.wire_dtype] // _BYTES_OF["float32"]
    return dict.fromkeys(run.sites, 2 * len(run.exchange_rounds) * payload_bytes)
