"""``plan/peers.yaml``, which comes by mail as often as not."""

import tempfile
from functools import cache
from pathlib import Path

from src.errors import PlanSettingError
from src.exchange.peers_file import read_peers
from tests.fuzz.refusals import check_sentence
from tests.fuzz.small_federation import ROSTER


def seeds() -> list[bytes]:
    """Addresses of every kind, and what YAML can do beside."""
    return [
        b"listen: 0.0.0.0:50051\nepoch: 1\npeers:\n  site_b: host.example:50051\n  site_c: '[::1]:1'\nfolder: /mnt/folder\n",
        b"listen: null\nepoch: 2\npeers: {site_b: null, site_c: 10.0.0.1:65535}\n",
        b"a: &a [1, 2]\nb: [*a, *a]\n<<: {listen: null}\n",
        b"? [1]\n: !!binary aGk=\n--- 2026-01-01\n",
    ]


def check(content: bytes) -> None:
    """Every peer and no other, or a sentence that says what is wrong."""
    path = Path(_folder().name) / "peers.yaml"
    path.write_bytes(content)
    try:
        found = read_peers(path, ROSTER, "site_a")
    except PlanSettingError as error:
        check_sentence(str(error))
        return
    assert set(found.peers) == set(ROSTER) - {"site_a"} and found.epoch >= 1, "an impossible file was taken"


@cache
def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="fuzz-peers-")
