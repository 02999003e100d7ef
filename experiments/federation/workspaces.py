"""One OpenFL workspace per participant, made as ``fx workspace create`` makes it, each with the same plan."""

from contextlib import redirect_stdout
from pathlib import Path

from openfl.interface.workspace import create

from src.data.dataset import Dataset, check_name
from src.errors import DatasetError

AGGREGATOR = "aggregator"
# Signs certificates where there is no aggregator.
AUTHORITY = "authority"


def find_sites(root: Path) -> dict[str, Dataset]:
    """The datasets below a folder, by site; a site is named by its folder.

    Raises:
        DatasetError: the folder is missing or holds no dataset, or a name cannot be a site's.
    """
    found = sorted(index.parent for index in root.glob("*/dataset.json")) if root.is_dir() else []
    if not found:
        raise DatasetError(f"expected a folder with one dataset per site, found none at '{root.name}'; see docs/data.md")
    for folder in found:
        check_name("site", folder.name)
        if folder.name in (AGGREGATOR, AUTHORITY):
            raise DatasetError(f"a site cannot be called '{folder.name}'; rename its folder")
    return {folder.name: Dataset.open(folder) for folder in found}


def create_workspace(folder: Path, template: Path, plan: bytes, log: Path) -> None:
    """Makes a workspace from a staged template and puts the plan in it; OpenFL's listing goes to the log."""
    with log.open("a", encoding="utf-8") as file, redirect_stdout(file):
        create(str(folder.resolve()), str(template.resolve()))
    (folder / "plan" / "plan.yaml").write_bytes(plan)


def register_data(workspace: Path, site: str, dataset: Path) -> None:
    """Writes the one line of a site's ``plan/data.yaml``; no other site's path is in it."""
    (workspace / "plan" / "data.yaml").write_text(f"{site},{dataset.resolve()}\n", encoding="utf-8")


def link_cache(link: Path, target: Path) -> None:
    """Lets a workspace keep its prepared cases outside, where the next run of the same site finds them."""
    target.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target.resolve(), target_is_directory=True)
