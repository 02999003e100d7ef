"""``python -m experiments.report``: a study's results as one HTML file, with results.json beside it."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.command import exit_code_of

if TYPE_CHECKING:
    from experiments.report.make import ReportSettings


def read_arguments(arguments: Sequence[str]) -> "ReportSettings":
    """The settings a command line stands for."""
    parser = argparse.ArgumentParser(prog="python -m experiments.report", description=__doc__)
    parser.add_argument("--study", type=Path, help="study folder of make compare")
    parser.add_argument("--data", type=Path, help="folder with one dataset per site; by default what study.yaml says")
    parser.add_argument(
        "--final", action="store_true", help="score and show the test patients: registered studies only, logged"
    )
    parser.add_argument("--figures", type=Path, help="folder to write the main figures to, as SVG files")
    parser.add_argument("--processes", type=int, default=1, help="runs scored at a time (default 1)")
    given = parser.parse_args(arguments)
    if given.study is None:
        parser.error("give --study (make report RUN=<name of a study below runs/>)")
    # It takes seconds to load: a slip of the pen is answered before, and a Ctrl-C meanwhile ends in a sentence.
    from experiments.report.make import ReportSettings

    command = shlex.join(["python", "-m", "experiments.report", *arguments])
    return ReportSettings(**vars(given), command=command)


def main() -> None:
    """Makes the report, and says where it is."""
    settings = read_arguments(sys.argv[1:])
    from experiments.report.make import make_report

    print(f"saved: {make_report(settings)}")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
