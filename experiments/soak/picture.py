"""The soak in one picture: each site's rounds over time, and what went wrong meanwhile."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.patches import Patch

from experiments.soak.faults import LINE_FAULTS

_COLOURS = {
    "partition": "#9a9a9a",
    "takeover": "#8e44ad",
    "slow": "#f4d58d",
    **dict(zip(LINE_FAULTS, ("#aed6f1", "#a9dfbf", "#f5b7b1", "#d2b4de"), strict=True)),
}
_LABELS = {
    "partition": "cut off",
    "takeover": "impostor at its address",
    "slow": "4 times slower",
    "latency": "200 ms each way",
    "loss": "5 % loss",
    "rate": "1 Mbit/s",
    "all three": "all three",
}
_SECONDS_PER_MINUTE = 60.0


def draw(path: Path, events: Mapping[str, Sequence[dict]], faults: Sequence[dict], ended_s: Mapping[str, float]) -> None:
    """Draws a row for each honest site.

    Args:
        path: of the PNG.
        events: by site, with ``at_s``.
        faults: of the log.
        ended_s: by site, when its process ended.
    """
    figure, axes = pyplot.subplots(len(events), 1, figsize=(10, 1.1 * len(events) + 1.2), sharex=True, squeeze=False)
    for axis, (site, rows) in zip(axes[:, 0], events.items(), strict=True):
        _draw_site(axis, site, rows, [fault for fault in faults if site in fault["sites"]], ended_s.get(site))
    axes[-1, 0].set_xlabel("minutes since the sites were started")
    handles = [Patch(color=colour, label=_LABELS[kind]) for kind, colour in _COLOURS.items()]
    handles.append(pyplot.Line2D([], [], color="#c0392b", marker="x", linestyle="", label="SIGKILL"))
    figure.legend(handles=handles, loc="upper center", ncol=4, fontsize=8, frameon=False)
    figure.subplots_adjust(left=0.13, right=0.98, bottom=0.08, top=0.9, hspace=0.18)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def _draw_site(axis, site: str, rows: Sequence[dict], faults: Sequence[dict], ended_s: float | None) -> None:
    rounds = [(row["at_s"] / _SECONDS_PER_MINUTE, row["round"] + 1) for row in rows if row["phase"] == "train"]
    axis.step(*zip((0.0, 0), *rounds, strict=True), where="post", color="#1b2631", linewidth=1.2)
    for fault in faults:
        begin = fault["time_s"] / _SECONDS_PER_MINUTE
        if fault["kind"] in _COLOURS:
            axis.axvspan(begin, begin + fault["duration_s"] / _SECONDS_PER_MINUTE, color=_COLOURS[fault["kind"]], alpha=0.6)
        elif fault["kind"] == "kill" and fault.get("struck"):
            done = max((number for minute, number in rounds if minute <= begin), default=0)
            axis.plot([begin], [done], color="#c0392b", marker="x", markersize=5, linestyle="")
    clock = [fault["parameters"]["off_s"] for fault in faults if fault["kind"] == "clock"]
    label = f"{site}\nclock {clock[0]:+d} s" if clock else site
    axis.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
    axis.tick_params(labelsize=7)
    if ended_s is not None:
        axis.axvline(ended_s / _SECONDS_PER_MINUTE, color="#1e8449", linewidth=1.5)
