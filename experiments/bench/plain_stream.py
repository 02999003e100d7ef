"""The yardstick: bytes over gRPC and mutual TLS, sent from memory, counted and thrown away.

Twice: in messages by the classes that gRPC generates, as any gRPC program sends them; and raw, as fast as gRPC for Python goes.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from src.exchange.messages_pb2 import Piece
from src.exchange.wire import PIECE_BYTES

_SERVICE = "bench.Plain"


class PlainServer:
    """Sends as many bytes as it is asked for.

    Args:
        files: paths of ``certificate``, ``private_key`` and ``root_certificate``.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        handlers = {
            "Raw": grpc.unary_stream_rpc_method_handler(_raw),
            "Messages": grpc.unary_stream_rpc_method_handler(_messages, response_serializer=Piece.SerializeToString),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
        key, certificate, root = _read(files)
        credentials = grpc.ssl_server_credentials([(key, certificate)], root, require_client_auth=True)
        self.port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self._server.start()


class PlainClient:
    """Receives them.

    Args:
        port: of the server; on this machine.
        server: its certified name.
        files: as ``PlainServer``.
    """

    def __init__(self, port: int, server: str, files: Mapping[str, str]) -> None:
        key, certificate, root = _read(files)
        options = [("grpc.ssl_target_name_override", server), ("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.secure_channel(f"127.0.0.1:{port}", grpc.ssl_channel_credentials(root, key, certificate), options)
        self._raw = channel.unary_stream(f"/{_SERVICE}/Raw")
        self._messages = channel.unary_stream(f"/{_SERVICE}/Messages", response_deserializer=Piece.FromString)

    def receive(self, num_bytes: int, in_messages: bool) -> int:
        """Returns the number of bytes that came."""
        request = str(num_bytes).encode()
        if in_messages:
            return sum(len(message.data) for message in self._messages(request))
        return sum(len(piece) for piece in self._raw(request))


def _raw(request: bytes, context):
    left, piece = int(request), bytes(PIECE_BYTES)
    while left > 0:
        yield piece[:left] if left < PIECE_BYTES else piece
        left -= PIECE_BYTES


def _messages(request: bytes, context):
    for piece in _raw(request, context):
        yield Piece(data=piece)


def _read(files: Mapping[str, str]) -> list[bytes]:
    return [Path(files[name]).read_bytes() for name in ("private_key", "certificate", "root_certificate")]
