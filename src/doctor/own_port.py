"""The port this site serves its model on."""

import errno
import socket
from collections.abc import Iterator

from src.doctor.finding import Finding, failed, ok
from src.doctor.state_folder import is_running
from src.doctor.workplace import Workplace
from src.exchange.address import split_address


def check_own_port(place: Workplace) -> Iterator[Finding]:
    """Free, or held by this site's own process."""
    if not place.exchanges:
        return
    listen = place.peers.listen
    if listen is None:
        yield ok("own port", "none: this site calls, and nobody calls it")
        return
    number = _refused(listen)
    port = split_address(listen)[1]
    if number is None:
        yield ok("own port", f"{listen} is free")
    elif number == errno.EADDRINUSE and is_running(place.state_folder):
        yield ok("own port", f"{listen} is held, as this site is running")
    elif number == errno.EADDRINUSE:
        cause = f"{listen} is taken by another program, while this site is not running"
        yield failed(
            "own port", cause, f"ss -ltnp 'sport = :{port}'; then end that program, or change listen in plan/peers.yaml"
        )
    elif number == errno.EACCES:
        yield failed("own port", f"{listen}: ports below 1024 are for root", 'listen: "0.0.0.0:50061" in plan/peers.yaml')
    else:
        cause = f"cannot listen on {listen} ({_words(number)}); it must be an address of this machine"
        yield failed("own port", cause, f'ip address; then listen: "0.0.0.0:{port}" in plan/peers.yaml')


def _refused(listen: str) -> int | None:
    """The system's error number for binding the address, as the server does; None when it may."""
    host, port = split_address(listen)
    try:
        # A literal address or localhost; no name server is asked for one's own address for long.
        family, kind, protocol, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As gRPC does: a connection that has just ended does not hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
    except OSError as error:
        return error.errno or errno.EADDRNOTAVAIL
    return None


def _words(number: int) -> str:
    # Name errors of getaddrinfo are negative.
    return errno.errorcode.get(number, "the name is unknown")
