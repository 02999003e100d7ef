"""The federation's certificates, made as its people would make them: requests travel, private keys stay where they are made."""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.federation.processes import Processes

_FX_BATCH = Path(__file__).with_name("fx_batch.py")


def fx_commands(*commands: Sequence[str]) -> list[str]:
    """One process that runs several fx commands in its workspace."""
    return [sys.executable, str(_FX_BATCH), json.dumps([list(command) for command in commands])]


def request_certificates(
    processes: Processes, commands: Sequence[Sequence[str]], authority: Path, sites: dict[str, Path], timeout_s: float
) -> None:
    """Makes what signs, by the authority's commands in its workspace, and each site's key and request in the site's own."""
    processes.start("certificate authority", fx_commands(*commands), authority)
    for site, workspace in sites.items():
        processes.start(
            f"request of {site}", fx_commands(["collaborator", "generate-cert-request", "-n", site, "-s"]), workspace
        )
    processes.wait(timeout_s)


def sign_requests(processes: Processes, authority: Path, sites: dict[str, Path], timeout_s: float) -> None:
    """Signs each site's request at the authority, registers the site in its ``cols.yaml``, and hands the answer back."""
    for site, workspace in sites.items():
        shutil.move(workspace / f"col_{site}_to_agg_cert_request.zip", authority)
    commands = [
        ["collaborator", "certify", "--request-pkg", f"col_{site}_to_agg_cert_request.zip", "-n", site, "--silent"]
        for site in sites
    ]
    processes.start("signing", fx_commands(*commands), authority)
    processes.wait(timeout_s)
    for site, workspace in sites.items():
        # What `fx collaborator certify --import` does, without starting OpenFL for it.
        shutil.unpack_archive(authority / f"agg_to_col_{site}_signed_cert.zip", workspace / "cert")
