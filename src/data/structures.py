"""The table of structures: TG-263 names, what sites call them, and what each is measured with.

One file, ``plan/structures.yaml``, is the only place that knows a structure. It travels with the plan, and its digest is part
of the architecture hash, so two sites can not mean different organs by one channel.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import yaml

from src.errors import StructureError

STRUCTURES_YAML = Path(__file__).resolve().parents[2] / "plan" / "structures.yaml"
ANATOMIES = ("head_neck", "liver")


@dataclass(frozen=True, kw_only=True)
class Structure:
    """One organ at risk.

    Attributes:
        name: TG-263 primary name, the name of its mask file.
        anatomies: the anatomies whose plans may use it, of ``ANATOMIES``.
        synonyms: other names seen in the field; matched after folding case, blanks, ``_`` and ``-``.
        partner: the same organ on the other side, or None for an unpaired organ.
        excludes: structures that cannot share a voxel with it.
        tolerance_mm: surface-Dice tolerance, or None where no source gives one.
        tolerance_source: where ``tolerance_mm`` comes from, or why there is none.
        colour_rgb: display colour, three numbers 0 to 255.
    """

    name: str
    anatomies: tuple[str, ...]
    synonyms: tuple[str, ...]
    partner: str | None
    excludes: tuple[str, ...]
    tolerance_mm: float | None
    tolerance_source: str
    colour_rgb: tuple[int, int, int]


def fold(name: str) -> str:
    """A name without case, blanks, ``_``, ``-`` and ``.``: the form in which two spellings are compared."""
    return re.sub(r"[\s_\-.]+", "", name).lower()


class StructureTable:
    """All structures this project knows, by TG-263 name.

    Args:
        structures: the rows, in the order of the file.
        digest: SHA-256 of the file they came from, in hex.

    Raises:
        StructureError: a name stands twice, a partner is missing or one-sided, or one spelling means two structures.
    """

    def __init__(self, structures: list[Structure], digest: str) -> None:
        self.digest = digest
        self._by_name = {structure.name: structure for structure in structures}
        if len(self._by_name) != len(structures):
            raise StructureError("structures.yaml names a structure twice; every TG-263 name may stand once")
        self._by_spelling = self._index_spellings(structures)
        self._check_links(structures)

    def __getitem__(self, name: str) -> Structure:
        if name not in self._by_name:
            near = get_close_matches(name, self._by_name, n=3)
            hint = f"did you mean {', '.join(near)}?" if near else "see plan/structures.yaml for the names there are"
            raise StructureError(f"expected a TG-263 structure of plan/structures.yaml, found '{name}'; {hint}")
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[Structure]:
        return iter(self._by_name.values())

    def of_anatomy(self, anatomy: str) -> list[Structure]:
        """The structures that plans of one anatomy may use, in the order of the table."""
        return [structure for structure in self if anatomy in structure.anatomies]

    def match(self, native_name: str) -> str | None:
        """The TG-263 name that a site's own spelling stands for, or None; never a guess."""
        return self._by_spelling.get(fold(native_name))

    @staticmethod
    def _index_spellings(structures: list[Structure]) -> dict[str, str]:
        index: dict[str, str] = {}
        for structure in structures:
            for spelling in (structure.name, *structure.synonyms):
                owner = index.setdefault(fold(spelling), structure.name)
                if owner != structure.name:
                    raise StructureError(f"'{spelling}' stands for both {owner} and {structure.name} in structures.yaml")
        return index

    def _check_links(self, structures: list[Structure]) -> None:
        for structure in structures:
            if structure.partner and self[structure.partner].partner != structure.name:
                raise StructureError(f"{structure.name} names {structure.partner} as partner, but not the other way round")
            for other in structure.excludes:
                if structure.name not in self[other].excludes:
                    raise StructureError(f"{structure.name} excludes {other}, but not the other way round")


def _read_row(name: str, row: dict) -> Structure:
    known = {"anatomies", "synonyms", "partner", "excludes", "tolerance_mm", "tolerance_source", "colour_rgb"}
    if unknown := set(row) - known:
        raise StructureError(f"structures.yaml, {name}: unknown key {sorted(unknown)[0]}; known are {', '.join(sorted(known))}")
    if wrong := set(row["anatomies"]) - set(ANATOMIES):
        raise StructureError(f"structures.yaml, {name}: unknown anatomy {sorted(wrong)[0]}; known are {', '.join(ANATOMIES)}")
    return Structure(
        name=name,
        anatomies=tuple(row["anatomies"]),
        synonyms=tuple(row.get("synonyms") or ()),
        partner=row.get("partner"),
        excludes=tuple(row.get("excludes") or ()),
        tolerance_mm=row.get("tolerance_mm"),
        tolerance_source=row["tolerance_source"],
        colour_rgb=tuple(row["colour_rgb"]),
    )


@lru_cache(maxsize=4)
def load_structures(path: Path = STRUCTURES_YAML) -> StructureTable:
    """Reads and checks the table of structures.

    Raises:
        StructureError: the file is missing or contradicts itself.
    """
    if not path.is_file():
        raise StructureError(f"expected the table of structures at plan/{path.name}, found no file; copy it from the template")
    content = path.read_bytes()
    rows = yaml.safe_load(content)["structures"]
    return StructureTable([_read_row(name, row) for name, row in rows.items()], hashlib.sha256(content).hexdigest())
