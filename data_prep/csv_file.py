"""A small csv file with a header, read with the checks that every such file needs."""

import csv
from pathlib import Path

from src.errors import DatasetError


def read_csv(path: Path, required: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a csv file as dictionaries; blank around a value is cut off, a missing value is ''.

    Args:
        path: a UTF-8 file whose first line names the columns.
        required: columns that must be there.

    Raises:
        DatasetError: no such file, not text, a column missing, or no rows.
    """
    if not path.is_file():
        raise DatasetError(f"expected the table {path.name}, found no such file; check the path")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            columns = [(column or "").strip() for column in reader.fieldnames or []]
            reader.fieldnames = columns
            rows = [{key: (value or "").strip() for key, value in row.items() if isinstance(key, str)} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path.name} is not a readable csv file ({error}); save it as UTF-8 csv") from error
    if missing := [column for column in required if column not in columns]:
        raise DatasetError(f"expected the columns {', '.join(required)} in {path.name}, found no {', '.join(missing)}; add it")
    if not rows:
        raise DatasetError(f"expected at least one row in {path.name}, found none")
    return rows
