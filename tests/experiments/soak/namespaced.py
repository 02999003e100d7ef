"""What tests of real namespaces need: this machine must give them."""

import subprocess
import sys

import pytest

from experiments.soak.namespaces import Namespaces, NoNamespaces, address_of

# Takes a connection, counts its bytes, and says how many there were.
COUNTING_SERVER = """
import socket
server = socket.create_server(("0.0.0.0", 5000))
print("listens", flush=True)
while True:
    line, _ = server.accept()
    count = 0
    while data := line.recv(65536):
        count += len(data)
    line.sendall(str(count).encode())
    line.close()
"""
# Sends so many bytes to an address; prints the seconds it took to connect, and until all was counted.
CLIENT = """
import socket, sys, time
began = time.monotonic()
line = socket.create_connection((sys.argv[1], 5000), timeout=float(sys.argv[3]))
connected = time.monotonic()
line.sendall(b"x" * int(sys.argv[2]))
line.shutdown(socket.SHUT_WR)
assert int(line.recv(32)) == int(sys.argv[2])
print(connected - began, time.monotonic() - connected)
"""


def refusal() -> str | None:
    """Why there are no namespaces here; None where there are."""
    try:
        with Namespaces({"probe": address_of(0)}):
            return None
    except NoNamespaces as error:
        return str(error)


_REFUSAL = refusal()
needs_namespaces = pytest.mark.skipif(_REFUSAL is not None, reason=str(_REFUSAL))


def serve(namespaces: Namespaces, site: str) -> subprocess.Popen:
    """Starts the counting server in a site's namespace, and waits until it listens."""
    command = namespaces.command(site, sys.executable, "-S", "-c", COUNTING_SERVER)
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "listens\n"
    return server


def send(namespaces: Namespaces, site: str, address: str, num_bytes: int, timeout_s: float = 5.0) -> tuple[float, float] | None:
    """Seconds to connect and to send; None when nobody answered."""
    command = namespaces.command(site, sys.executable, "-S", "-c", CLIENT, address, str(num_bytes), str(timeout_s))
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return tuple(float(part) for part in ended.stdout.split()) if ended.returncode == 0 else None
