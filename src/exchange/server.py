"""Serves a site's snapshots to its peers: gRPC, TLS in which both ends show their certificate, nothing that changes a model.

Callers without a certificate of the federation's authority never get as far as this file; gRPC hangs up on them. Of the others
it looks at the name in the certificate first, then at the message, and only then asks the site.
"""

import logging
import os
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import grpc

from src.errors import FederationError
from src.exchange import messages, messages_pb2_grpc, rpc, wire
from src.exchange.connection_count import ConnectionCount
from src.exchange.credentials import Credentials
from src.exchange.identity import certified_name
from src.exchange.membership import Greeting
from src.exchange.pull_slots import Busy, PullSlots
from src.exchange.reception import check_may_bring
from src.exchange.transport import PeerRefused, Service

logger = logging.getLogger(__name__)

_STALL_S = 60.0
_PULL_LIMIT_S = 3600.0
_THREADS_FOR_QUESTIONS = 4
_QUEUED_CALLS = 32


class ExchangeServer:
    """A site's end of the exchange that others call.

    Args:
        service: the site; called from several threads.
        bind_address: ``host:port``; port 0 takes any free one, see ``port``.
        certificate, private_key, root_certificate: PEM files, as OpenFL makes them.
        roster: names that may call.
        max_pulls: snapshots sent at a time; at least 1. As many as there are peers never turns one away.
        may_push: names that may bring a snapshot; each brings one at a time.
        stall_s: after which a pull whose caller takes nothing, or a push that brings nothing, is ended.
        pull_limit_s: after which any pull or push is ended.

    Raises:
        FederationError: a file cannot be read, or the address cannot be listened on.
    """

    def __init__(
        self,
        service: Service,
        *,
        bind_address: str,
        certificate: Path,
        private_key: Path,
        root_certificate: Path,
        roster: Collection[str],
        max_pulls: int,
        may_push: Collection[str] = (),
        stall_s: float = _STALL_S,
        pull_limit_s: float = _PULL_LIMIT_S,
    ) -> None:
        self._connections = ConnectionCount()
        credentials = _server_credentials(Credentials(certificate, private_key, root_certificate), self._connections)
        self._slots = PullSlots(max_pulls, stall_s=stall_s, limit_s=pull_limit_s)
        self._push_slots = PullSlots(max(1, len(may_push)), stall_s=stall_s, limit_s=pull_limit_s)
        self._servicer = _Servicer(
            service, frozenset(roster), frozenset(may_push), self._slots, self._push_slots, self._connections
        )
        models = max_pulls + len(may_push)
        self._threads = ThreadPoolExecutor(models + _THREADS_FOR_QUESTIONS, thread_name_prefix="exchange-server")
        self._server = grpc.server(self._threads, options=wire.SERVER_OPTIONS, maximum_concurrent_rpcs=models + _QUEUED_CALLS)
        rpc.add_to_server(self._servicer, self._server)
        self.port = self._listen(bind_address, credentials)

    @property
    def refusals(self) -> Counter:
        """Calls turned away so far, by reason; ``unidentified``: connections without a certificate we trust, or that broke."""
        counted = self._servicer.refusals()
        if unidentified := self._connections.without_a_call():
            counted["unidentified"] = unidentified
        return counted

    def start(self) -> None:
        """Begins to answer."""
        self._server.start()

    def stop(self, grace_s: float) -> None:
        """Takes no more calls, and ends those that still run after ``grace_s`` seconds."""
        self._server.stop(grace_s).wait(grace_s + 5)
        self._slots.close()
        self._push_slots.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _listen(self, bind_address: str, credentials: grpc.ServerCredentials) -> int:
        try:
            return self._server.add_secure_port(bind_address, credentials)
        except RuntimeError as error:
            self.stop(0)
            raise FederationError(
                f"expected to listen on {bind_address}, found that this machine does not allow it; is another program "
                "listening there, or is it not an address of this machine? See 'listen' in plan/peers.yaml"
            ) from error


class _Servicer(messages_pb2_grpc.ExchangeServicer):
    def __init__(
        self,
        service: Service,
        roster: frozenset[str],
        may_push: frozenset[str],
        slots: PullSlots,
        push_slots: PullSlots,
        connections: ConnectionCount,
    ) -> None:
        self._service, self._roster, self._may_push = service, roster, may_push
        self._slots, self._push_slots, self._connections = slots, push_slots, connections
        self._lock = threading.Lock()
        self._refusals: Counter = Counter()

    def refusals(self) -> Counter:
        with self._lock:
            return self._refusals.copy()

    def Describe(self, request, context):
        with self._telling(context):
            caller = self._caller(context)
            greeting, wanted_round = messages.read_describe_request(request)
            _check_greeting(caller, greeting)
            return messages.description_message(self._service.greet(caller, greeting, wanted_round=wanted_round))

    def Pull(self, request, context):
        with self._telling(context):
            caller = self._caller(context)
            greeting, sha256, offset = messages.read_pull_request(request)
            _check_greeting(caller, greeting)
            snapshot = self._service.open_snapshot(caller, greeting, sha256)
            with self._slots.taken_by(caller, context) as pull, snapshot.open("rb", buffering=0) as file:
                for data in _pieces(file, offset):
                    yield data  # comes back when gRPC has taken it
                    pull.moved()
                    self._service.count_sent(caller, len(data))

    def Push(self, request_iterator, context):
        with self._telling(context):
            caller = self._caller(context)
            check_may_bring(caller, self._may_push)
            # The slot comes first: a caller that announces nothing keeps no thread but one, and that not for long.
            with self._push_slots.taken_by(caller, context) as push:
                greeting, description = messages.read_announcement(next(request_iterator, None))
                _check_greeting(caller, greeting)
                with self._service.receive(caller, greeting, description) as arrival:
                    yield messages.push_answer(arrival.offset)
                    for part in request_iterator:
                        if data := messages.read_data(part):
                            arrival.append(data)
                            push.moved()
                    if not context.is_active():
                        return  # the line broke; what has come is kept
                    arrival.finish()
                    yield messages.push_answer(arrival.offset)

    def _caller(self, context: grpc.ServicerContext) -> str:
        self._connections.called(context.peer(), wire.read_checks(context))
        certificate = context.auth_context().get("x509_pem_cert")
        if not certificate:
            raise PeerRefused("certificate", "expected a caller with a certificate, found none")
        name = certified_name(certificate[0])
        if name not in self._roster:
            raise PeerRefused("roster", f"{name} is not in the roster; compare the gossip plan's roster at both sites")
        return name

    @contextmanager
    def _telling(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Ends the call in the caller's terms, without a word about this machine, when its handling fails."""
        try:
            yield
        except PeerRefused as refused:
            with self._lock:
                self._refusals[refused.reason] += 1
            logger.warning("turned a caller away (%s): %s", refused.reason, wire.printable(str(refused)))
            wire.send_refusal(context, refused)
        except Busy:
            wire.send_busy(context)
        except grpc.RpcError:
            logger.info("a caller's line broke, or was cut because nothing came over it")
        except Exception:
            logger.exception("a call failed here")
            context.abort(grpc.StatusCode.INTERNAL, "the site could not answer; its log says why")


def _check_greeting(caller: str, greeting: Greeting) -> None:
    if greeting.site != caller:
        raise PeerRefused("name", f"expected a greeting of {caller}, whose certificate this is, found one of {greeting.site}")


def _pieces(file: BinaryIO, offset: int) -> Iterator[bytes]:
    size_bytes = os.fstat(file.fileno()).st_size
    if offset > size_bytes:
        raise PeerRefused("message", f"offset: expected at most {size_bytes}, the snapshot's size, found {offset}")
    file.seek(offset)
    while data := file.read(wire.PIECE_BYTES):
        yield data


def _server_credentials(credentials: Credentials, connections: ConnectionCount) -> grpc.ServerCredentials:
    configuration = grpc.ssl_server_certificate_configuration(
        [(credentials.read("private_key"), credentials.read("certificate"))],
        root_certificates=credentials.read("root_certificate"),
    )

    def for_a_connection() -> grpc.ServerCertificateConfiguration:
        connections.opened()
        return configuration

    return grpc.dynamic_ssl_server_credentials(configuration, for_a_connection, require_client_authentication=True)
