"""Calls every peer at once, as ``fx collaborator ping`` does: a look at its certificate, then a question that changes nothing.

The look begins before this site knows what it would say (its network's architecture takes seconds to work out), so that an
address that does not answer costs no time of its own.
"""

import threading
import time
from dataclasses import dataclass

from src.doctor.workplace import Workplace
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.membership import Description, Greeting, SiteState
from src.exchange.transport import PeerUnreachable

CONNECT_S, ANSWER_S = 4.0, 3.0
_LATEST_S = 25.0  # beside loading: for the network's architecture, on a machine that is busy
_LOOK_S = 0.5


@dataclass(frozen=True, kw_only=True)
class PeerAnswer:
    """What came of calling a peer.

    Attributes:
        address: that was called; None when there is none.
        description: its answer; None when there was none.
        fault: why there was none; None also when nobody was called.
        certified: whether it showed its certificate, in its name.
        clock_ahead_s: its clock less ours, None when it does not say; ``clock_doubt_s``: how far that may be off.
    """

    address: str | None
    description: Description | None = None
    fault: Exception | None = None
    certified: bool = False
    clock_ahead_s: float | None = None
    clock_doubt_s: float = 0.0


class _Caller(GrpcTransport):
    """A transport that can look at a certificate before it has anything to say."""

    def look(self, peer: str, timeout_s: float) -> None:
        """Sees whether the peer is there and who it is; the connection serves the next call.

        Raises:
            PeerUnreachable, PeerRefused: as every call.
        """
        self._line(peer, time.monotonic() + timeout_s)


def ask_all(place: Workplace) -> dict[str, PeerAnswer]:
    """The answer of each peer of ``plan/peers.yaml``.

    Raises:
        Unavailable: there is no ``plan/peers.yaml`` that can be used.
        FederationError, PeerRefused: this site's own certificate cannot be used.
    """
    addresses = place.peers.peers
    files = dict(certificate=place.certificate, private_key=place.private_key, root_certificate=place.chain)
    caller = _Caller(addresses, own=place.site, **files)
    answers: dict[str, PeerAnswer] = {}

    def ask(peer: str) -> None:
        answers[peer] = _ask(place, caller, peer)

    threads = [threading.Thread(target=ask, args=(peer,), daemon=True) for peer in addresses]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    while any(thread.is_alive() for thread in threads) and place.left_s(began, _LATEST_S) > 0:
        for thread in threads:
            thread.join(_LOOK_S / len(threads))
    caller.close()
    late = PeerUnreachable("it was not asked in time")
    return {peer: answers.get(peer, PeerAnswer(address=address, fault=late)) for peer, address in addresses.items()}


def _ask(place: Workplace, caller: _Caller, peer: str) -> PeerAnswer:
    address, certified = place.peers.peers[peer], False
    if address is None:
        return PeerAnswer(address=None)
    try:
        caller.look(peer, CONNECT_S)
        certified = True
        # What this site says of its state is remembered by nobody: it is a question.
        greeting = Greeting(site=place.site, membership=place.membership, state=SiteState.TRAINING, is_question=True)
        sent, began = time.time(), time.monotonic()
        found = caller.describe(peer, greeting, wanted_round=None, timeout_s=ANSWER_S)
    except Exception as error:  # also that this site does not know what to say
        return PeerAnswer(address=address, fault=error, certified=certified)
    doubt_s = (time.monotonic() - began) / 2
    ahead_s = None if found.unix_time_s is None else found.unix_time_s - (sent + doubt_s)
    return PeerAnswer(address=address, description=found, certified=True, clock_ahead_s=ahead_s, clock_doubt_s=doubt_s)


def system_error(fault: BaseException | None) -> OSError | None:
    """The system's own word on why nobody could be reached, from which a fault came."""
    while fault is not None:
        if isinstance(fault, OSError):
            return fault
        fault = fault.__cause__
    return None
