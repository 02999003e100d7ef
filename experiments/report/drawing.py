"""How a figure becomes part of the page: a small SVG with real text, or a PNG, as a data URI."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from data_prep.conversion.printable import printable, shortened

LONGEST_LABEL = 34
WIDTH_INCH = 7.4  # what A4 holds between its margins
PIXELS_PER_INCH = 160
GRID_COLOUR = "#D9DDE3"
DIM_COLOUR = "#5B6470"

_STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica"],
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#8A929C",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    # A name may hold a dollar sign, which is no formula.
    "text.parse_math": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Within it, figures are made and saved in the report's style, whatever the settings of who calls."""
    with matplotlib.rc_context(_STYLE):
        yield


def new_figure(height_inch: float, width_inch: float = WIDTH_INCH) -> Figure:
    """A figure that arranges its axes itself and knows no window."""
    figure = Figure(figsize=(width_inch, height_inch), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def svg_bytes(figure: Figure) -> bytes:
    """The figure as SVG; the same bytes for the same figure."""
    return _saved(figure, "svg", {"Date": None})


def png_bytes(figure: Figure) -> bytes:
    """The figure as PNG; the same bytes for the same figure."""
    return _saved(figure, "png", {"Software": None})


def svg_uri(figure: Figure) -> str:
    """The figure as a data URI."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg_bytes(figure)).decode("ascii")


def png_uri(content: bytes) -> str:
    """A PNG as a data URI."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


def grid(axes: Axes, axis: str) -> None:
    """Thin lines behind the data, along one axis."""
    axes.grid(axis=axis, color=GRID_COLOUR, linewidth=0.6)


def label(name: str, longest: int = LONGEST_LABEL) -> str:
    """A name as it stands in a figure: on one line, nothing in it acts, and not so long that it takes the figure's place."""
    return shortened(printable(name), longest)


def leave_empty(grid_axes: np.ndarray, used: int) -> None:
    """Hides the axes (lines, columns) after the first ``used``, and gives those above them the numbers of the shared axis."""
    columns = grid_axes.shape[1]
    for place, axes in enumerate(grid_axes.ravel()):
        if place >= used:
            axes.set_axis_off()
        elif place + columns >= used:
            axes.tick_params(labelbottom=True)


def spread(wanted: Sequence[float], least: float) -> np.ndarray:
    """Moves positions as little as needed so that no two labels lie closer than ``least``; the order is kept."""
    order = np.argsort(wanted, kind="stable")
    placed = np.array(wanted, float)
    groups: list[list[int]] = []
    for index in order:
        groups.append([int(index)])
        while len(groups) > 1 and _start(groups[-1], wanted, least) - _end(groups[-2], wanted, least) < least:
            groups[-2:] = [groups[-2] + groups[-1]]
    for group in groups:
        placed[group] = _start(group, wanted, least) + least * np.arange(len(group))
    return placed


def _start(group: list[int], wanted: Sequence[float], least: float) -> float:
    return float(np.mean([wanted[index] for index in group])) - least * (len(group) - 1) / 2


def _end(group: list[int], wanted: Sequence[float], least: float) -> float:
    return _start(group, wanted, least) + least * (len(group) - 1)


def _saved(figure: Figure, kind: str, metadata: dict) -> bytes:
    content = BytesIO()
    figure.savefig(content, format=kind, dpi=PIXELS_PER_INCH, metadata=metadata)
    return content.getvalue()
