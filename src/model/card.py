"""A model's card, and the one file that weights and card are saved in.

``<name>.safetensors`` holds the network's tensors, and in its header the card: what the channels mean, what the network must be
fed, and where it comes from. Loading checks the card and refuses what does not fit; nothing here executes what it reads.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from src.errors import ModelCardError
from src.machine_fault import writing

CARD_VERSION = 1
# Cards of earlier versions lack them.
_OPTIONAL = ("fingerprint",)
_TEXTS = ("anatomy", "structures_digest", "site", "federation", "code_version")
_LISTS = {"structures": str, "patch_voxels": int, "trained_structures": str}
_TABLES = ("preprocessing", "network", "validation_dice")
_IDENTITY = ("anatomy", "structures", "preprocessing", "patch_voxels", "network", "structures_digest")


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What one must know to use a set of weights.

    Attributes:
        anatomy: ``head_neck`` or ``liver``.
        structures: TG-263 names in channel order.
        preprocessing: ``spacing_mm``, ``window_hu``, ``body_margin_mm`` of the working grid.
        patch_voxels: training patch and sliding window.
        network: the plan's network settings.
        structures_digest: SHA-256 of the structure table it was trained with.
        trained_structures: those whose channel was really trained; the others are never predicted or scored.
        site: whose file this is.
        federation: the federation id, which holds the plan's hash; empty outside a federation.
        round: training rounds behind these weights.
        validation_dice: the site's validation Dice per structure; null where it has no case.
        code_version: version of openfl-oar.
        fingerprint: what the site's training CTs were like, see ``src.model.ct_fingerprint``; None on a card of before.
    """

    anatomy: str
    structures: tuple[str, ...]
    preprocessing: dict
    patch_voxels: tuple[int, ...]
    network: dict
    structures_digest: str
    trained_structures: tuple[str, ...] = ()
    site: str = ""
    federation: str = ""
    round: int = 0
    validation_dice: dict
    code_version: str
    fingerprint: dict | None = None

    def to_json(self) -> dict:
        """The card in plain JSON types."""
        return json.loads(json.dumps(asdict(self)))

    def identity(self) -> dict:
        """The part that must be equal for weights to be exchanged, in plain JSON types."""
        return {name: value for name, value in self.to_json().items() if name in _IDENTITY}

    def architecture_hash(self) -> str:
        """SHA-256 of ``identity`` in hex: network, ordered structures, preprocessing and the structure table."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()

    def differences(self, other: "ModelCard") -> list[str]:
        """What keeps two models from being exchanged, a sentence each; empty when nothing does."""
        mine, theirs = dict(_leaves(self.identity())), dict(_leaves(other.identity()))
        names = [*mine, *(name for name in theirs if name not in mine)]
        return [
            f"{name} is {theirs.get(name, 'missing')}, expected {mine.get(name, 'none')}"
            for name in names
            if mine.get(name) != theirs.get(name)
        ]


def _leaves(content: Mapping, prefix: str = "") -> Iterator[tuple[str, object]]:
    """The entries of nested settings by dotted name."""
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def write_model(path: Path, card: ModelCard, tensors: Mapping[str, np.ndarray]) -> None:
    """Writes weights and card as one file, or leaves what was there.

    Raises:
        DiskError: the disk is full or refuses.
    """
    partial = path.with_name(f".{path.name}.partial")
    arrays = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    header = {"card_version": str(CARD_VERSION), "card": json.dumps(card.to_json())}
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            save_file(arrays, str(partial), metadata=header)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def read_card(path: Path) -> ModelCard:
    """The card of a saved model.

    Raises:
        ModelCardError: the file is missing, not a safetensors file, has no card, or one of another version.
    """
    try:
        with safe_open(str(path), framework="numpy") as model:
            metadata = model.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from error
    if metadata.get("card_version") != str(CARD_VERSION):
        raise ModelCardError(
            f"'{path.name}' has card version {metadata.get('card_version')!r:.40}, this version reads {CARD_VERSION}; "
            "use a file that openfl-oar saved"
        )
    try:
        content = json.loads(metadata["card"])
    except (KeyError, ValueError, RecursionError) as error:
        raise ModelCardError(f"expected the card of '{path.name}' as JSON, found none that can be read") from error
    return card_from_json(content, path.name)


def card_from_json(content: object, origin: str) -> ModelCard:
    """A card from its JSON form, which somebody else may have written.

    Raises:
        ModelCardError: a field is missing, unknown, or of another kind.
    """
    names = {field.name for field in fields(ModelCard)}
    if not isinstance(content, dict) or set(content) | set(_OPTIONAL) != names:
        found = f"{sorted(content)!r:.600}" if isinstance(content, dict) else f"{content!r:.80}"
        raise ModelCardError(f"the card of '{origin}' has the fields {found}, expected {sorted(names)}")
    if unfit := [name for name, value in content.items() if not _is_fit(name, value)]:
        raise ModelCardError(f"the card of '{origin}' has {unfit[0]} {content[unfit[0]]!r:.80}, which no card has")
    return ModelCard(**{**content, **{name: tuple(content[name]) for name in _LISTS}})


def _is_fit(name: str, value: object) -> bool:
    """Whether a field's value is of its kind; what is inside a table is judged by whoever uses it."""
    if name in _TEXTS:
        return isinstance(value, str) and len(value) <= 200 and (not value or value.isprintable())
    if name in _LISTS:
        return isinstance(value, list) and all(type(entry) is _LISTS[name] for entry in value)
    if name in _TABLES:
        return isinstance(value, dict)
    return type(value) is int if name == "round" else value is None or isinstance(value, dict)


def read_model(path: Path) -> tuple[ModelCard, dict[str, np.ndarray]]:
    """Card and tensors of a saved model; raises as ``read_card``."""
    card = read_card(path)
    try:
        with safe_open(str(path), framework="numpy") as model:
            return card, {name: model.get_tensor(name) for name in model.keys()}  # noqa: SIM118 - safe_open is no mapping
    except (OSError, SafetensorError, TypeError, ValueError, KeyError, AttributeError) as error:
        # A dtype that NumPy has not, such as bfloat16, ends in any of the last.
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ModelCardError:
    return ModelCardError(f"expected a model at '{path.name}', found none that can be read ({error!r:.200})")
