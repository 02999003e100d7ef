"""Somebody outside of the federation who wants in: false certificates, true ones of nobody, true ones with another's name.

It calls every site again and again, and answers at a site's address while the network takes its packets there. Run as
``python -m experiments.soak.impostor '<JSON>'`` in its own namespace: what ``ImpostorSettings`` holds.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import grpc

from experiments.bench.certificates import make_certificates
from src.exchange import messages, rpc, wire
from src.exchange.membership import Description, Greeting, Membership, SiteState
from src.exchange.server import ExchangeServer
from src.exchange.transport import PeerRefused

_PAUSE_S = 5.0
_TIMEOUT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class ImpostorSettings:
    """Attributes:
    folder: for its certificates.
    victim: whose name it claims, and at whose address it answers at times.
    peers: ``host:port`` of the sites it calls.
    listen: ``host:port``.
    insider: certificate, key and chain of a true site, ``insider_name``, that it stole.
    membership: what the sites must agree on; it knows all of it.
    record: file to which it writes what came of each call, a JSON line each.
    """

    folder: str
    victim: str
    peers: dict
    listen: str
    insider: dict
    insider_name: str
    membership: dict
    record: str


class NothingToSay:
    """The ``Service`` at the stolen address: nobody should ever get to it."""

    def __init__(self, record: Path) -> None:
        self._record = record

    def greet(self, caller: str, greeting: Greeting, *, wanted_round: int | None) -> Description:
        """Notes that somebody believed it."""
        _note(self._record, {"believed_by": caller})
        raise PeerRefused("busy", "later")

    open_snapshot = count_sent = receive = greet


def main(settings: ImpostorSettings) -> None:
    """Tries until it is killed."""
    folder, record = Path(settings.folder), Path(settings.record)
    forged = make_certificates(folder, [settings.victim])[settings.victim]
    files = {kind: Path(path) for kind, path in forged.items()}
    server = ExchangeServer(
        NothingToSay(record), bind_address=settings.listen, roster=list(settings.peers), max_pulls=1, **files
    )
    server.start()
    membership = Membership(**settings.membership)
    tries = {
        "certificate of another authority": (settings.victim, forged),
        "another site's name": (settings.victim, settings.insider),
        "another run": (settings.insider_name, settings.insider),
    }
    print("the impostor calls", flush=True)
    while True:
        for site, address in settings.peers.items():
            for kind, (name, certificates) in tries.items():
                said = Membership(**{**settings.membership, "run_id": "other"}) if kind == "another run" else membership
                found = _call(
                    site, address, Greeting(site=name, membership=said, state=SiteState.TRAINING), certificates, settings
                )
                _note(record, {"site": site, "try": kind, "found": found})
        time.sleep(_PAUSE_S)


def _call(site: str, address: str, greeting: Greeting, certificates: dict, settings: ImpostorSettings) -> str:
    """What came of a ``Describe``: ``answered``, the reason of a refusal, or gRPC's code."""
    files = {kind: Path(path).read_bytes() for kind, path in certificates.items()}
    # It trusts whoever answers: it knows the true chain from its stolen files.
    root = Path(settings.insider["root_certificate"]).read_bytes()
    credentials = grpc.ssl_channel_credentials(root, files["private_key"], files["certificate"])
    options = [("grpc.ssl_target_name_override", site), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.secure_channel(address, credentials, options=options) as channel:
        try:
            rpc.stub_of(channel).Describe(messages.describe_request(greeting, None), timeout=_TIMEOUT_S)
        except grpc.RpcError as error:
            refused = wire.read_refusal(error)
            return refused.reason if refused else error.code().name
    return "answered"


def _note(record: Path, facts: dict) -> None:
    with record.open("a", encoding="utf-8") as file:
        file.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main(ImpostorSettings(**json.loads(sys.argv[1])))
