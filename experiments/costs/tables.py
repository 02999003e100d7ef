"""Costs and wall-clock as tables for a terminal."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from experiments.federation.traffic import BYTES_PER_MB

_SECONDS_PER_HOUR = 3600
_NONE = "-"


def byte_table(rows: Sequence[Mapping]) -> Table:
    """Arms down; bytes of the sites' lines, and their shares of both FedAvgs with and without the closing."""
    table = _table(
        "bytes on the sites' lines (sent and received; mean over seeds)",
        (
            "arm",
            "sent MB",
            "received MB",
            "of it closing MB",
            *_share_columns("plain FedAvg"),
            *_share_columns("FedAvg, same schedule"),
        ),
    )
    for row in rows:
        total = row["total"]
        closing = None if total["sent_bytes"] is None else total["closing_sent_bytes"] + total["closing_received_bytes"]
        numbers = [_scaled(value, BYTES_PER_MB, 2) for value in (total["sent_bytes"], total["received_bytes"], closing)]
        table.add_row(row["arm"], *numbers, *_shares(row["plain_fedavg"]), *_shares(row["same_schedule_fedavg"]))
    return table


def compute_table(rows: Sequence[Mapping]) -> Table:
    """Arms down; processor time and steps in all, and the costliest site's."""
    table = _table(
        "computing (mean over seeds)",
        (
            "arm",
            "seeds",
            "CPU s",
            "most at a site",
            "CPU s of the local finish",
            "its share",
            "steps",
            "network steps",
            "completion steps",
        ),
    )
    for row in rows:
        total, most = row["total"], max(entry["cpu_seconds"] for entry in row["sites"].values())
        table.add_row(
            row["arm"],
            str(len(row["seeds"])),
            f"{total['cpu_seconds']:.0f}",
            f"{most:.0f}",
            f"{total['local_finish_cpu_seconds']:.0f}",
            _scaled(row["local_finish_cpu_share"], 1, 3),
            *(_scaled(total[name], 1, 0) for name in ("steps", "network_steps", "completion_steps")),
        )
    return table


def clock_table(case: str, arms: Mapping[str, Mapping | None]) -> Table:
    """Arms down; hours until the last and the middle site are ready, and the ratios to FedAvg."""
    baselines = list(next((entry["ratio_to"] for entry in arms.values() if entry), {}))
    ratios = [f"{site} / {name}'s" for name in baselines for site in ("last", "middle")]
    title = f"wall-clock, {case} hospitals: median (5 to 95 %) over the draws"
    table = _table(title, ("arm", "last site h", "middle site h", *ratios, "rounds behind"))
    for arm, entry in arms.items():
        if entry is None:
            table.add_row(arm, *[_NONE] * (3 + len(ratios)))
            continue
        hours = [_spread(entry[name], _SECONDS_PER_HOUR, 1) for name in ("last_site_s", "median_site_s")]
        cells = [_spread(entry["ratio_to"][name][site], 1, 2) for name in baselines for site in ("last_site", "median_site")]
        table.add_row(arm, *hours, *cells, _spread(entry["staleness_rounds"], 1, 2))
    return table


def silent_table(case: str, schemes: Mapping[str, Mapping]) -> Table:
    """Schemes down; what one site that falls silent in the middle costs the others."""
    title = f"one site silent from the middle on, {case} hospitals"
    table = _table(title, ("scheme", "site", "by default", "waits", "last other site h", "times as long"))
    for scheme, entry in schemes.items():
        default = "goes on" if entry["ends_by_default"] else "waits for ever"
        hours, longer = _spread(entry["last_other_site_s"], _SECONDS_PER_HOUR, 1), _spread(entry["times_as_long"], 1, 2)
        table.add_row(scheme, entry["site"], default, entry["waits"], hours, longer)
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column in ("arm", "scheme", "site", "by default", "waits") else "right")
    return table


def _share_columns(reference: str) -> tuple[str, ...]:
    return f"of {reference}: total", "worst site", "total, no closing", "worst site, no closing"


def _shares(beside: Mapping | None) -> list[str]:
    names = ("total", "worst_site", "total_without_closing", "worst_site_without_closing")
    return [_scaled(beside and beside[name], 1, 3) for name in names]


def _spread(entry: Mapping | None, unit: float, digits: int) -> str:
    if entry is None or entry["median"] is None:
        return _NONE
    low, median, high = (_scaled(entry[name], unit, digits) for name in ("low", "median", "high"))
    return f"{median} ({low} to {high})"


def _scaled(value: float | None, unit: float, digits: int) -> str:
    return _NONE if value is None else f"{value / unit:.{digits}f}"
