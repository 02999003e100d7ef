"""Whether what a run writes fits on the disks it is written to, and whether it may be written."""

import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from src.doctor.finding import Finding, failed, ok, warning
from src.doctor.needs import GIB, disk_bytes
from src.doctor.workplace import Workplace

_ROOM = 1.2  # logs, and what others write meanwhile


def check_disk(place: Workplace) -> Iterator[Finding]:
    """Room for prepared cases, checkpoints, snapshots and models, for each disk by itself."""
    needs = disk_bytes(place)
    by_disk: dict[int, list[Path]] = defaultdict(list)
    for folder in needs:
        there = _nearest(folder)
        if not os.access(there, os.W_OK | os.X_OK):
            yield failed("disk", f"{folder} cannot be written to by this user", f"sudo chown -R $USER {there}")
            return
        by_disk[there.stat().st_dev].append(folder)
    words = []
    for folders in by_disk.values():
        needed, free = sum(needs[folder] for folder in folders), shutil.disk_usage(_nearest(folders[0])).free
        named = ", ".join(map(str, folders))
        fix = f"df -h {_nearest(folders[0])}; free some, or link one of {named} to a larger disk"
        words.append(f"{named}: {free / GIB:.1f} GiB free, at most {max(needed / GIB, 0.01):.2f} needed")
        if free < needed:
            yield failed("disk", words[-1], fix)
            return
        if free < _ROOM * needed + GIB:
            yield warning("disk", words[-1], fix)
            return
    yield ok("disk", "; ".join(words))


def _nearest(folder: Path) -> Path:
    """The folder, or the lowest above it that is there: where it would be made."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())
