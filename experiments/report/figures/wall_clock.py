"""How long each arm would take at uneven hospitals, as simulated: until the middle and the last site have their model."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.report.cells import is_number
from experiments.report.drawing import grid, label, new_figure
from experiments.report.palette import OTHER_COLOUR, Look

HOUR_S = 3600
_ROW_INCH = 0.2
TITLES = {
    "independent": "every speed drawn by itself",
    "rank_correlated": "slow in one thing, slow in all",
    "one_slow": "one slow site, the others fast",
}


def draw(results: Mapping, looks: Mapping[str, Look]) -> Figure:
    """A panel for each case of hospitals, an arm a row.

    Args:
        results: ``wall_clock.cases`` is used; at least one must be there.
        looks: of every arm.
    """
    cases = results["wall_clock"]["cases"]
    arms = [arm for arm in looks if any(found.get(arm) for found in cases.values())]
    figure = new_figure(1.1 + _ROW_INCH * max(3, len(arms)))
    all_axes = figure.subplots(1, len(cases), sharey=True, squeeze=False).ravel()
    for axes, (case, found) in zip(all_axes, cases.items(), strict=True):
        for place, arm in enumerate(arms):
            if found.get(arm):
                _row(axes, place, found[arm], looks.get(arm, Look(OTHER_COLOUR, "o")))
        axes.set_title(TITLES.get(case, case), size=7.5)
        axes.set_yticks(range(len(arms)), [label(arm) for arm in arms])
        axes.set_ylim(max(1, len(arms)) - 0.4, -0.6)
        axes.set_xlim(0, None)
        axes.set_xlabel("hours")
        grid(axes, "x")
    return figure


def _row(axes: Axes, place: int, entry: Mapping, look: Look) -> None:
    last, middle = entry["last_site_s"], entry["median_site_s"]
    if is_number(last["low"]):
        axes.plot([last["low"] / HOUR_S, last["high"] / HOUR_S], [place, place], color=look.colour, linewidth=1.4, alpha=0.6)
    if is_number(last["median"]):
        axes.plot(last["median"] / HOUR_S, place, look.marker, color=look.colour, markersize=5.5)
    if is_number(middle["median"]):
        axes.plot(middle["median"] / HOUR_S, place, look.marker, color=look.colour, markersize=5, markerfacecolor="white")
