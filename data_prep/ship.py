"""``ship``: puts data_prep into an archive of ``fx workspace export``, so that a site which imports it can prepare its data.

OpenFL exports a fixed list: src, plan, save, requirements.txt and .workspace. ``python -m data_prep`` needs a folder of that
name at the top of the workspace, and nothing in the list can bring one; so it is added to the archive afterwards.
"""

import argparse
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from copy import copy
from fnmatch import fnmatch
from pathlib import Path

from src.errors import OarError

# What pyproject.toml keeps out of the wheel; a test holds the two lists together.
NEVER_SHIPPED = (
    *("*.key", "*.crt", "*.csr", "*.srl", "*.pem", "*.p12", "*.pfx", "id_rsa*", "id_ed25519*", ".env"),
    *("*.nii", "*.nii.gz", "*.dcm", "*.mha", "*.nrrd"),
    *("*.safetensors", "*.snapshot", "*.card", "*.model", "*.pbuf", "*.pt", "*.pth", "*.ckpt", "*.db"),
    *("cert", "logs", "save", "local_state", "runs", "__pycache__", "*.py[cod]", "*.partial"),
)
# Of data_prep only what it is made of: an export lying in it may consist of files without any suffix.
_SUFFIXES = (".py", ".csv", ".yaml", ".jinja")
_FOLDER, _GUIDE = "data_prep", "README.md"
_EXPORTED = ("src/", "plan/plan.yaml", "requirements.txt")
_WORKSPACE = Path(__file__).resolve().parents[1]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("archive", type=Path, help="the zip that 'fx workspace export' wrote; it is replaced in one step")


def run(arguments: argparse.Namespace) -> int:
    """Ships; 0 when the archive holds data_prep."""
    added, left_out = ship(arguments.archive)
    name = arguments.archive.name
    tables = [file for file in added if not file.endswith((".py", _GUIDE))]
    print(f"{name}: holds {_FOLDER}/ ({len(added) - 1} files) and {_GUIDE}; not Python among them: {', '.join(tables)}")
    if left_out:
        print(f"left out, no part of {_FOLDER}: {', '.join(left_out)}")
    print(
        f"\nSend it to the sites. Each types\n\n    fx workspace import --archive {name}\n    cd {name.split('.')[0]}\n"
        "    pip install -r requirements.txt\n    python -m data_prep --help\n\nand goes on with step 2 of its README.md."
    )
    return 0


def ship(archive: Path, workspace: Path = _WORKSPACE) -> tuple[list[str], list[str]]:
    """Adds a workspace's data_prep and README.md to its archive; what the archive held of them before is replaced.

    Done again it leaves the same bytes. The archive is replaced at the end, in one step: stopped before, it is as it was.

    Args:
        archive: a zip that ``fx workspace export`` wrote.
        workspace: where data_prep and README.md are taken from.

    Returns:
        Names within the archive of what was added, and names of what was left out: patients, keys, files of another kind.

    Raises:
        OarError: ``workspace`` is none, or ``archive`` is no archive of one.
    """
    if not (workspace / ".workspace").is_file():
        raise OarError("expected to run in a workspace, found no .workspace here; change into the workspace that was exported")
    added, left_out = _split(workspace)
    partial = archive.with_name(f".{archive.name}.partial")
    try:
        with zipfile.ZipFile(archive) as old:
            _check_exported(archive.name, old.namelist())
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as new:
                _copy(old, new)
                for name in added:
                    # Without a date of its own, or the same files would make other bytes.
                    new.writestr(_entry(name), (workspace / name).read_bytes())
        shutil.copymode(archive, partial)
        partial.replace(archive)
    except FileNotFoundError:
        raise OarError(f"expected the archive {archive.name}, found no such file; run 'fx workspace export' first") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise OarError(f"{archive.name} is no whole zip archive ({error}); run 'fx workspace export' again") from None
    finally:
        partial.unlink(missing_ok=True)
    return added, left_out


def _split(workspace: Path) -> tuple[list[str], list[str]]:
    added, left_out = [], []
    for path in sorted((workspace / _FOLDER).rglob("*")):
        inside = path.relative_to(workspace)
        if "__pycache__" in inside.parts or not path.is_file():
            continue
        (left_out if _is_foreign(inside) else added).append(inside.as_posix())
    return [*added, _GUIDE], left_out


def _is_foreign(inside: Path) -> bool:
    never = any(fnmatch(part, pattern) for part in inside.parts for pattern in (*NEVER_SHIPPED, "data"))
    return never or inside.suffix not in _SUFFIXES


def _check_exported(archive: str, names: Iterable[str]) -> None:
    names = list(names)
    if absent := [wanted for wanted in _EXPORTED if not any(name.startswith(wanted) for name in names)]:
        raise OarError(
            f"expected an archive of 'fx workspace export', found no {absent[0]} in {archive}; run the export in the workspace"
        )


def _copy(old: zipfile.ZipFile, new: zipfile.ZipFile) -> None:
    for entry in _kept(old.infolist()):
        with old.open(entry) as source:
            if entry.is_dir():
                new.writestr(copy(entry), b"")
                continue
            with new.open(copy(entry), "w") as target:
                shutil.copyfileobj(source, target)


def _kept(entries: Iterable[zipfile.ZipInfo]) -> Iterator[zipfile.ZipInfo]:
    yield from (entry for entry in entries if entry.filename != _GUIDE and not entry.filename.startswith(f"{_FOLDER}/"))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return entry
