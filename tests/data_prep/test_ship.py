"""A site that imports an exported workspace can prepare its data: by real fx commands, from the staged template to a check."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from openfl.interface.workspace import create

from data_prep.__main__ import main
from data_prep.ship import ship
from experiments.federation.template import stage_template
from src.errors import OarError
from tests.small_export import SmallPatient, write_export

FX = str(Path(sys.executable).parent / "fx")


def run_in(folder: Path, *command: str) -> str:
    """What a command printed; it must end with 0, and sees nothing of the repository."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    """A workspace named 'federation' and, in it, the archive that fx made of it. Read only."""
    folder = tmp_path_factory.mktemp("coordinator")
    template = stage_template(folder / "template")
    with contextlib.redirect_stdout(io.StringIO()):
        create(str(folder / "federation"), str(template))
    run_in(folder / "federation", FX, "workspace", "export")
    return folder / "federation"


@pytest.fixture
def workspace(exported, tmp_path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(exported, tmp_path / "federation"))


def names_in(archive: Path) -> list[str]:
    return zipfile.ZipFile(archive).namelist()


def test_a_site_imports_the_archive_and_prepares_data_in_it(workspace, tmp_path):
    told = run_in(workspace, sys.executable, "-m", "data_prep", "ship", "federation.zip")
    assert "fx workspace import --archive federation.zip" in told and "cd federation" in told
    site = tmp_path / "site"
    site.mkdir()
    shutil.move(workspace / "federation.zip", site)
    shutil.rmtree(workspace)

    run_in(site, FX, "workspace", "import", "--archive", "federation.zip")
    imported = site / "federation"
    patient = SmallPatient()
    patient.rois = {"Parotid Lt": patient.cylinder((17.3, 10.2), 5.0, 2, 7), "PTV": patient.cylinder((12.3, 10.2), 8.0, 2, 7)}
    write_export(site / "export", patient)
    data_prep = (sys.executable, "-m", "data_prep")
    assert "--allow-frame-mismatch" in run_in(imported, *data_prep, "convert", "--help")
    options = ("--input", str(site / "export"), "--output", "data/north", "--site", "north", "--anatomy", "head_neck")
    run_in(imported, *data_prep, "convert", *options)
    checked = run_in(imported, *data_prep, "check", "data/north")
    assert "north" in checked and "Parotid_L" in checked
    assert "fx workspace import" in (imported / "README.md").read_text(encoding="utf-8")


def test_the_archive_gets_every_file_of_data_prep_and_keeps_its_own(workspace):
    archive = workspace / "federation.zip"
    before = zipfile.ZipFile(archive)
    kept = {name: before.read(name) for name in before.namelist()}
    added, left_out = ship(archive, workspace)
    after = zipfile.ZipFile(archive)
    assert after.testzip() is None and left_out == []
    assert {name: after.read(name) for name in kept} == kept
    on_disk = {path for path in (workspace / "data_prep").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert set(added) == {path.relative_to(workspace).as_posix() for path in on_disk} | {"README.md"}
    assert set(after.namelist()) == set(kept) | set(added)
    assert all(after.read(name) == (workspace / name).read_bytes() for name in added)


def test_a_second_time_leaves_the_same_bytes_and_no_member_twice(workspace):
    archive = workspace / "federation.zip"
    ship(archive, workspace)
    once = archive.read_bytes()
    ship(archive, workspace)
    assert archive.read_bytes() == once
    assert len(names_in(archive)) == len(set(names_in(archive)))


def test_a_newer_data_prep_replaces_the_shipped_one(workspace):
    archive = workspace / "federation.zip"
    ship(archive, workspace)
    (workspace / "data_prep" / "pool.py").unlink()
    (workspace / "data_prep" / "split.py").write_text("# newer\n")
    ship(archive, workspace)
    assert "data_prep/pool.py" not in names_in(archive)
    assert zipfile.ZipFile(archive).read("data_prep/split.py") == b"# newer\n"


@pytest.mark.parametrize(
    "planted",
    ["IMG0001", "patient.dcm", "case.nii.gz", "data/names.csv", "cert/col_a.py", "site.key", "__pycache__/check.py", ".env"],
)
def test_patients_keys_and_caches_are_left_out_and_named(workspace, planted):
    path = workspace / "data_prep" / planted
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("secret")
    _, left_out = ship(workspace / "federation.zip", workspace)
    shipped = zipfile.ZipFile(workspace / "federation.zip")
    assert not [name for name in shipped.namelist() if shipped.read(name) == b"secret"]
    assert left_out == ([] if "__pycache__" in planted else [f"data_prep/{planted}"])


@pytest.mark.parametrize("missing", ["src/", "plan/plan.yaml", "requirements.txt"])
def test_an_archive_of_something_else_is_refused_and_left_alone(workspace, missing):
    archive = workspace / "other.zip"
    with zipfile.ZipFile(archive, "w") as other:
        for name in {"src/", "plan/plan.yaml", "requirements.txt"} - {missing}:
            other.writestr(name, "")
    before = archive.read_bytes()
    with pytest.raises(OarError, match=f"found no {missing} in other.zip"):
        ship(archive, workspace)
    assert archive.read_bytes() == before
    assert not list(workspace.glob(".*.partial"))


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-100], lambda data: data[:300] + b"\0" * 3000 + data[3300:], lambda _: b""]
)
def test_a_damaged_archive_is_refused_and_left_alone(workspace, damage):
    archive = workspace / "federation.zip"
    archive.write_bytes(damage(archive.read_bytes()))
    before = archive.read_bytes()
    with pytest.raises(OarError, match=r"federation\.zip is no whole zip archive"):
        ship(archive, workspace)
    assert archive.read_bytes() == before
    assert not list(workspace.glob(".*.partial"))


def test_outside_a_workspace_and_without_an_archive_it_says_what_to_do(workspace, capsys):
    with pytest.raises(OarError, match="run 'fx workspace export' first"):
        ship(workspace / "absent.zip", workspace)
    assert main(["ship", str(workspace / "federation.zip")]) == 1  # the repository is no workspace
    assert "change into the workspace" in capsys.readouterr().err
