"""A plan's loader and task runner for one site, as ``fx collaborator start`` would make them."""

from pathlib import Path

from src.plan_signature import import_template
from src.task_runner import SegmentationTaskRunner

FEDERATION = "simulation"


def make_runner(plan: dict, site: str, data: Path, save: Path, logs: Path, cache: Path) -> SegmentationTaskRunner:
    """Prepares the site's cases and builds its network, with the weights that all sites begin with.

    Args:
        plan: checked.
        site: its name, under which its prepared cases are kept.
        data: its dataset.
        save, logs: folders under which the site gets one of its own.
        cache: folder of prepared cases, one below it per site.

    Raises:
        OarError: a setting or the dataset was refused.
    """
    loader, task_runner = plan["data_loader"], plan["task_runner"]
    data_loader = import_template("data_loader", loader["template"])(
        data_path=str(data), **{**loader["settings"], "cache_path": str(cache / site)}
    )
    runner = import_template("task_runner", task_runner["template"])(
        data_loader=data_loader,
        **{**task_runner["settings"], "save_path": str(save), "log_path": str(logs)},
    )
    runner.federation = FEDERATION
    return runner
