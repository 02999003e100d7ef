"""Who works and who waits, site by site: FedAvg with its barrier above, gossip without one below."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from experiments.report.drawing import grid, label, new_figure

HOUR_S = 3600
_ROW_INCH = 0.24
_COLOURS = {
    "train": "#0072B2",
    "validate": "#56B4E9",
    "download": "#E69F00",
    "upload": "#D55E00",
    "pull": "#CC79A7",
    "closing pull": "#009E73",
    "wait": "#E8E8E8",
}
_OTHER = "#999999"


def draw(results: Mapping, looks: Mapping) -> Figure:
    """A row for each site, on one time axis.

    Args:
        results: ``wall_clock.gantt`` is used; it must be there.
        looks: not used; every figure is drawn with the same arguments.
    """
    schemes = {scheme: results["wall_clock"]["gantt"][scheme] for scheme in ("fedavg", "gossip")}
    sites = sorted({bar["site"] for bars in schemes.values() for bar in bars})
    figure = new_figure(1.5 + 2 * _ROW_INCH * len(sites))
    for axes, (scheme, bars) in zip(figure.subplots(2, 1, sharex=True), schemes.items(), strict=True):
        for kind in dict.fromkeys(bar["kind"] for bar in bars):
            for site in sites:
                spans = [
                    (bar["start_s"] / HOUR_S, (bar["end_s"] - bar["start_s"]) / HOUR_S)
                    for bar in bars
                    if (bar["kind"], bar["site"]) == (kind, site)
                ]
                # As a picture within the drawing: there are thousands of bars.
                axes.broken_barh(
                    spans, (sites.index(site) - 0.38, 0.76), facecolors=_COLOURS.get(kind, _OTHER), linewidth=0, rasterized=True
                )
        axes.set_yticks(range(len(sites)), [label(site) for site in sites])
        axes.set_ylim(len(sites) - 0.4, -0.6)
        axes.set_title(scheme)
        grid(axes, "x")
    axes.set_xlabel("hours since the start")
    axes.set_xlim(0, None)
    kinds = [kind for kind in _COLOURS if any(bar["kind"] == kind for bars in schemes.values() for bar in bars)]
    figure.legend(
        handles=[Patch(color=_COLOURS[kind], label=kind) for kind in kinds], loc="outside lower center", ncols=7, fontsize=7
    )
    return figure
