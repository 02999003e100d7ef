"""The table of cases an import starts from: which case, of which site, in which split, and what is contoured in it."""

from dataclasses import dataclass
from pathlib import Path

from data_prep.csv_file import read_csv
from src.data.dataset import SPLITS, check_name
from src.errors import DatasetError


@dataclass(frozen=True, kw_only=True)
class CaseRow:
    """One row of the table.

    Attributes:
        case: pseudonym, the name of the case in the dataset.
        source: name of its files without their ending; the pseudonym itself unless the table has a column ``source``.
        site: the site it belongs to.
        split: one of ``SPLITS``, or None.
        contoured: native names of what is contoured in it, or None where the table does not say.
    """

    case: str
    source: str
    site: str
    split: str | None
    contoured: tuple[str, ...] | None


def read_case_table(path: Path, site: str | None) -> list[CaseRow]:
    """Reads and checks a table of cases.

    Args:
        path: csv with the column ``case``, a column ``site`` unless ``site`` is given, and optionally ``split``, ``contoured``
            (native names with blanks between, or with ``;`` where a name holds a blank) and ``source``.
        site: the site of all cases, where the table has no such column.

    Raises:
        DatasetError: unreadable, a name that cannot be kept, a case twice, an unknown split. A refused name is pointed at by
            its line and never repeated: it may be a patient's.
    """
    rows = read_csv(path, ("case",) if site else ("case", "site"))
    if site and "site" in rows[0]:
        raise DatasetError(f"{path.name} has a column 'site', and --site was given too; drop one of the two")
    cases: dict[str, CaseRow] = {}
    for line, row in enumerate(rows, start=2):
        case_row = _read_row(f"{path.name}, line {line}", row, site)
        if case_row.case in cases:
            raise DatasetError(f"{path.name}, line {line}: the case stands twice in the table; one row per patient")
        cases[case_row.case] = case_row
    return list(cases.values())


def _read_row(where: str, row: dict[str, str], site: str | None) -> CaseRow:
    try:
        check_name("case", row["case"])
    except DatasetError as error:
        raise DatasetError(
            f"{where}: expected a case name of 1 to 64 lower-case letters, digits, '_' or '-', found another; "
            "write a pseudonym such as case_001 there, and the name of its files, without ending, in a column 'source'"
        ) from error
    check_name("site", site or row["site"])
    split = row.get("split") or None
    if split not in (*SPLITS, None):
        raise DatasetError(f"{where}: expected split {', '.join(SPLITS)} or nothing, found '{split}'")
    return CaseRow(
        case=row["case"],
        source=_plain_name(where, row.get("source") or row["case"]),
        site=site or row["site"],
        split=split,
        contoured=_names(row["contoured"]) if "contoured" in row else None,
    )


def _plain_name(where: str, source: str) -> str:
    if "/" in source or "\\" in source or source.startswith("."):
        raise DatasetError(f"{where}: expected a plain file name in the column 'source', found a path; keep only the name")
    return source


def _names(text: str) -> tuple[str, ...]:
    parts = text.split(";") if ";" in text else text.split()
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
