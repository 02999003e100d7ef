"""From a site's own structure names to TG-263, without guessing."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from data_prep.csv_file import read_csv
from src.data.structures import StructureTable, fold, load_structures
from src.errors import DatasetError, StructureError


def read_names(path: Path | None) -> dict[str, str | None]:
    """Reads a site's own mapping: native name -> TG-263, or None for a name to leave out on purpose.

    Args:
        path: csv with the columns ``native`` and ``tg263`` (empty: leave out), or None for no mapping.

    Raises:
        DatasetError: unreadable, or a native name stands twice.
        StructureError: a TG-263 name that is not in the table.
    """
    names: dict[str, str | None] = {}
    for row in read_csv(path, ("native", "tg263")) if path else []:
        if fold(row["native"]) in names:
            raise DatasetError(f"{path.name}: '{row['native']}' stands twice; name it once")
        names[fold(row["native"])] = load_structures()[row["tg263"]].name if row["tg263"] else None
    return names


def resolve_names(
    native_names: Iterable[str], anatomy: str, names: Mapping[str, str | None], *, skip_unmatched: bool
) -> dict[str, str]:
    """Finds the TG-263 name of every native name.

    Args:
        native_names: what the site calls its structures.
        anatomy: one of ``ANATOMIES``; a structure of another one counts as unmatched.
        names: what ``read_names`` gave; goes before the table's own synonyms.
        skip_unmatched: leave unmatched names out instead of refusing.

    Returns:
        native name -> TG-263 name, without those left out.

    Raises:
        StructureError: names that nobody knows, all of them listed.
    """
    table = load_structures()
    matched: dict[str, str] = {}
    unmatched: list[str] = []
    for native in sorted(set(native_names)):
        found = names.get(fold(native), table.match(native))
        if found and anatomy in table[found].anatomies:
            matched[native] = found
        elif fold(native) not in names or found:
            unmatched.append(_hint(native, found, table))
    if unmatched and not skip_unmatched:
        raise StructureError(
            f"expected names that plan/structures.yaml knows for {anatomy}, found {len(unmatched)} others: "
            + ", ".join(unmatched)
            + "; map them in a file for --names (columns native,tg263; an empty tg263 leaves one out) or pass --skip-unmatched"
        )
    return matched


def _hint(native: str, found: str | None, table: StructureTable) -> str:
    if found:
        return f"'{native}' ({found} is not of this anatomy)"
    near = get_close_matches(native, [structure.name for structure in table], n=1, cutoff=0.7)
    return f"'{native}' (near {near[0]}?)" if near else f"'{native}'"


def one_native_each(case: str, native_names: Iterable[str], matched: Mapping[str, str]) -> dict[str, str]:
    """TG-263 name -> native name of one case; names that were left out are dropped.

    Raises:
        StructureError: two native names of the case stand for one structure.
    """
    chosen: dict[str, str] = {}
    for native in native_names:
        if native not in matched:
            continue
        other = chosen.setdefault(matched[native], native)
        if other != native:
            raise StructureError(
                f"case {case}: '{other}' and '{native}' both stand for {matched[native]}; leave one out with an empty tg263 in "
                "a file for --names"
            )
    return chosen
