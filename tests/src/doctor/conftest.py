"""A workspace for each test of the doctor."""

import pytest

from tests.src.doctor.workspace import Workspace, make_workspace


@pytest.fixture
def workspace(tmp_path, sphere_dataset, monkeypatch) -> Workspace:
    """Nothing is wrong in it, and it is the current folder; the peer is not started."""
    made = make_workspace(tmp_path / "workspace", sphere_dataset.path)
    monkeypatch.chdir(made.folder)
    return made
