"""Patients -> pseudonyms, by a secret key that lies beside the dataset and never in it.

::

    <dataset>_private/     mode 0700
      key                  32 random bytes in hex: the same key gives the same patients the same names, for ever
      pseudonyms.csv       which case is which patient
      files.csv            which file a message means by file_0017

Without the key nobody can go from a case back to a patient, not even by trying all patient numbers.
"""

import csv
import hmac
import io
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from src.data.dataset import check_name
from src.errors import DatasetError
from src.pseudonyms.private_files import read_private, write_private

KEY_BYTES = 32
MIN_DIGITS = 8
COLUMNS = ("case", "patient", "name", "studies", "series", "structure_sets", "digest")


class Pseudonyms:
    """The private folder of one dataset.

    Args:
        folder: the private folder; a key is made in it where there is none.
        site: what the names of cases begin with.

    Attributes:
        key: the secret.

    Raises:
        DatasetError: the key is damaged, others may read it, or the site's name is too long.
    """

    def __init__(self, folder: Path, *, site: str) -> None:
        check_name("case", f"{site}_{'0' * MIN_DIGITS}")
        self.folder = folder
        self.site = site
        self.key = self._read_key()
        self._rows = {row["digest"]: row for row in self._read_rows()}

    def names_of(self, patients: Iterable[str]) -> dict[str, str]:
        """Patient -> case name: the site and the first digits of the patient's HMAC, more of them where two would be one.

        Args:
            patients: what tells them apart, ``ExportedPatient.key``.
        """
        taken = {row["case"]: digest for digest, row in self._rows.items()}
        names = {}
        for digest, patient in sorted((self.digest(_bytes(patient)), patient) for patient in patients):
            known = self._rows.get(digest, {}).get("case")
            lengths = range(MIN_DIGITS, len(digest) + 1)
            free = (f"{self.site}_{digest[:length]}" for length in lengths)
            names[patient] = known or next(name for name in free if taken.get(name, digest) == digest)
            taken[names[patient]] = digest
        return names

    def digest(self, content: bytes) -> str:
        """HMAC-SHA256 of anything under the key, in hex."""
        return hmac.new(self.key, content, "sha256").hexdigest()

    def record(self, patients: Mapping[str, Mapping[str, str]]) -> None:
        """Writes who is who into ``pseudonyms.csv``; earlier patients stay in it.

        Args:
            patients: patient -> the columns but ``digest``.
        """
        for patient, row in patients.items():
            digest = self.digest(_bytes(patient))
            self._rows[digest] = {**row, "digest": digest}
        rows = sorted(self._rows.values(), key=lambda row: row["case"])
        write_private(self.folder / "pseudonyms.csv", _to_csv(COLUMNS, ([row[name] for name in COLUMNS] for row in rows)))

    def record_files(self, files: Iterable[tuple[str, str]]) -> None:
        """Writes which file each label means into ``files.csv``.

        Args:
            files: (label, path) each.
        """
        write_private(self.folder / "files.csv", _to_csv(("label", "path"), files))

    def known_cases(self) -> set[str]:
        """All cases that were ever named."""
        return {row["case"] for row in self._rows.values()}

    def _read_key(self) -> bytes:
        path = self.folder / "key"
        content = read_private(path)
        if content is None:
            write_private(path, secrets.token_hex(KEY_BYTES).encode() + b"\n")
            content = path.read_bytes()
        try:
            key = bytes.fromhex(content.decode("ascii").strip())
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise DatasetError(
                f"expected {2 * KEY_BYTES} hexadecimal digits in '{path.name}' of the private folder, found something else; "
                "restore it from a backup"
            )
        return key

    def _read_rows(self) -> list[dict[str, str]]:
        content = read_private(self.folder / "pseudonyms.csv")
        if content is None:
            return []
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8", "replace"), newline="")))
        if any(None in row.values() or set(row) != set(COLUMNS) for row in rows):
            raise DatasetError(
                f"expected the columns {', '.join(COLUMNS)} in pseudonyms.csv of the private folder, found others; restore it "
                "from a backup, or delete it: it is written anew from the key and the export"
            )
        return rows


def refuse_lost_key(folder: Path, dataset: Path) -> None:
    """Refuses to go on with a dataset of converted patients whose key is not there.

    Raises:
        DatasetError: there is no key in the private folder.
    """
    if not (folder / "key").exists():
        raise DatasetError(
            f"expected the key of the pseudonyms of '{dataset.name}' in '{folder.name}', found none; a new one would bring "
            "every patient in twice: restore the folder, name it with --private, or convert into a new --output"
        )


def _bytes(patient: str) -> bytes:
    return patient.encode("utf-8", "surrogatepass")


def _to_csv(columns: Sequence[str], rows: Iterable[Iterable[str]]) -> bytes:
    """Text for people: what cannot be printed, or would be a formula to a spreadsheet, is defused."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_plain(value) for value in row] for row in rows)
    return lines.getvalue().encode("utf-8")


def _plain(value: str) -> str:
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in value)
    return f"'{printable}" if printable[:1] in ("=", "+", "-", "@") else printable
