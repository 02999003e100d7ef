"""A site's line to the aggregator, with an end to its patience.

OpenFL's client repeats every call for ever, whatever the answer, and no call has a deadline. Here a call is repeated until
``give_up_after_s`` have passed without an answer to it, and a refusal is not repeated at all.

What gRPC says, and what it means:

* UNAUTHENTICATED, PERMISSION_DENIED: the certificate is good, the site's name is not on the aggregator's list.
* UNKNOWN, "Exception calling application": the aggregator raised; another federation, or it has stopped.
* UNAVAILABLE with a certificate error: another authority signed the aggregator's certificate, or it is another machine's.
* UNAVAILABLE otherwise: not there, not yet or no more; or it hung up on a certificate it does not trust, which looks the same.
* DEADLINE_EXCEEDED: the connection stands and nobody answers.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import grpc
from openfl.protocols import aggregator_pb2_grpc
from openfl.transport.grpc.aggregator_client import AggregatorGRPCClient
from openfl.transport.grpc.common import DEFAULT_CHANNEL_OPTIONS

from src.errors import AggregatorRefused, AggregatorUnreachable

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

_RETRY_S = 1.0
_PAUSE_S = 0.2  # when the connection stands and yet a call fails
_REFUSALS = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED}
_RAISED_THERE = "Exception calling application: "
# A signature that does not fit reads differently with each kind of key; a server that merely went away says "Socket closed".
_BAD_CERTIFICATE = ("Ssl handshake failed", "CERTIFICATE_VERIFY_FAILED", "is not in peer certificate")
# gRPC waits up to two minutes before it tries to connect again, and would sleep through an aggregator that restarts.
_CHANNEL_OPTIONS = [
    *DEFAULT_CHANNEL_OPTIONS,
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 5000),
]


class AggregatorLink:
    """OpenFL's client, as its collaborator uses it, with a bounded number of tries.

    Args:
        client: OpenFL's client; its channel is replaced by one with deadlines.
        give_up_after_s: seconds without an answer to a call, repeats included, after which it is given up; above 0.

    Every method raises:
        AggregatorUnreachable: no answer for ``give_up_after_s``.
        AggregatorRefused: an answer that no repeat will change.
    """

    def __init__(self, client: AggregatorGRPCClient, give_up_after_s: float) -> None:
        self._client = client
        self._give_up_after_s = give_up_after_s
        self._deadline = 0.0
        client.resend_data_on_reconnection = False
        client.channel.close()
        self._channel = grpc.intercept_channel(_open_channel(client), _Deadline(self._remaining_s))
        client.channel, client.stub = self._channel, aggregator_pb2_grpc.AggregatorStub(self._channel)

    def ping(self) -> None:
        """Asks for a sign of life."""
        self._call("ping", self._client.ping)

    def get_tasks(self):
        """Asks for work: tasks, round, seconds to sleep, whether to leave."""
        return self._call("ask for tasks", self._client.get_tasks)

    def get_aggregated_tensor(self, tensor_name, round_number, report, tags, require_lossless):
        """Fetches one tensor of the model."""
        return self._call(
            f"fetch {tensor_name}",
            lambda: self._client.get_aggregated_tensor(tensor_name, round_number, report, tags, require_lossless),
        )

    def send_local_task_results(self, round_number, task_name, data_size, named_tensors) -> None:
        """Sends a task's results; a repeat does no harm, the aggregator keeps the first."""
        self._call(
            f"send the results of {task_name}",
            lambda: self._client.send_local_task_results(round_number, task_name, data_size, named_tensors),
        )

    def _remaining_s(self) -> float:
        return max(0.1, self._deadline - time.monotonic())

    def _call(self, what: str, call: Callable[[], Answer]) -> Answer:
        self._deadline = time.monotonic() + self._give_up_after_s
        told = False
        while True:
            try:
                return call()
            except AssertionError as error:  # OpenFL asserts that the answer is for this site and this federation
                raise AggregatorRefused(_other_federation(str(error))) from error
            except grpc.RpcError as error:
                _raise_if_refused(error, self._client)
                if time.monotonic() + _RETRY_S >= self._deadline:
                    raise AggregatorUnreachable(_unreachable(what, error, self._client, self._give_up_after_s)) from error
                if not told:
                    logger.warning("could not %s (%s); trying again for %g s", what, _short(error), self._give_up_after_s)
                    told = True
                self._wait_for_connection()

    def _wait_for_connection(self) -> None:
        """Lets gRPC connect for up to ``_RETRY_S``: it works on a connection only while somebody waits for one.

        Sleeping instead, a site on a slow line or a busy machine never got through the handshake.
        """
        ready = grpc.channel_ready_future(self._channel)
        with contextlib.suppress(grpc.FutureTimeoutError):
            ready.result(timeout=_RETRY_S)
        ready.cancel()
        time.sleep(_PAUSE_S)


class _Deadline(grpc.UnaryUnaryClientInterceptor, grpc.StreamUnaryClientInterceptor):
    """Gives every call the time that is left of its patience."""

    def __init__(self, remaining_s: Callable[[], float]) -> None:
        self._remaining_s = remaining_s

    def intercept_unary_unary(self, continuation, client_call_details, request):
        return continuation(self._with_timeout(client_call_details), request)

    def intercept_stream_unary(self, continuation, client_call_details, request_iterator):
        return continuation(self._with_timeout(client_call_details), request_iterator)

    def _with_timeout(self, details):
        return details._replace(timeout=self._remaining_s())


def _open_channel(client: AggregatorGRPCClient) -> grpc.Channel:
    if not client.use_tls:
        return grpc.insecure_channel(client.uri, options=_CHANNEL_OPTIONS)
    own = client.require_client_auth
    credentials = grpc.ssl_channel_credentials(
        root_certificates=Path(client.root_certificate).read_bytes(),
        private_key=Path(client.private_key).read_bytes() if own else None,
        certificate_chain=Path(client.certificate).read_bytes() if own else None,
    )
    return grpc.secure_channel(client.uri, credentials, options=_CHANNEL_OPTIONS)


def _raise_if_refused(error: grpc.RpcError, client: AggregatorGRPCClient) -> None:
    details = error.details() or ""
    if error.code() in _REFUSALS:
        raise AggregatorRefused(
            f"the aggregator at {client.uri} does not know '{client.collaborator_name}' by this certificate "
            f"({details.strip()}); check the name given with -n, and that the aggregator's plan/cols.yaml has it"
        ) from error
    if error.code() is grpc.StatusCode.UNKNOWN and details.startswith(_RAISED_THERE):
        reason = details.removeprefix(_RAISED_THERE)
        if "UUID" in reason:
            raise AggregatorRefused(_other_federation(reason)) from error
        raise AggregatorRefused(f"the aggregator at {client.uri} answered: {reason}") from error
    if any(sign in details for sign in _BAD_CERTIFICATE):
        raise AggregatorRefused(
            f"the certificate of the aggregator at {client.uri} is not one this site trusts ({details.strip()}); compare "
            "cert/cert_chain.crt with the aggregator's, and network.settings.agg_addr with the name in its certificate"
        ) from error


def _other_federation(reason: str) -> str:
    return (
        f"the aggregator runs another federation ({reason}); the federation's name is the plan's file name and digest, so both "
        "sides need the same plan file, unchanged"
    )


def _unreachable(what: str, error: grpc.RpcError, client: AggregatorGRPCClient, give_up_after_s: float) -> str:
    hint = "is it running, and does the network let this machine reach it?"
    if client.use_tls and error.code() is grpc.StatusCode.UNAVAILABLE:
        hint += (
            f" It may also hang up on this site's certificate: check that cert/client/col_{client.collaborator_name}.crt is "
            "signed by the federation's authority and has not expired"
        )
    return (
        f"could not {what}: expected an answer of the aggregator at {client.uri} within {give_up_after_s:g} s, last found "
        f"{_short(error)}; {hint}"
    )


def _short(error: grpc.RpcError) -> str:
    return f"{error.code().name}: {(error.details() or 'no details').strip()}"
