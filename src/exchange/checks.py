"""What a peer must show before a byte of it reaches a model; whatever fails is refused with one reason and one message."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields

import torch

from src.exchange.manifest import Manifest
from src.exchange.membership import Description, Greeting, Membership, SiteState
from src.exchange.tensor_layout import TensorLayout
from src.exchange.transport import PeerRefused

# A tenfold norm is far beyond what training does to a network, and far below what an attack or a bug by scale needs.
NORM_FACTOR = 10.0
# Gains and biases act on activations of unit variance. They begin at 0 or 1 and may move by ones, in a network whose weights
# are hundredths; a site that has not trained yet must still take them.
_SCALE_OF_BIASES = 1.0
_DIGEST = re.compile("[0-9a-f]{64}")
_LONGEST_TEXT = 200
_MOST_STRUCTURES = 1000
_BEYOND = 2**31
_REASONS = {
    "protocol_version": ("protocol", "use versions of openfl-oar that speak the same protocol"),
    "federation_id": ("federation", "use the same plan at every site"),
    "run_id": ("run", "use the same run_id at every site"),
    "roster_digest": ("roster", "use the same roster at every site"),
    "architecture_hash": ("architecture", "use the same network, structures and preprocessing at every site"),
    "initial_digest": ("initial", "begin with the same initial weights at every site"),
}


def check_greeting(own: Membership, roster: Sequence[str], caller: str, greeting: Greeting) -> None:
    """Whether a caller may be answered.

    Args:
        own: this site's.
        roster: names of all sites.
        caller: the name in its certificate.
        greeting: what it says of itself.

    Raises:
        PeerRefused: ``roster``, ``name``, ``state``, or as ``_REASONS`` has it.
    """
    if caller not in roster:
        raise PeerRefused("roster", f"{caller!r:.80} is not a site of this federation; add it to the plan's roster everywhere")
    if greeting.site != caller:
        raise PeerRefused("name", f"the caller says it is {greeting.site!r:.80}, its certificate says {caller}")
    _check_state(caller, greeting.state)
    _check_membership(own, caller, greeting.membership)


def check_description(own: Membership, peer: str, description: Description, layout: TensorLayout) -> None:
    """Whether what a peer offers can be a snapshot of our model; when it offers none, whether it says so consistently.

    Args:
        own: this site's.
        peer: the name in its certificate.
        description: its answer.
        layout: of our own model.

    Raises:
        PeerRefused: ``name``, ``state``, ``size``, ``digest``, ``range``, or as ``_REASONS`` has it.
    """
    if description.site != peer:
        raise PeerRefused("name", f"{peer} says it is {description.site!r:.80}")
    _check_state(peer, description.state)
    _check_membership(own, peer, description.membership)
    offers = description.sequence != 0
    lowest = {"epoch": 1 if offers else 0}
    for name in ("round", "snapshot_round", "epoch", "sequence", "seen_epoch", "seen_sequence"):
        _check_whole(peer, name, getattr(description, name), lowest.get(name, 0), _BEYOND)
    _check_cases(peer, description.train_cases)
    largest_bytes = layout.largest_snapshot_bytes
    if not offers:
        if (description.sha256, description.size_bytes) != ("", 0):
            raise PeerRefused("range", f"{peer} offers no snapshot, and yet says what its digest or its size is")
        return
    if not isinstance(description.sha256, str) or not _DIGEST.fullmatch(description.sha256):
        raise PeerRefused("digest", f"{peer} offers a snapshot without a SHA-256 in 64 small hex digits")
    if type(description.size_bytes) is not int or not 0 < description.size_bytes <= largest_bytes:
        found = f"{description.size_bytes!r:.40}"
        raise PeerRefused(
            "size", f"{peer} offers a snapshot of {found} bytes; those of this model have at most {largest_bytes}"
        )


def check_manifest(manifest: Manifest, description: Description, own: Membership, peer: str) -> None:
    """Whether a snapshot is the one that was described, of this peer and of this run.

    Args:
        manifest: of the snapshot.
        description: what was offered; see ``check_description``.
        own: this site's.
        peer: the name in its certificate.

    Raises:
        PeerRefused: ``name``, ``federation``, ``run``, ``architecture`` or ``replay``.
    """
    if manifest.site != peer:
        raise PeerRefused("name", f"{peer} sent a snapshot of {manifest.site!r:.80}")
    for name in ("federation_id", "run_id", "architecture_hash"):
        expected, found = getattr(own, name), getattr(manifest, name)
        if found != expected:
            reason, _ = _REASONS[name]
            raise PeerRefused(reason, f"the snapshot of {peer} is of {name} {found!r:.80}, expected {expected!r}")
    described = (description.epoch, description.sequence, description.snapshot_round)
    found = (manifest.epoch, manifest.sequence, manifest.round)
    if found != described:
        message = f"the snapshot of {peer} has epoch, sequence and round {found}, it was announced as {described}"
        raise PeerRefused("replay", message)


def check_weights(own: Mapping[str, torch.Tensor], peer: Mapping[str, torch.Tensor]) -> None:
    """Whether weights have a plausible size next to ours; directions are not looked at.

    The norm of all weights may differ by ``NORM_FACTOR`` either way. The root mean square of each tensor may be ``NORM_FACTOR``
    times the largest of: that of our own tensor, that of our whole model, and 1 if it is a gain or a bias. The second is for
    tensors that begin at 0; there is no lower bound for one tensor, since training may well empty one.

    Args:
        own: our tensors by name; only floating ones are looked at, none is fine.
        peer: the same names and shapes.

    Raises:
        PeerRefused: ``norm``.
    """
    names = [name for name, tensor in own.items() if tensor.dtype.is_floating_point and tensor.numel()]
    own_norms, peer_norms = ({name: _norm(tensors[name]) for name in names} for tensors in (own, peer))
    own_norm, peer_norm = _total(own_norms), _total(peer_norms)
    if not own_norm / NORM_FACTOR <= peer_norm <= own_norm * NORM_FACTOR:
        raise PeerRefused(
            "norm", f"the weights have norm {peer_norm:.4g}, ours {own_norm:.4g}: more than {NORM_FACTOR:g} apart"
        )
    own_rms = own_norm / max(1, sum(own[name].numel() for name in names)) ** 0.5
    for name in names:
        size = own[name].numel() ** 0.5
        found, beside = peer_norms[name] / size, own_norms[name] / size
        limit = NORM_FACTOR * max(beside, own_rms, _SCALE_OF_BIASES if own[name].ndim < 2 else 0.0)
        if not found <= limit:
            message = f"tensor {name} has root mean square {found:.4g}, expected at most {limit:.4g} (ours is {beside:.4g})"
            raise PeerRefused("norm", message)


def _check_state(peer: str, state: object) -> None:
    if not isinstance(state, SiteState):
        raise PeerRefused("state", f"{peer} is in a state that does not exist: {state!r:.40}")


def _check_membership(own: Membership, peer: str, found: Membership) -> None:
    """Names every difference, and what to do about the first."""
    differing = [entry.name for entry in fields(own) if getattr(own, entry.name) != getattr(found, entry.name)]
    if differing:
        reason, remedy = _REASONS[differing[0]]
        parts = [f"{name} is {getattr(found, name)!r:.80}, expected {getattr(own, name)!r:.80}" for name in differing]
        raise PeerRefused(reason, f"{peer} is of another federation: {'; '.join(parts)}; {remedy}")


def _check_whole(peer: str, name: str, value: object, lowest: int, beyond: int) -> None:
    if type(value) is not int or not lowest <= value < beyond:
        message = f"{peer} says its {name} is {value!r:.40}, expected a whole number from {lowest} to {beyond - 1}"
        raise PeerRefused("range", message)


def _check_cases(peer: str, cases: object) -> None:
    if not isinstance(cases, Mapping) or len(cases) > _MOST_STRUCTURES:
        raise PeerRefused("range", f"{peer} says it has cases of more than {_MOST_STRUCTURES} structures")
    for name, count in cases.items():
        if not isinstance(name, str) or len(name) > _LONGEST_TEXT or not name.isprintable():
            raise PeerRefused("range", f"{peer} says it has cases of a structure that no plan can name")
        _check_whole(peer, f"count of {name} cases", count, 0, _BEYOND)


def _norm(tensor: torch.Tensor) -> float:
    wide = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    return float(torch.linalg.vector_norm(tensor.detach(), dtype=wide))


def _total(norms: Mapping[str, float]) -> float:
    return math.hypot(*norms.values())
