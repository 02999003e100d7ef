"""A small csv file with a header, read with the checks that every such file needs."""

import csv
import io
import re
from pathlib import Path

from src.errors import DatasetError

SEPARATORS = ",;\t"  # a European Excel writes the second, a table pasted into a text file has the third


def read_csv(path: Path, required: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a csv file as dictionaries; blank around a value is cut off, a missing value is '', an empty row is none.

    Args:
        path: a UTF-8 file, with or without a byte order mark; lines that start with ``#`` may stand before the one that names
            the columns, and what separates the columns there separates the values.
        required: columns that must be there.

    Raises:
        DatasetError: no such file, not text, a column missing, or no rows.
    """
    return [row for _, row in read_csv_lines(path, required)]


def read_csv_lines(path: Path, required: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """As ``read_csv``, each row with the number of the line on which it ends, so that a message can point at it."""
    if not path.is_file():
        raise DatasetError(f"expected the table {path.name}, found no such file; check the path")
    try:
        text = path.read_bytes().decode("utf-8-sig")
        comments = re.match(r"(?:#[^\r\n]*(?:\r\n|\r|\n|$))*", text)[0]
        table = text[len(comments) :]
        header = re.match(r"[^\r\n]*", table)[0]
        separator = max(SEPARATORS, key=header.count)
        reader = csv.DictReader(io.StringIO(table, newline=""), skipinitialspace=True, delimiter=separator)
        columns = [(column or "").strip() for column in reader.fieldnames or []]
        reader.fieldnames = columns
        before = len(comments.splitlines())
        numbered = [(before + reader.line_num, _stripped(row)) for row in reader]
        rows = [(line, row) for line, row in numbered if any(row.values())]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path.name} is not a readable csv file ({error}); save it as 'CSV UTF-8'") from error
    if missing := [column for column in required if column not in columns]:
        raise DatasetError(f"expected the columns {', '.join(required)} in {path.name}, found no {', '.join(missing)}; add it")
    if not rows:
        raise DatasetError(f"expected at least one row in {path.name}, found none")
    return rows


def _stripped(row: dict[str, str | None]) -> dict[str, str]:
    return {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
