"""The workspace template, staged from the repository as the wheel would install it."""

import shutil
from pathlib import Path

from data_prep.ship import NEVER_SHIPPED

REPOSITORY = Path(__file__).resolve().parents[2]


def stage_template(target: Path, repository: Path = REPOSITORY) -> Path:
    """Copies the four folders a workspace is made of to where the wheel maps them.

    Args:
        target: the folder to make; it must not be there.
        repository: where ``workspace``, ``plan``, ``src`` and ``data_prep`` lie.

    Returns:
        ``target``.
    """
    ignore = shutil.ignore_patterns(*NEVER_SHIPPED)
    shutil.copytree(repository / "workspace", target, ignore=ignore)
    for folder in ("plan", "src", "data_prep"):
        shutil.copytree(repository / folder, target / folder, ignore=ignore)
    return target
