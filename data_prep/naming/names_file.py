"""A site's own file of names: native name -> TG-263, which goes before everything else."""

from pathlib import Path

from data_prep.csv_file import read_csv_lines
from data_prep.naming.spelling import own_name
from src.data.structures import load_structures
from src.errors import DatasetError, StructureError

UNDECIDED = "?"


def read_names(path: Path | None) -> dict[str, str | None]:
    """Reads a site's own mapping: native name -> TG-263, or None for a name to leave out on purpose.

    Args:
        path: csv with the columns ``native`` and ``tg263`` (a TG-263 name; empty: leave out; ``?``: nobody has decided yet, as
            if the row were not there), or None for no mapping. Other columns are not read. UTF-8, with ``,`` or ``;``.

    Returns:
        Keyed by ``own_name`` of the native names.

    Raises:
        DatasetError: unreadable, a row without a native name, or a native name that stands twice.
        StructureError: a TG-263 name that is not in the table.
    """
    names: dict[str, str | None] = {}
    seen: set[str] = set()
    for line, row in read_csv_lines(path, ("native", "tg263")) if path else []:
        where = f"{path.name}, line {line}"
        if not row["native"]:
            raise DatasetError(
                f"{where}: expected the name that your site uses in the column 'native', found nothing; fill it in"
            )
        if own_name(row["native"]) in seen:
            raise DatasetError(
                f"{where}: '{row['native']}' stands twice (case, blanks, '_', '-' and '.' do not count); name it once"
            )
        seen.add(own_name(row["native"]))
        if row["tg263"] != UNDECIDED:
            names[own_name(row["native"])] = _structure(where, row["tg263"])
    return names


def _structure(where: str, name: str) -> str | None:
    try:
        return load_structures()[name].name if name else None
    except StructureError as error:
        raise StructureError(f"{where}: {error}") from None
