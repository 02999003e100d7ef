"""The processes that mean harm, kept running as long as the soak."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from experiments.federation.processes import process_environment
from experiments.federation.template import REPOSITORY
from experiments.soak.federation import GARBAGE, HONEST, IMPOSTOR, INSIDERS, PORT, ROSTER
from experiments.soak.namespaces import Namespaces
from src.exchange.membership import roster_digest
from src.exchange.snapshot import describe_file

_NOTES = "impostor.jsonl"


class Hostility:
    """Two insiders with certificates and an impostor; a context manager.

    The insiders are started at once. The impostor waits for an honest model on disk: it is to know everything but a key.

    Args:
        output: of the soak.
        data: the honest sites' datasets.
        workspaces: by site of the roster.
        namespaces: where each of them is.
        victim: the site that the impostor claims to be.
    """

    def __init__(self, output: Path, data: Path, workspaces: Mapping[str, Path], namespaces: Namespaces, victim: str) -> None:
        self._output, self._data, self._workspaces = output, data, workspaces
        self._namespaces, self._victim = namespaces, victim
        self._processes: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "Hostility":
        return self

    def __exit__(self, *_) -> None:
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()

    def keep(self) -> None:
        """Starts whoever is not there yet, once an honest model shows which federation this is."""
        waiting = [name for name in (*INSIDERS, IMPOSTOR) if name not in self._processes]
        membership = self._membership() if waiting else None
        if membership is None:
            return
        for name in waiting:
            module = "impostor" if name == IMPOSTOR else "hostile_process"
            settings = self._impostor(membership) if name == IMPOSTOR else self._insider(name, membership)
            command = [sys.executable, "-m", f"experiments.soak.{module}", json.dumps(settings)]
            with (self._output / "logs" / f"{name}.log").open("ab") as log:
                self._processes[name] = subprocess.Popen(
                    self._namespaces.command(name, *command),
                    cwd=REPOSITORY,
                    env=process_environment(1),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )

    def impostor_notes(self) -> list[dict]:
        """What came of the impostor's calls."""
        path = self._output / _NOTES
        if not path.is_file():
            return []
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]

    def _membership(self) -> dict | None:
        """What an honest snapshot says of the federation."""
        found = sorted(self._workspaces[HONEST[0]].glob(f"local_state/{HONEST[0]}/outbox/*.snapshot"))
        if not found:
            return None
        try:
            manifest = describe_file(found[-1]).manifest
        except FileNotFoundError:  # replaced by a newer one just now
            return None
        return {name: getattr(manifest, name) for name in ("federation_id", "run_id", "architecture_hash")}

    def _insider(self, name: str, membership: Mapping[str, str]) -> dict:
        return {
            "site": name,
            "workspace": str(self._workspaces[name].resolve()),
            "data": str((self._data / HONEST[0]).resolve()),
            "listen": f"0.0.0.0:{PORT}",
            "federation_id": membership["federation_id"],
        }

    def _impostor(self, membership: Mapping[str, str]) -> dict:
        certificates = self._workspaces[GARBAGE].resolve() / "cert"
        addresses = self._namespaces.addresses
        return {
            "folder": str((self._output / "impostor").resolve()),
            "victim": self._victim,
            # Its own namespace has the victim's address.
            "peers": {site: f"{addresses[site]}:{PORT}" for site in HONEST if site != self._victim},
            "listen": f"0.0.0.0:{PORT}",
            "insider": {
                "certificate": str(certificates / "client" / f"col_{GARBAGE}.crt"),
                "private_key": str(certificates / "client" / f"col_{GARBAGE}.key"),
                "root_certificate": str(certificates / "cert_chain.crt"),
            },
            "insider_name": GARBAGE,
            "membership": {**membership, "roster_digest": roster_digest(ROSTER), "initial_digest": "0" * 64},
            "record": str((self._output / _NOTES).resolve()),
        }
