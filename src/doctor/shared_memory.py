"""``/dev/shm`` against the processes that cut patches: a container has 64 MB of it unless told otherwise."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from src.doctor.finding import Finding, failed, ok
from src.doctor.needs import shared_bytes
from src.doctor.workplace import Workplace

_SHARED = Path("/dev/shm")
_MIB = 1 << 20


def check_shared_memory(place: Workplace) -> Iterator[Finding]:
    """Room for the batches that are ready."""
    needed = shared_bytes(place)
    if not needed:
        yield ok("shared memory", "none needed: num_workers is 0")
        return
    if not _SHARED.is_dir():
        yield ok("shared memory", "this system has no /dev/shm")
        return
    free = shutil.disk_usage(_SHARED).free
    cause = f"/dev/shm has {free / _MIB:.0f} MiB free, {needed / _MIB:.0f} needed for num_workers of the plan"
    if free < needed:
        size_gib = 2 * needed // (1 << 30) + 1
        fix = f"docker run --shm-size={size_gib}g …; or sudo mount -o remount,size={size_gib}G /dev/shm"
        yield failed("shared memory", cause, fix)
    else:
        yield ok("shared memory", cause)
