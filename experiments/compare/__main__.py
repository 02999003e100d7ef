"""``python -m experiments.compare``: every scheme of a study on the same patients, resumable at any point."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.command import exit_code_of
from experiments.compare.errors import StudyError

if TYPE_CHECKING:
    from experiments.compare.run import CompareSettings


def read_arguments(arguments: Sequence[str]) -> "CompareSettings":
    """The settings a command line stands for.

    Raises:
        StudyError: the study file is refused, or the command line contradicts it.
    """
    parser = argparse.ArgumentParser(prog="python -m experiments.compare", description=__doc__)
    parser.add_argument("--anatomy", help="experiments/studies/<anatomy>.yaml is the study, unless --study names another")
    parser.add_argument("--study", type=Path, help="a study file")
    parser.add_argument("--data", type=Path, help="folder with one dataset per site")
    parser.add_argument("--output", type=Path, help="study folder; by default runs/compare_<name of the study file>")
    parser.add_argument("--schemes", type=str.split, help="of the study, with blanks between; by default all")
    parser.add_argument("--seeds", type=_whole_numbers, help="with blanks between; by default the study's")
    parser.add_argument("--processes", type=_at_least_one, help="jobs at a time; by default one a core")
    given = parser.parse_args(arguments)
    if given.study is None and not given.anatomy:
        parser.error("give --anatomy or --study (make compare ANATOMY=head_neck DATA=...)")
    if given.data is None:
        parser.error("give --data: a folder with one dataset per site (make compare DATA=<folder>)")
    # These take seconds to load: a slip of the pen is answered before, and a Ctrl-C meanwhile ends in a sentence.
    from experiments.compare.run import CompareSettings
    from experiments.compare.study_file import STUDIES, read_study

    study = read_study(given.study or STUDIES / f"{given.anatomy}.yaml")
    if given.anatomy and study.anatomy != given.anatomy:
        raise StudyError(f"expected a study of {given.anatomy}, found '{study.name}' of {study.anatomy}; correct one of them")
    return CompareSettings(
        study=study.only(given.schemes or None, given.seeds or None),
        data=given.data,
        output=given.output or Path("runs") / f"compare_{study.name}",
        processes=given.processes,
    )


def _whole_numbers(text: str) -> list[int]:
    try:
        numbers = [int(word) for word in text.split()]
    except ValueError:
        numbers = [-1]
    if any(number < 0 for number in numbers):
        raise argparse.ArgumentTypeError(f"expected whole numbers of at least 0 with blanks between, found '{text}'")
    return numbers


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, found '{text}'")
    return int(text)


def main() -> None:
    """Compares, and says where everything is."""
    settings = read_arguments(sys.argv[1:])
    from experiments.compare.run import compare

    print(f"saved: {compare(settings)}")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
