"""What a restart goes on from: nothing yet, a run that goes on, or what another run left."""

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError, safe_open

from src.doctor.finding import Finding, failed, ok, warning
from src.doctor.workplace import Workplace


def check_state_folder(place: Workplace) -> Iterator[Finding]:
    """Of this run, readable, and held by nobody or by this site's own process."""
    if not place.has_peers:
        return
    folder = place.state_folder
    running = "the site is running" if is_running(folder) else "the site is not running"
    found = {path.name: _facts(path) for path in sorted((folder / "checkpoint").glob("checkpoint*.safetensors"))}
    found = {name: facts for name, facts in found.items() if "spoiled" not in name}
    readable = [facts for facts in found.values() if facts is not None]
    if not found:
        yield ok("state folder", f"{running}; nothing saved yet in {folder}, it begins with round 0")
        return
    if not readable:
        cause = f"expected a checkpoint that can be read in {folder}, found none of {len(found)}"
        yield failed(
            "state folder", cause, f"restore {folder} from a backup; or {_away(folder)} and raise epoch in plan/peers.yaml"
        )
        return
    facts = readable[-1] if "checkpoint.safetensors" not in found else found["checkpoint.safetensors"] or readable[0]
    expected = {"federation_id": place.federation_id, "run_id": place.setting("collaborator.settings.run_id", str)}
    differing = [
        f"{name} {facts['run'].get(name)}, expected {value}"
        for name, value in expected.items()
        if facts["run"].get(name) != value
    ]
    if differing:
        yield failed("state folder", f"{folder} holds the state of another run: {'; '.join(differing)}", _away(folder))
    elif len(readable) < len(found):
        yield warning(
            "state folder", "the newest checkpoint cannot be read, the one before will be used", "df -h .; dmesg | tail"
        )
    else:
        yield ok("state folder", f"{running}; {facts['round']} rounds done")


def is_running(folder: Path) -> bool:
    """Whether a process holds the folder's lock; asks for a shared one, for the blink of an eye, and makes no file."""
    try:
        with (folder / "lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _facts(path: Path) -> dict | None:
    """What a checkpoint's header says; None when it cannot be read. The tensors are left alone."""
    try:
        with safe_open(str(path), framework="numpy") as file:
            facts = json.loads((file.metadata() or {})["facts"])
        return facts if isinstance(facts["run"], dict) and isinstance(facts["round"], int) else None
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None


def _away(folder: Path) -> str:
    return f"mv {folder} {folder}.before"
