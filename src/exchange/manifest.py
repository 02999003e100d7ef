"""What travels in front of a model's weights: whose they are, of which round, and what stands behind them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

MANIFEST_VERSION = 1


class ManifestFault(Exception):
    """Why a manifest cannot be believed; the message follows "the manifest"."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Facts of one snapshot.

    Attributes:
        site: who trained it.
        federation_id, run_id, architecture_hash: as in ``Membership``.
        epoch: of the site; grows only when its operator says that it lost its disk.
        sequence: of the snapshot within the epoch, from 1, strictly growing.
        round: rounds of training behind it.
        final: whether this is the model its run ended with, after the rounds alone at the end.
        train_cases: per structure, the site's own training cases in which it is contoured; what was only distilled is not here.
        valid_cases: per structure, the validation cases behind ``valid_dice``.
        valid_dice: per structure, Dice on the site's own validation cases; None where it has none.
        row_cases: per structure, the cases that stand behind the output row, those of averaged-in peers included; 0 where
            nobody has trained the row.
        code_version: of openfl-oar.
    """

    site: str
    federation_id: str
    run_id: str
    architecture_hash: str
    epoch: int
    sequence: int
    round: int
    final: bool
    train_cases: dict[str, int]
    valid_cases: dict[str, int]
    valid_dice: dict[str, float | None]
    row_cases: dict[str, float]
    code_version: str

    def to_json(self) -> dict:
        """In plain JSON types, with the format's version."""
        return {"manifest_version": MANIFEST_VERSION, **asdict(self)}


def manifest_from_json(content: object, structures: tuple[str, ...]) -> Manifest:
    """A manifest from what a peer sent; every name, type and range is checked.

    Args:
        content: decoded JSON.
        structures: the names that each per-structure table must hold, no more and no less.

    Raises:
        ManifestFault: naming the entry.
    """
    names = {entry.name for entry in fields(Manifest)}
    if not isinstance(content, Mapping) or set(content) != {"manifest_version", *names}:
        raise ManifestFault(f"does not have the entries {sorted(names)}")
    version = content["manifest_version"]
    if type(version) is not int or version != MANIFEST_VERSION:  # True and 1.0 are equal to 1, and are not spelled as it is
        raise ManifestFault(f"has version {version!r:.40}, expected {MANIFEST_VERSION}")
    for name in ("site", "federation_id", "run_id", "architecture_hash", "code_version"):
        if not isinstance(content[name], str) or len(content[name]) > 200 or not content[name].isprintable():
            raise ManifestFault(f"has {name} that is no short, printable text")
    for name, lowest in (("epoch", 1), ("sequence", 1), ("round", 0)):
        if not _is_whole(content[name], lowest):
            raise ManifestFault(f"has {name} {content[name]!r:.40}, expected a whole number of at least {lowest}")
    if not isinstance(content["final"], bool):
        raise ManifestFault("has final that is neither true nor false")
    _check_table("train_cases", content["train_cases"], structures, lambda value: _is_whole(value, 0))
    _check_table("valid_cases", content["valid_cases"], structures, lambda value: _is_whole(value, 0))
    _check_table("valid_dice", content["valid_dice"], structures, lambda value: value is None or _is_number(value, 1.0))
    _check_table("row_cases", content["row_cases"], structures, lambda value: _is_number(value, 1e9))
    return Manifest(**{name: content[name] for name in names})


def _check_table(name: str, table: object, structures: tuple[str, ...], fits) -> None:
    if not isinstance(table, Mapping) or set(table) != set(structures):
        raise ManifestFault(f"has {name} for other structures than the plan's")
    for structure in structures:
        if not fits(table[structure]):
            raise ManifestFault(f"has an impossible {name} of {structure}")


def _is_whole(value: object, lowest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value < 2**31


def _is_number(value: object, highest: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= highest
