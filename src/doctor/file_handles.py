"""How many files and connections a process may have open."""

import resource
from collections.abc import Iterator

from src.doctor.finding import Finding, failed, ok, warning
from src.doctor.workplace import Workplace

# Python with its libraries, logs and TensorBoard; and for each peer connections both ways and a spool.
_FEWEST, _PER_PEER, _PER_WORKER, _COMFORTABLE = 128, 8, 16, 1024


def check_file_handles(place: Workplace) -> Iterator[Finding]:
    """The soft limit against peers and worker processes."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        yield ok("file handles", "unlimited")
        return
    peers = len(place.roster) if place.has_peers else 1
    needed = _FEWEST + _PER_PEER * peers + _PER_WORKER * place.setting("data_loader.settings.num_workers", int)
    fix = "ulimit -n 4096; in a systemd unit LimitNOFILE=4096"
    if limit < needed:
        yield failed("file handles", f"{limit} allowed, at least {needed} needed", fix)
    elif limit < _COMFORTABLE:
        yield warning("file handles", f"{limit} allowed, {_COMFORTABLE} leave room", fix)
    else:
        yield ok("file handles", f"{limit} allowed, about {needed} needed")
