"""Addresses as people write them: ``host:port``, an IPv6 host in brackets."""

import re

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})")


def split_address(address: str) -> tuple[str, int]:
    """Host and port.

    Raises:
        ValueError: saying what is wrong with it.
    """
    match = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if match is None:
        raise ValueError(f"expected host:port, such as site-b.example.org:50061 or [2001:db8::1]:50061, found {address!r:.80}")
    port = int(match["port"])
    if not 1 <= port <= 65535:
        raise ValueError(f"expected a port from 1 to 65535, found {port}")
    return match["six"] or match["host"], port
