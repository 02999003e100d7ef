"""``python -m experiments.results.one_line``: ablations as a Markdown table, one line per scheme beside a base."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.command import exit_code_of
from experiments.report.blocks import DASH
from experiments.report.cells import decimals, interval
from experiments.results.lines import Line, lines_of
from experiments.whole_text import write_whole

_HEADINGS = {
    **{"scheme": "---", "what differs": "---", "Dice (patients)": "---:", "less {base}": "---:", "95 % interval": "---:"},
    **{"n": "---:", "MB per site": "---:", "network steps": "---:"},
}
_CAPTION = (
    "Validation Dice of the last models on each site's own patients, macro mean; {seeds}. *less {base}* is the paired "
    "difference on the patients of the sites that both trained to the end, *n* of them, with its 95 % bootstrap interval; the "
    "Dice is of the same sites' patients. MB sent and received, and steps of all networks trained: means of the sites."
)


def markdown(lines: Sequence[Line]) -> str:
    """The table for the documentation.

    Args:
        lines: from ``lines_of``, the base first.

    Returns:
        Markdown: a caption, a blank line and the table, with a line break at the end.
    """
    base = lines[0].scheme
    seeds = sorted({len(line.seeds) for line in lines})
    caption = _CAPTION.format(base=base, seeds="one seed each" if seeds == [1] else "mean of the seeds there are")
    rows = [_row([heading.format(base=base) for heading in _HEADINGS]), _row(_HEADINGS.values()), *map(_line, lines)]
    return "\n".join([caption, "", *rows]) + "\n"


def _line(line: Line) -> str:
    difference = line.difference
    return _row(
        [
            line.scheme,
            line.differs or ("the base" if difference is None else "nothing"),
            f"{decimals(line.dice.value, 3)} ({line.dice.counts.num_patients})",
            DASH if difference is None else decimals(difference.value, 3, signed=True),
            DASH if difference is None else interval(difference.low, difference.high, signed=True),
            DASH if difference is None else str(difference.counts.num_patients),
            decimals(line.mb_per_site, 2),
            decimals(line.network_steps, 0),
        ]
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Reads the command line and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m experiments.results.one_line", description=__doc__)
    parser.add_argument("--study", required=True, type=Path, help="a study folder of `make compare`")
    parser.add_argument("--base", help="the scheme that the others are held against; by default the study's first")
    parser.add_argument("--schemes", type=str.split, help="the others, with blanks between; by default all that are scored")
    parser.add_argument("--output", type=Path, help="a file for the same text")
    given = parser.parse_args()
    text = markdown(lines_of(given.study, given.base, given.schemes))
    if given.output:
        write_whole(given.output, text)
    print(text, end="")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
