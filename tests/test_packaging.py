"""The wheel is an OpenFL template and nothing else, and no secret and no patient can get into it."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

from experiments.federation.template import NEVER_SHIPPED, REPOSITORY, stage_template

TEMPLATE = "openfl-workspace/torch/oar_segmentation"
PLANTED = (
    *("plan/plan.key", "src/data/site.crt", "workspace/cert/client/col_a.key", "workspace/cert/cert_chain.crt", "src/ca.pem"),
    *(
        "data_prep/patient.nii.gz",
        "plan/patient.nii",
        "workspace/case.dcm",
        "workspace/save/best.safetensors",
        "plan/init.pbuf",
    ),
    *("src/site_a.card", "plan/site_a-1-2.model", "workspace/federation/site_b.card"),
    *("workspace/logs/site.log", "workspace/id_rsa", "workspace/.env", "workspace/local_state/tensor.db", "src/request.csr"),
)


def build_wheel(repository: Path, target: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True)
    return next(target.glob("*.whl"))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """A wheel of this tree into which keys, certificates and patients were planted, and without the protection of git."""
    repository = tmp_path_factory.mktemp("repository")
    for folder in ("workspace", "plan", "src", "data_prep"):
        copytree(REPOSITORY / folder, repository / folder, ignore=ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        (repository / file).write_bytes((REPOSITORY / file).read_bytes())
    for planted in PLANTED:
        (repository / planted).parent.mkdir(parents=True, exist_ok=True)
        (repository / planted).write_text("secret")
    return build_wheel(repository, tmp_path_factory.mktemp("wheel"))


def names_in(wheel: Path) -> list[str]:
    return zipfile.ZipFile(wheel).namelist()


def test_nothing_planted_is_in_the_wheel(wheel):
    names = names_in(wheel)
    assert not [name for name in names for planted in PLANTED if name.endswith(Path(planted).name)]
    archive = zipfile.ZipFile(wheel)
    assert not [name for name in names if archive.read(name) == b"secret"]


def test_wheel_installs_nothing_that_python_can_import(wheel):
    tops = {name.split("/")[0] for name in names_in(wheel)}
    assert tops == {"openfl-workspace", "openfl_oar-0.1.0.dist-info"}
    assert all(name.startswith(TEMPLATE) for name in names_in(wheel) if name.startswith("openfl-workspace"))


def test_staged_template_is_the_template_of_the_wheel(wheel, tmp_path):
    staged = stage_template(tmp_path / "template")
    on_disk = {path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file()}
    in_wheel = {name.removeprefix(f"{TEMPLATE}/") for name in names_in(wheel) if name.startswith(TEMPLATE)}
    assert on_disk == in_wheel
    assert {".workspace", "README.md", "requirements.txt", "plan/plan.yaml", "plan/cols.yaml", "plan/data.yaml"} <= on_disk
    assert {"plan/structures.yaml", "src/task_runner.py", "data_prep/__main__.py"} <= on_disk


def test_both_lists_of_what_is_never_shipped_agree():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    assert {pattern.rstrip("/") for pattern in project["tool"]["hatch"]["build"]["exclude"]} == set(NEVER_SHIPPED)


def test_requirements_of_a_workspace_are_the_dependencies():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    requirements = (REPOSITORY / "workspace" / "requirements.txt").read_text().split()
    assert requirements == project["project"]["dependencies"]


def test_every_dependency_is_pinned_as_tested():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    pinned = {line.split("==")[0].lower() for line in (REPOSITORY / "constraints.txt").read_text().splitlines() if "==" in line}
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {requirement.split(">")[0].split("=")[0].lower() for requirement in asked}
    assert names <= pinned


def test_sdist_holds_what_its_tests_need_and_no_secret(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    listing = subprocess.run(
        ["tar", "-tzf", next(tmp_path.glob("*.tar.gz"))], check=True, capture_output=True, text=True
    ).stdout
    names = [name.partition("/")[2] for name in listing.split()]
    assert {"src/errors.py", "tests/test_packaging.py", "experiments/__init__.py", "Makefile"} <= set(names)
    assert not [name for name in names if Path(name).suffix in {".key", ".crt", ".csr", ".nii", ".gz", ".safetensors"}]


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """A virtual environment with OpenFL of its own, so that a template can be installed beside it and removed again."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    ours = Path(sysconfig.get_paths()["purelib"])
    theirs = next(folder.glob("lib/python*/site-packages"))
    for package in ("openfl", "openfl-workspace"):
        copytree(ours / package, theirs / package, ignore=ignore_patterns("__pycache__", "oar_segmentation"))
    (theirs / "everything_else.pth").write_text(f"{ours}\n")
    (folder / "bin" / "fx").write_text(f"#!{folder}/bin/python\nfrom openfl.interface.cli import entry\nentry()\n")
    (folder / "bin" / "fx").chmod(0o755)
    return folder


def pip(environment: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True)


def fx(environment: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([environment / "bin" / "fx", *arguments], cwd=folder, capture_output=True, text=True)


def test_install_create_a_workspace_uninstall(wheel, environment, tmp_path):
    create = ("workspace", "create", "--prefix", "W", "--template", "torch/oar_segmentation")
    assert "torch/oar_segmentation" not in fx(environment, tmp_path, "workspace", "create", "--help").stdout
    before = {path for path in environment.rglob("*") if "__pycache__" not in path.parts}

    # The environment sees the packages of the one that runs the tests, and `make` installed this one there too.
    pip(environment, "install", "--no-deps", "--no-index", "--ignore-installed", str(wheel))
    assert "torch/oar_segmentation" in fx(environment, tmp_path, "workspace", "create", "--help").stdout
    created = fx(environment, tmp_path, *create)
    assert created.returncode == 0, created.stdout + created.stderr
    workspace = tmp_path / "W"
    for expected in ("src/task_runner.py", "plan/plan.yaml", "plan/structures.yaml", "data_prep/__main__.py", "README.md"):
        assert (workspace / expected).is_file(), expected
    assert "fx collaborator start" in (workspace / "README.md").read_text()

    python = environment / "bin" / "python"
    from_workspace = "import src.data.structures as s; print(len(list(s.load_structures())), s.__file__)"
    seen = subprocess.run([python, "-c", from_workspace], cwd=workspace, capture_output=True, text=True)
    assert seen.returncode == 0, seen.stderr
    assert str(workspace) in seen.stdout
    elsewhere = subprocess.run([python, "-c", "import src"], cwd=tmp_path, capture_output=True, text=True)
    assert "No module named 'src'" in elsewhere.stderr

    pip(environment, "uninstall", "--yes", "openfl-oar")
    assert {path for path in environment.rglob("*") if "__pycache__" not in path.parts} == before
