"""``python -m src.doctor -n <site> -p <plan>``: what would stop this site's run, and what to do about it."""

import argparse
import logging
import time
import warnings
from pathlib import Path

from rich.console import Console

from src.doctor.finding import SOMETHING_FAILED, Finding, exit_code, failed
from src.doctor.lines import show, summary

_EXIT_CODES = "exit code: 0 all is well, 12 warnings alone, 1 something failed, 2 a mistyped command"


def main(arguments: list[str] | None = None) -> int:
    """Prints a line for each check.

    Returns:
        The exit code.
    """
    began = time.monotonic()
    given = _read_arguments(arguments)
    # What the modules of the run would say has no place between the lines.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        findings = print_findings(given, Console())
    except ImportError as error:
        # What the checks themselves are made of: without it there is nothing to check with.
        show(Console(), failed("packages", f"a package is missing or broken ({error})", "pip install -r requirements.txt"))
        return SOMETHING_FAILED
    print(f"{summary(findings)}, in {time.monotonic() - began:.1f} s", flush=True)
    return exit_code(findings)


def print_findings(given: argparse.Namespace, console: Console) -> list[Finding]:
    """Examines, and prints each finding when it is known."""
    from src.doctor.checks import CHECKS
    from src.doctor.run import examine
    from src.doctor.workplace import Workplace

    findings = []
    for finding in examine(Workplace(given.name, given.plan, given.data_config), CHECKS):
        show(console, finding)
        findings.append(finding)
    return findings


def _read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m src.doctor", description=__doc__, epilog=_EXIT_CODES)
    parser.add_argument("-n", "--name", required=True, help="this site's name, as given to fx")
    parser.add_argument("-p", "--plan", type=Path, default=Path("plan/plan.yaml"), help="plan file (default: %(default)s)")
    parser.add_argument("-d", "--data-config", type=Path, default=Path("plan/data.yaml"), help="default: %(default)s")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
