"""What the scoring tests share; read only."""

import subprocess
from pathlib import Path

import pytest

from tests.experiments.scoring.runs import individual_run, make_data


@pytest.fixture(scope="package")
def data(tmp_path_factory) -> Path:
    """Two sites of spheres."""
    return make_data(tmp_path_factory.mktemp("scoring") / "data")


@pytest.fixture(scope="package")
def run(tmp_path_factory) -> Path:
    """A finished training run of each site by itself."""
    return individual_run(tmp_path_factory.mktemp("runs") / "individual" / "seed_0")


@pytest.fixture
def repository(tmp_path):
    """A clone of one's own, with a table of looks; ``commit`` commits all there is in it."""
    folder = tmp_path / "repository"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "results.md").write_text(
        "# Results\n\ntext\n\n## Looks at the test patients\n\n"
        "| date | run | model | why |\n|---|---|---|---|\n| 2026-11-21 | before | last | a table |\n"
    )
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    """Commits everything in a clone."""
    git = ["git", "-C", str(folder), "-c", "user.name=test", "-c", "user.email=test@localhost"]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "as it is"], check=True)
