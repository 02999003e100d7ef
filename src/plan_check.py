"""Checks a plan before OpenFL builds anything of it.

OpenFL swallows unknown settings of ``network`` and of several of its classes, ignores sections it does not know, and reads
``defaults:`` that are not there without a word. Here every section must hold exactly what the class it names takes.

    python -m src.plan_check plan/plans/fedavg_phantom/plan.yaml
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import click
import yaml

from src.errors import PlanSettingError
from src.plan_sections import check_plan
from src.plan_signature import import_template
from src.process_edge import process_edge


def running_plan() -> dict | None:
    """The parsed plan file of the ``fx`` command that runs this process; None outside ``fx``."""
    context = click.get_current_context(silent=True)
    if context is None:
        return None
    path = context.params.get("plan") or context.params.get("plan_config")
    if path is None or not Path(path).is_file():
        return None
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def check_running_plan() -> None:
    """Checks the plan of the running ``fx`` command; does nothing outside ``fx``.

    Raises:
        PlanSettingError: see ``check_plan``.
    """
    plan = running_plan()
    if plan is not None:
        check_plan(plan)


def build_task_runner(config: Mapping):
    """The plan's task runner without data, which checks every value that only its class understands.

    Raises:
        PlanSettingError: a value is impossible.
    """
    loader, runner = config["data_loader"], config["task_runner"]
    data_loader = import_template("data_loader", loader["template"])(data_path=None, **loader["settings"])
    return import_template("task_runner", runner["template"])(data_loader=data_loader, **runner["settings"])


def main(arguments: list[str] | None = None) -> None:
    """Checks the plans given on the command line, and builds what they name."""
    parser = argparse.ArgumentParser(prog="python -m src.plan_check", description="Check plans before anything runs.")
    parser.add_argument("plans", nargs="+", type=Path, help="plan.yaml files")
    for path in parser.parse_args(arguments).plans:
        with process_edge():
            config = _read_plan(path)
            try:
                check_plan(config)
                build_task_runner(config)
            except PlanSettingError as error:
                raise PlanSettingError(f"{path}: {error}") from error
        print(f"{path}: in order")


def _read_plan(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PlanSettingError(f"expected a plan at '{path}', found none that can be read ({error})") from error


if __name__ == "__main__":
    main()
