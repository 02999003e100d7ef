"""The primary hypothesis in one picture: differences, intervals and the margin, with the comparisons planned beside it."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.report.cells import decimals, estimate, is_number
from experiments.report.drawing import DIM_COLOUR, grid, label, new_figure
from experiments.report.palette import Look

INFERIOR_COLOUR = "#F1F1F1"
_ROW_INCH = 0.24


def draw(results: Mapping, looks: Mapping[str, Look]) -> Figure:
    """Above, every arm against the reference with the margin, the primary one first; below, the planned comparisons.

    Args:
        results: ``primary`` (may be None), ``non_inferiority`` and ``comparisons`` are used.
        looks: of every arm.
    """
    primary = [results["primary"]] if results["primary"] else []
    against = [*primary, *results["non_inferiority"]]
    planned = results["comparisons"]
    heights = [max(1, len(rows)) for rows in (against, planned)]
    figure = new_figure(1.3 + _ROW_INCH * sum(heights))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[height + 1 for height in heights])
    notes = [verdict_text(row) for row in against]
    _rows(upper, [row["difference"] for row in against], notes, looks, bold_first=bool(primary))
    for margin in {row["margin"] for row in against}:
        _mark_margin(upper, margin)
    upper.set_title(_title(results, against), pad=12)
    _rows(lower, [row["difference"] for row in planned], [p_text(row) for row in planned], looks)
    _limit(upper, [row["difference"] for row in [*against, *planned]], max((row["margin"] for row in against), default=0.0))
    lower.set_title("Planned comparisons (p corrected with Holm over these)")
    lower.set_xlabel("difference in mean Dice, each site's model on its own patients; right of 0 the first is better")
    return figure


def verdict_text(row: Mapping) -> str:
    """The verdict of a ``NonInferiority``."""
    return "superior" if row["superior"] else row["verdict"]


def p_text(row: Mapping) -> str:
    """The corrected p of a ``PairComparison``, or why there is none."""
    if not is_number(row["p_holm"]):
        return f"not tested ({row['test']['not_tested']})"
    return "p < 0.001" if row["p_holm"] < 0.001 else f"p = {row['p_holm']:.3f}"


def _title(results: Mapping, against: Sequence[Mapping]) -> str:
    if not against:
        return "No arm was compared with a reference"
    first = "Primary (first row) and the other arms" if results["primary"] else "Arms"
    return f"{first} against {label(against[0]['difference']['minus'])}"


def _rows(
    axes: Axes, differences: Sequence[Mapping], notes: Sequence[str], looks: Mapping[str, Look], bold_first=False
) -> None:
    for place, (row, note) in enumerate(zip(differences, notes, strict=True)):
        look, weight = looks[row["scheme"]], "bold" if bold_first and place == 0 else "normal"
        if is_number(row["low"]) and is_number(row["high"]):
            axes.plot([row["low"], row["high"]], [place, place], color=look.colour, linewidth=2.4 if weight == "bold" else 1.3)
        if is_number(row["value"]):
            axes.plot(row["value"], place, look.marker, color=look.colour, markersize=6 if weight == "bold" else 5)
        shown = f"{estimate(row, signed=True).text}  {note}"
        axes.annotate(
            shown,
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
            annotation_clip=False,
            weight=weight,
            size=7.5,
        )
    axes.axvline(0, color=DIM_COLOUR, linewidth=0.9)
    axes.set_yticks(range(len(differences)), [f"{label(row['scheme'])} − {label(row['minus'])}" for row in differences])
    if bold_first and differences:
        axes.get_yticklabels()[0].set_weight("bold")
    axes.set_ylim(max(1, len(differences)) - 0.4, -0.6)
    grid(axes, "x")


def _limit(axes: Axes, differences: Sequence[Mapping], margin: float) -> None:
    """Shows all differences and their intervals, but of a very wide interval (few patients) only a part."""
    values = [row["value"] for row in differences if is_number(row["value"])] or [0.0]
    reach = max(3 * margin, 2 * (max(*values, 0.0) - min(*values, 0.0)))
    low = min([max(row["low"], row["value"] - reach) for row in differences if is_number(row["low"])], default=0.0)
    high = max([min(row["high"], row["value"] + reach) for row in differences if is_number(row["high"])], default=0.0)
    edge = 0.04 * max(high - low, margin)
    axes.set_xlim(min(low, *values, -1.2 * margin) - edge, max(high, *values, 0.3 * margin) + edge)


def _mark_margin(axes: Axes, margin: float) -> None:
    axes.axvline(-margin, color="#D55E00", linewidth=1.1, linestyle=(0, (4, 2)))
    axes.axvspan(-2, -margin, color=INFERIOR_COLOUR, zorder=0)
    axes.annotate(
        f"margin {decimals(-margin, 2)}", (-margin, 1), xycoords=("data", "axes fraction"), xytext=(0, 2),
        textcoords="offset points", ha="center", va="bottom", size=7, color="#B34700",
    )  # fmt: skip
