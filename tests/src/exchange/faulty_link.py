"""A line between two sites that can be cut, hold its breath, or drip; it counts every byte that passes."""

import contextlib
import socket
import threading
import time

_CHUNK_BYTES = 16 * 1024


class FaultyLink:
    """Listens on a port of its own and passes everything on to another; a context manager.

    What goes wrong is set at any time, and concerns what flows back from the server:

    Attributes:
        cut_after_bytes: further bytes after which all connections are cut, once; None for never.
        stalled: whether nothing flows while connections stay.
        bytes_per_second: how fast it flows; None for as fast as it can.
        to_server_bytes, to_client_bytes: what has passed.
        connections: how many were made.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._left_bytes: int | None = None
        self.stalled = False
        self.bytes_per_second: int | None = None
        self.to_server_bytes = self.to_client_bytes = self.connections = 0
        self._open: list[socket.socket] = []
        self._count = threading.Lock()  # of what is open and how much may still pass
        self._closed = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> "FaultyLink":
        return self

    def __exit__(self, *error) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)

    @property
    def cut_after_bytes(self) -> int | None:
        return self._left_bytes

    @cut_after_bytes.setter
    def cut_after_bytes(self, left_bytes: int | None) -> None:
        with self._count:
            self._left_bytes = left_bytes

    def cut(self) -> None:
        """Breaks every connection there is now; one that is made later is left alone."""
        with self._count:
            ends, self._open = self._open, []
        _break(ends)

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            self.connections += 1
            with self._count:
                self._open = [end for end in self._open if end.fileno() >= 0] + [client, server]
            thread = threading.Thread(target=self._carry, args=(client, server), daemon=True)
            self._threads = [old for old in self._threads if old.is_alive()] + [thread]
            thread.start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=self._to_client, args=(client, server), daemon=True)
        back.start()
        self._to_server(client, server)
        back.join()
        client.close()  # not before nobody reads or writes: its number would be the next connection's
        server.close()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(_CHUNK_BYTES):
                server.sendall(data)
                self.to_server_bytes += len(data)
        _break([client, server])

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(min(_CHUNK_BYTES, self.bytes_per_second or _CHUNK_BYTES)):
                while self.stalled and not self._closed:
                    time.sleep(0.02)
                passes_at = time.monotonic() + len(data) / (self.bytes_per_second or 1e9)
                while time.monotonic() < passes_at and not self._closed:
                    time.sleep(min(0.02, max(0.0, passes_at - time.monotonic())))
                client.sendall(data)
                self.to_client_bytes += len(data)
                _break(self._cut_now(len(data)))
        _break([client, server])

    def _cut_now(self, passed_bytes: int) -> list[socket.socket]:
        """What is to be broken because these bytes were the last ones allowed: all there is, or nothing."""
        with self._count:
            if self._left_bytes is None:
                return []
            self._left_bytes -= passed_bytes
            if self._left_bytes > 0:
                return []
            ends, self._open, self._left_bytes = self._open, [], None
            return ends


def _break(ends: list[socket.socket]) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
