"""Whether a training step fits into the memory that is free, of the machine and of the container."""

from collections.abc import Iterator
from pathlib import Path

from src.doctor.finding import Finding, failed, ok, warning
from src.doctor.needs import GIB, process_bytes
from src.doctor.state_folder import is_running
from src.doctor.workplace import Workplace

_MEMINFO = Path("/proc/meminfo")
# Version 2 of control groups; a limit of "max" is none.
_GROUP_LIMIT, _GROUP_USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")


def check_memory(place: Workplace) -> Iterator[Finding]:
    """Free memory against a training step on the processor."""
    free, needed = _free_bytes(), process_bytes(place)
    if free is None:
        yield ok("memory", f"about {needed / GIB:.1f} GiB needed; this system does not say how much is free")
        return
    cause = f"{free / GIB:.1f} GiB free, about {needed / GIB:.1f} needed to train on the processor"
    fix = "free -h; ps aux --sort=-rss | head; or the coordinator lowers batch_size or patch_voxels for all"
    if free >= needed or (place.has_peers and is_running(place.state_folder)):
        yield ok("memory", cause)
    elif free < needed / 2 and not _has_gpu():
        yield failed("memory", cause, fix)
    else:
        yield warning("memory", cause, fix)


def _free_bytes() -> int | None:
    """What the machine has left, or the container, whichever is less; None where neither says."""
    known = []
    if _MEMINFO.is_file():
        lines = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines() if ":" in line)
        known.append(int(lines["MemAvailable"].split()[0]) * 1024)
    if _GROUP_LIMIT.is_file() and (limit := _GROUP_LIMIT.read_text().strip()) != "max":
        known.append(int(limit) - int(_GROUP_USED.read_text()))
    return min(known) if known else None


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
