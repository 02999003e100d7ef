"""The synchronised folder, when the plan has this site meet others in it."""

import os
from collections.abc import Iterator

from src.doctor.finding import Finding, failed, ok
from src.doctor.workplace import Workplace


def check_shared_folder(place: Workplace) -> Iterator[Finding]:
    """Named in ``plan/peers.yaml``, mounted, and open for reading and writing."""
    if not place.exchanges:
        return
    met = place.folder_peers
    if not met:
        return
    path, named = place.peers.folder, ", ".join(met)
    if path is None:
        cause = f"this site meets {named} in the synchronised folder, and plan/peers.yaml names none"
        yield failed("shared folder", cause, "folder: <path> in plan/peers.yaml")
    elif not path.is_dir():
        yield failed(
            "shared folder", f"expected a folder at {path}, to meet {named} in; found none", f"mount {path}; ls -ld {path}"
        )
    elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield failed(
            "shared folder", f"{path} cannot be read and written by this user", f"ls -ld {path}; sudo chown $USER {path}"
        )
    else:
        yield ok("shared folder", f"{path}, to meet {named} in")
