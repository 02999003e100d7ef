"""Calls peers over gRPC and TLS; every certificate is looked at before gRPC sees it, and every wait has an end.

A connection is kept for the next call. When a call fails for want of one it is given up, and the next begins with another
look at the peer's certificate: it may have been renewed.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc

from src.exchange import messages, messages_pb2, messages_pb2_grpc, rpc, wire
from src.exchange.credentials import Credentials
from src.exchange.identity import checked_certificate
from src.exchange.membership import Description, Greeting
from src.exchange.push_parts import PushParts
from src.exchange.spool import Spool
from src.exchange.transport import PeerRefused, PeerUnreachable, check_describer, check_offer

_PAUSE_S = 0.5  # before a broken connection is tried again


class _NoConnection(PeerUnreachable):
    """Not even a connection came about."""


@dataclass
class _Line:
    """An open channel; ``checks`` connections were opened to look at the peer's certificate and are not yet announced."""

    channel: grpc.Channel
    stub: messages_pb2_grpc.ExchangeStub
    checks: int

    def metadata(self) -> tuple[tuple[str, str], ...]:
        checks, self.checks = self.checks, 0
        return wire.checks_metadata(checks)


class GrpcTransport:
    """A ``Transport`` over gRPC; for any thread.

    Args:
        addresses: peer -> ``host:port``, or None for a peer that nobody can call.
        certificate, private_key, root_certificate: PEM files, as OpenFL makes them.
        own: this site's name.

    Raises:
        FederationError: the files do not hold what they should.
        PeerRefused: the certificate is not one of ``own``; every peer would refuse it.
    """

    def __init__(
        self, addresses: Mapping[str, str | None], *, certificate: Path, private_key: Path, root_certificate: Path, own: str
    ) -> None:
        self._addresses = dict(addresses)
        self._credentials = Credentials(Path(certificate), Path(private_key), Path(root_certificate))
        self._context = self._credentials.context()
        self._credentials.check_name(own)
        self._lock = threading.Lock()
        self._lines: dict[str, _Line] = {}

    def describe(self, peer: str, greeting: Greeting, *, wanted_round: int | None, timeout_s: float) -> Description:
        """See ``Transport``."""
        deadline = time.monotonic() + timeout_s
        request = messages.describe_request(greeting, wanted_round)
        kept = peer in self._lines
        try:
            answer = self._describe(peer, request, deadline)
        except PeerUnreachable:
            # The peer may have restarted since the connection was last used.
            if not kept or time.monotonic() >= deadline:
                raise
            answer = self._describe(peer, request, deadline)
        description = messages.read_description(answer)
        check_describer(peer, description)
        return description

    def pull(self, peer: str, greeting: Greeting, description: Description, target: Path, *, timeout_s: float) -> int:
        """See ``Transport``."""
        deadline = time.monotonic() + timeout_s
        check_offer(peer, description)
        fetched_bytes = 0
        with Spool(target, description.sha256, description.size_bytes) as spool:
            fetched_bytes += self._fill(peer, greeting, spool, description, deadline)
            if spool.resumed_bytes and not spool.digest_fits():
                # Not the peer's fault: after a power failure the kept part may be other than what once arrived.
                spool.restart()
                fetched_bytes += self._fill(peer, greeting, spool, description, deadline)
            spool.finish()
        return fetched_bytes

    def push(
        self,
        peer: str,
        greeting: Greeting,
        description: Description,
        snapshot: Path,
        *,
        timeout_s: float,
        count_sent: Callable[[int], object],
    ) -> int:
        """See ``Pusher``."""
        deadline = time.monotonic() + timeout_s
        announcement = messages.announcement_part(greeting, description)
        sent_bytes = 0

        def count(num_bytes: int) -> None:
            nonlocal sent_bytes
            sent_bytes += num_bytes
            count_sent(num_bytes)

        while True:
            try:
                self._bring(peer, announcement, PushParts(snapshot, description.size_bytes, count), deadline)
                return sent_bytes
            except PeerUnreachable as error:
                if isinstance(error, _NoConnection) or time.monotonic() + _PAUSE_S >= deadline:
                    raise
                time.sleep(_PAUSE_S)

    def close(self) -> None:
        """See ``Transport``."""
        with self._lock:
            lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            line.channel.close()

    def _fill(self, peer: str, greeting: Greeting, spool: Spool, description: Description, deadline: float) -> int:
        """Fetches what a spool lacks, over as many connections as it takes; returns the bytes that came."""
        start = spool.offset
        while not spool.whole:
            try:
                self._receive(peer, greeting, spool, description, deadline)
            except PeerUnreachable as error:
                never_there = isinstance(error, _NoConnection) and spool.offset == start
                if never_there or time.monotonic() + _PAUSE_S >= deadline:
                    raise PeerUnreachable(
                        f"{error}; expected {description.size_bytes} bytes of its snapshot, found {spool.offset}, kept"
                    ) from error
                time.sleep(_PAUSE_S)
        return spool.offset - start

    def _receive(self, peer: str, greeting: Greeting, spool: Spool, description: Description, deadline: float) -> None:
        line = self._line(peer, deadline)
        request = messages.pull_request(greeting, description.sha256, spool.offset)
        call = line.stub.Pull(request, timeout=_remaining_s(deadline), metadata=line.metadata())
        try:
            for piece in call:
                spool.append(piece)
        except grpc.RpcError as error:
            raise self._failure(peer, line, error) from error
        finally:
            call.cancel()
        if not spool.whole:
            raise PeerRefused("size", f"expected a snapshot of {description.size_bytes} bytes, found its end at {spool.offset}")

    def _bring(self, peer: str, announcement: messages_pb2.PushPart, parts: PushParts, deadline: float) -> None:
        line = self._line(peer, deadline)
        call = line.stub.Push(parts.after(announcement), timeout=_remaining_s(deadline), metadata=line.metadata())
        try:
            parts.begin_at(messages.read_push_answer(next(call), parts.size_bytes))
            there_bytes = messages.read_push_answer(next(call), parts.size_bytes)
        except StopIteration as end:
            raise PeerRefused("message", f"expected two answers of {peer} to a push, found its end") from end
        except grpc.RpcError as error:
            raise self._failure(peer, line, error) from error
        finally:
            parts.stop()
            call.cancel()
        if there_bytes != parts.size_bytes:
            raise PeerRefused("size", f"expected that {peer} has {parts.size_bytes} bytes of a push, found {there_bytes}")

    def _describe(self, peer: str, request, deadline: float):
        line = self._line(peer, deadline)
        try:
            return line.stub.Describe(request, timeout=_remaining_s(deadline), metadata=line.metadata())
        except grpc.RpcError as error:
            raise self._failure(peer, line, error) from error

    def _line(self, peer: str, deadline: float) -> _Line:
        with self._lock:
            if peer in self._lines:
                return self._lines[peer]
        address = self._addresses.get(peer)
        if address is None:
            raise _NoConnection(f"{peer} has no address in plan/peers.yaml: nobody can call it from here")
        try:
            certificate = checked_certificate(peer, address, self._context, _remaining_s(deadline))
        except PeerUnreachable as error:
            raise _NoConnection(str(error)) from error
        line = self._open(peer, address, certificate)
        with self._lock:
            unused = self._lines.get(peer)
            self._lines[peer] = line
        if unused is not None:
            unused.channel.close()
        return line

    def _open(self, peer: str, address: str, certificate: bytes) -> _Line:
        # The certificate that was looked at, and no other of the same authority, is trusted on this channel.
        credentials = grpc.ssl_channel_credentials(
            certificate, self._credentials.read("private_key"), self._credentials.read("certificate")
        )
        options = [*wire.CHANNEL_OPTIONS, ("grpc.ssl_target_name_override", peer)]
        channel = grpc.secure_channel(address, credentials, options=options)
        return _Line(channel, rpc.stub_of(channel), checks=1)

    def _failure(self, peer: str, line: _Line, error: grpc.RpcError) -> PeerUnreachable | PeerRefused:
        """What a failed call means; a connection that may be the reason is given up."""
        refused = wire.read_refusal(error)
        if refused is not None:
            return refused
        if wire.is_busy(error):
            return PeerUnreachable(f"{peer} is busy with others' pulls")
        with self._lock:
            if self._lines.get(peer) is line:
                del self._lines[peer]
        line.channel.close()
        details = wire.printable(error.details() or "no details")
        if error.code() is grpc.StatusCode.UNIMPLEMENTED or (
            error.code() is grpc.StatusCode.INTERNAL and "deserializing" in details
        ):
            return PeerRefused("message", f"{peer} does not speak this protocol ({details})")
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in details:
            return PeerRefused("message", f"{peer} sent a message larger than any of the protocol ({details})")
        return PeerUnreachable(f"{peer} does not answer ({error.code().name}: {details})")


def _remaining_s(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())
