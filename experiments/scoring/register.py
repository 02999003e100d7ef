"""``python -m experiments.scoring.register``: writes down what a study has chosen, before its test patients are scored."""

import argparse
import sys
from pathlib import Path

from experiments.command import exit_code_of
from experiments.federation.template import REPOSITORY
from experiments.scoring.registration import register


def main() -> None:
    """Reads the command line and writes the registration."""
    parser = argparse.ArgumentParser(prog="python -m experiments.scoring.register", description=__doc__)
    parser.add_argument("--study", required=True, type=Path, help="folder of a study whose training runs are finished")
    parser.add_argument("--data", type=Path, help="folder with one dataset per site; by default what study.yaml says of it")
    given = parser.parse_args()
    path = register(given.study, given.data)
    print(path.read_text(encoding="utf-8"), end="")
    print(f"saved: {path.relative_to(REPOSITORY)}; commit it, then `make report RUN={given.study.resolve().name} FINAL=1`")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
