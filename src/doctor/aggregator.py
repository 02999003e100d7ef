"""The aggregator of a plan that has one: its name, its port, and whether it knows this site."""

import socket
from collections.abc import Iterator
from queue import Empty, Queue
from threading import Thread

from src.doctor.finding import Finding, failed, ok
from src.doctor.shared_fact import Unavailable
from src.doctor.workplace import Workplace
from src.errors import AggregatorRefused, AggregatorUnreachable

_CONNECT_S = 4.0
_ANSWER_S = 6.0  # OpenFL delays a refusal by up to 5 s


def check_aggregator(place: Workplace) -> Iterator[Finding]:
    """Somebody listens there, and answers this site's ping."""
    if place.has_peers:
        return
    host, port = place.setting("network.settings.agg_addr", str), place.setting("network.settings.agg_port", int)
    look = f"nc -vz -w 5 {host} {port}"
    fault = _connect_fault(host, port)
    if isinstance(fault, socket.gaierror):
        cause = f"the name {host} is not known here"
        yield failed("aggregator", cause, f"getent hosts {host}; the coordinator corrects agg_addr in the plan for all")
    elif isinstance(fault, ConnectionRefusedError):
        cause = f"nobody listens at {host}:{port}: not started yet, or another port"
        yield failed("aggregator", cause, f"{look}; ask the coordinator whether the aggregator runs, and at which port")
    elif fault is not None:
        cause = f"no answer from {host}:{port}: a firewall on the way, or the machine is off"
        yield failed("aggregator", cause, f"{look}; ask your network people to open TCP {port} from here to {host}")
    else:
        yield _ping(place, host, port)


def _ping(place: Workplace, host: str, port: int) -> Finding:
    """OpenFL's own ping: it changes nothing there."""
    place.program  # noqa: B018 - see there
    from openfl.transport.grpc.aggregator_client import AggregatorGRPCClient

    from src.aggregator_link import AggregatorLink

    if place.needs_certificate and not all(path.is_file() for path in (place.certificate, place.private_key, place.chain)):
        raise Unavailable("this site's certificate and key")
    client = AggregatorGRPCClient(
        agg_addr=host,
        agg_port=port,
        use_tls=place.needs_certificate,
        require_client_auth=place.setting("network.settings.require_client_auth", bool),
        root_certificate=str(place.chain),
        certificate=str(place.certificate),
        private_key=str(place.private_key),
        aggregator_uuid=f"aggregator_{place.federation_id}",
        federation_uuid=place.federation_id,
        collaborator_name=place.site,
    )
    try:
        AggregatorLink(client, _ANSWER_S).ping()
    except AggregatorRefused as refused:
        return failed(
            "aggregator",
            refused,
            f"sha256sum {place.plan} here and there; fx collaborator ping -n {place.site} -p {place.plan}",
        )
    except AggregatorUnreachable as error:
        return failed("aggregator", error, f"openssl verify -CAfile {place.chain} {place.certificate}; nc -vz {host} {port}")
    finally:
        client.channel.close()
    return ok("aggregator", f"{host}:{port} answers, and knows this site and this plan")


def _connect_fault(host: str, port: int) -> OSError | None:
    """Why nobody can be reached; in a thread of its own, because asking for a name's address knows no time limit."""
    answer: Queue = Queue()

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=_CONNECT_S).close()
        except (OSError, UnicodeError) as error:
            answer.put(error if isinstance(error, OSError) else socket.gaierror(str(error)))
        else:
            answer.put(None)

    Thread(target=connect, daemon=True).start()
    try:
        return answer.get(timeout=_CONNECT_S + 0.5)
    except Empty:
        return TimeoutError("no answer in time")
