"""One row of costs per arm: per site and in all, mean and by seed, and beside the two FedAvgs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

from experiments.costs.arm import ArmSite, arms_of
from experiments.costs.fedavg_bytes import plain_fedavg, same_schedule_fedavg
from experiments.costs.measured_run import MeasuredRun
from experiments.costs.run_files import read_runs

Numbers = dict[str, float | None]
_LARGEST_SHARE_OF_PLAIN = 0.25


def cost_table(study_folder: Path) -> list[dict]:
    """What every arm of a study cost.

    Args:
        study_folder: see ``read_runs``.

    Returns:
        One row per arm, in the order of the study's schemes; empty when nothing has finished. Keys: ``arm``, ``scheme``,
        ``kind``, ``seeds``, ``rounds``, ``local_rounds``, ``num_exchanges``, ``wire_dtype``, ``model_bytes``; ``sites``, the
        fields of ``ArmSite`` by site, mean over seeds; ``total``, their sums; ``by_seed``, both for each seed;
        ``carried_bytes``, every transfer counted once; ``local_finish_cpu_share``; ``plain_fedavg`` and
        ``same_schedule_fedavg``, each ``source``, ``total_bytes`` and shares of it (``total``, ``worst_site``, and both
        ``_without_closing``), the second None without exchanges among sites; ``aims``, whether both aims of gossip are met,
        None for other schemes. Bytes and shares are None for pooled data.

    Raises:
        OarError: see ``read_runs``.
    """
    return rows_of_runs(read_runs(study_folder))


def rows_of_runs(runs: Sequence[MeasuredRun]) -> list[dict]:
    """See ``cost_table``."""
    plain = plain_fedavg(runs)
    schemes = dict.fromkeys(run.scheme for run in runs)
    return [row for scheme in schemes for row in _rows([run for run in runs if run.scheme == scheme], plain)]


def shares(sites: Mapping[str, Numbers], reference: Mapping[str, float], *, has_model_without_closing: bool = True) -> Numbers:
    """An arm's bytes as shares of those of the same sites in FedAvg.

    Args:
        sites: fields of ``ArmSite`` by site, with bytes.
        reference: sent and received bytes by site, above 0; of at least these sites.
        has_model_without_closing: False where the model is made of what the closing brings.

    Returns:
        ``total`` of all sites, ``worst_site`` the highest of one; ``total_without_closing``, ``worst_site_without_closing``.
    """
    with_closing = {site: entry["sent_bytes"] + entry["received_bytes"] for site, entry in sites.items()}
    closing = {site: entry["closing_sent_bytes"] + entry["closing_received_bytes"] for site, entry in sites.items()}
    without = {site: total - closing[site] for site, total in with_closing.items()}
    found: Numbers = {}
    for suffix, values in (("", with_closing), ("_without_closing", without)):
        exists = not suffix or has_model_without_closing
        found[f"total{suffix}"] = sum(values.values()) / sum(reference[site] for site in values) if exists else None
        found[f"worst_site{suffix}"] = max(value / reference[site] for site, value in values.items()) if exists else None
    return found


def _rows(runs: Sequence[MeasuredRun], plain: tuple[str, dict[str, float]] | None) -> list[dict]:
    by_seed = {run.seed: arms_of(run) for run in runs}
    return [_row(arm, runs[0], {seed: arms[arm] for seed, arms in by_seed.items()}, plain) for arm in by_seed[runs[0].seed]]


def _row(
    arm: str,
    run: MeasuredRun,
    seeds: Mapping[int, Mapping[str, ArmSite]],
    plain: tuple[str, dict[str, float]] | None,
) -> dict:
    per_seed = {seed: {site: asdict(cost) for site, cost in sites.items()} for seed, sites in seeds.items()}
    first = next(iter(per_seed.values()))
    sites = {site: _combine([entry[site] for entry in per_seed.values()], fmean) for site in first}
    total = _combine(list(sites.values()), sum)
    row = {
        "arm": arm,
        "scheme": run.scheme,
        "kind": run.kind,
        "seeds": list(seeds),
        "rounds": run.rounds,
        "local_rounds": run.local_rounds if arm.endswith("_local") else run.local_rounds_at_end,
        "num_exchanges": _num_exchanges(arm, run),
        "wire_dtype": run.wire_dtype,
        "model_bytes": run.model_bytes,
        "sites": sites,
        "total": total,
        "by_seed": {seed: {"sites": entry, "total": _combine(list(entry.values()), sum)} for seed, entry in per_seed.items()},
        "carried_bytes": _carried_bytes(run, total),
        "local_finish_cpu_share": total["local_finish_cpu_seconds"] / total["cpu_seconds"] if total["cpu_seconds"] else None,
    }
    return {**row, **_beside_fedavg(arm, run, sites, plain)}


def _beside_fedavg(
    arm: str, run: MeasuredRun, sites: Mapping[str, Numbers], plain: tuple[str, dict[str, float]] | None
) -> dict[str, dict | None]:
    # A consensus is made of what the closing brings, and so is what is left of a chain.
    without = not arm.endswith("_consensus") and run.kind != "cyclic"
    found: dict[str, dict | None] = {"plain_fedavg": None, "same_schedule_fedavg": None, "aims": None}
    if run.kind == "pooled" or plain is None:
        return found
    source, reference = plain
    found["plain_fedavg"] = _reference(source, sites, reference, without)
    if run.kind in ("gossip", "cyclic") and run.exchange_rounds:
        found["same_schedule_fedavg"] = _reference("computed", sites, same_schedule_fedavg(run), without)
    if run.kind == "gossip" and run.exchange_rounds:
        found["aims"] = {
            "at_most_quarter_of_plain_fedavg": _met(found["plain_fedavg"], _LARGEST_SHARE_OF_PLAIN),
            "at_most_same_schedule_fedavg": _met(found["same_schedule_fedavg"], 1.0),
        }
    return found


def _reference(source: str, sites: Mapping[str, Numbers], reference: Mapping[str, float], without: bool) -> dict:
    total = sum(reference[site] for site in sites)
    return {"source": source, "total_bytes": total, **shares(sites, reference, has_model_without_closing=without)}


def _met(beside: Mapping[str, float | None], limit: float) -> dict[str, bool | None]:
    names = ("total", "worst_site", "total_without_closing", "worst_site_without_closing")
    return {name: None if beside[name] is None else beside[name] <= limit for name in names}


def _num_exchanges(arm: str, run: MeasuredRun) -> int:
    if run.kind == "pooled":
        return 0
    return run.rounds - run.local_rounds if arm.endswith("_local") else len(run.exchange_rounds)


def _carried_bytes(run: MeasuredRun, total: Numbers) -> float | None:
    if total["sent_bytes"] is None:
        return None
    # Among sites, what one received another has sent; with an aggregator each transfer has one site at its end.
    return total["received_bytes"] + (total["sent_bytes"] if run.has_aggregator else 0)


def _combine(entries: Sequence[Numbers], how) -> Numbers:
    columns = {key: [entry[key] for entry in entries] for key in entries[0]}
    return {key: None if None in column else how(column) for key, column in columns.items()}
