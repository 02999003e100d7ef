"""What the learning-rate search found: validation Dice against learning rate, the chosen one ringed."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from experiments.report.cells import is_number
from experiments.report.drawing import grid, label, new_figure
from experiments.report.palette import OTHER_COLOUR, Look


def draw(results: Mapping, looks: Mapping[str, Look]) -> Figure:
    """A line for each scheme that was searched.

    Args:
        results: ``learning_rates`` is used.
        looks: of every arm; a scheme is drawn as its first arm.
    """
    first_arm = {arm["scheme"]: arm["name"] for arm in reversed(results["arms"])}
    figure = new_figure(2.8)
    axes = figure.subplots()
    rates = set()
    for scheme, chosen in results["learning_rates"].items():
        look = looks.get(first_arm.get(scheme), Look(OTHER_COLOUR, "o"))
        points = sorted((float(rate), dice) for rate, dice in chosen["valid_dice"].items() if is_number(dice))
        rates |= {rate for rate, _ in points}
        axes.plot(*zip(*points, strict=True) if points else ([], []), marker=look.marker, color=look.colour, markersize=4.5,
                  linewidth=1.2, label=label(scheme))  # fmt: skip
        best = [point for point in points if point[0] == chosen["learning_rate"]]
        axes.plot(*zip(*best, strict=True) if best else ([], []), "o", markersize=10, markerfacecolor="none", color=look.colour)
    axes.set_xscale("log")
    axes.set_xticks(sorted(rates), [f"{rate:g}" for rate in sorted(rates)])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("learning rate")
    axes.set_ylabel("mean validation Dice")
    grid(axes, "both")
    figure.legend(loc="outside right center", fontsize=7)
    return figure
