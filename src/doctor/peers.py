"""A line for each peer: there, who it should be, and of the same run; or what keeps it from that."""

import re
import socket
import ssl
from collections.abc import Iterator

from src.doctor.finding import Finding, failed, not_checked, ok, warning
from src.doctor.peer_answer import PeerAnswer, system_error
from src.doctor.shared_fact import Unavailable
from src.doctor.workplace import Workplace
from src.exchange.address import split_address
from src.exchange.transport import PeerRefused

# From the most telling difference to the least: everything in the plan changes the federation's name as well.
_DIFFERENCES = {
    "protocol_version": "pip show openfl-oar at both sites; the older one installs the newer wheel",
    "run_id": "grep run_id {plan} at both sites; the coordinator sends everybody the newer plan",
    "roster_digest": "grep roster {plan} at both sites; the coordinator sends everybody the newer plan",
    "architecture_hash": "sha256sum {plan} plan/structures.yaml at both sites; copy the coordinator's",
    "federation_id": "sha256sum {plan} at both sites, under the same file name; copy the coordinator's",
    "initial_digest": "sha256sum {weights} at both sites; copy the coordinator's",
}


def check_peers(place: Workplace) -> Iterator[Finding]:
    """One finding for each other site of ``plan/peers.yaml``."""
    if not place.exchanges:
        return
    try:
        answers = place.answers
    except Unavailable as missing:
        yield not_checked("peers", "this site's certificate and key" if missing.__cause__ else missing.what)
        return
    for peer, answer in answers.items():
        yield _finding(place, f"peer {peer}", peer, answer)


def _finding(place: Workplace, check: str, peer: str, answer: PeerAnswer) -> Finding:
    if answer.address is None:
        met = peer in place.folder_peers
        return ok(check, "is met in the synchronised folder" if met else "has no address: it cannot be called from here")
    if answer.description is not None:
        found = answer.description
        return ok(check, f"{found.state.value}, {found.round} rounds done; same federation, run, network and first weights")
    if isinstance(answer.fault, Unavailable):
        return not_checked(check, f"{answer.fault.what}; it is there and certified")
    if isinstance(answer.fault, PeerRefused):
        return _refused(place, check, peer, answer)
    return _unreachable(check, peer, answer)


def _refused(place: Workplace, check: str, peer: str, answer: PeerAnswer) -> Finding:
    message = str(answer.fault)
    differing = [name for name in _DIFFERENCES if re.search(rf"\b{name} is ", message)]
    if differing:
        facts = {"plan": place.plan, "weights": place.setting("collaborator.settings.init_state_path", str)}
        fix = _DIFFERENCES[differing[0]].format(**facts)
        return failed(check, f"another {', '.join(name.split('_')[0] for name in differing)} than here: {message}", fix)
    if answer.fault.reason == "certificate":
        look = f"openssl s_client -connect {answer.address} -servername {peer} -CAfile {place.chain}"
        own = f"openssl verify -CAfile {place.chain} {place.certificate}"
        return failed(check, message, f"{own}; {look} -cert {place.certificate} -key {place.private_key} </dev/null")
    if answer.fault.reason == "roster":
        return failed(check, message, f"grep roster {place.plan} at both sites; the coordinator sends everybody the newer plan")
    return failed(check, message, f"fx collaborator ping -n {place.site} -p {place.plan}; compare versions with {peer}")


def _unreachable(check: str, peer: str, answer: PeerAnswer) -> Finding:
    host, port = split_address(answer.address)
    error, where = system_error(answer.fault), f"{peer} in plan/peers.yaml"
    if isinstance(error, socket.gaierror):
        return failed(check, f"the name {host} is not known here", f"getent hosts {host}; correct {where}")
    if isinstance(error, ConnectionRefusedError):
        cause = f"nobody listens at {answer.address}: not started yet, or another port"
        return warning(check, cause, f"nc -vz {host} {port}; ask {peer} for its listen line, correct {where}")
    if isinstance(error, ssl.SSLError | ConnectionResetError):
        cause = f"{answer.address} hangs up on TLS: another program's port, or a firewall that ends such connections"
        return failed(check, cause, f"openssl s_client -connect {answer.address} </dev/null; ask {peer} for its listen line")
    if answer.certified:
        return warning(
            check, f"is there and does not answer ({answer.fault})", f"ask {peer} to look at its logs and start it again"
        )
    cause = f"no answer from {answer.address}: a firewall on the way, or the machine is off"
    return failed(
        check, cause, f"nc -vz -w 5 {host} {port}; ask both sites' network people to open TCP {port} from here to {host}"
    )
