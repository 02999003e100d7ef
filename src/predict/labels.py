"""What CTs are called: ``patient_`` and some digits of a keyed hash, and privately who that is.

The key and the listing lie beside the output, see ``src.pseudonyms``: the same CT has the same label in every run that writes
there, and nobody without the key can tell whose it is, not even by trying all names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from src.pseudonyms.private_files import private_folder
from src.pseudonyms.pseudonym import COLUMNS, Pseudonyms

PREFIX = "patient"


@dataclass(frozen=True, kw_only=True)
class Who:
    """Whose CT it is; private.

    Attributes:
        patient: PatientID, or the file.
        name: PatientName.
        study, series: UIDs.
    """

    patient: str = field(repr=False)
    name: str = field(default="", repr=False)
    study: str = field(default="", repr=False)
    series: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        """What tells CTs apart."""
        return "\0".join((self.patient, self.series))


def label_cts(folder: Path, people: Mapping[str, Who], files: Mapping[str, str] | None = None) -> dict[str, str]:
    """Names CTs and writes down who they are.

    Args:
        folder: the private folder; made where it is not there.
        people: anything that tells the CTs apart -> who it is.
        files: label of a file in messages -> its path.

    Returns:
        The same keys -> label.

    Raises:
        DatasetError: others may read the private folder, or its key is damaged.
    """
    private_folder(folder)
    pseudonyms = Pseudonyms(folder, site=PREFIX)
    names = pseudonyms.names_of(who.key for who in people.values())
    labels = {ct: names[who.key] for ct, who in people.items()}
    pseudonyms.record({who.key: _row(who, labels[ct]) for ct, who in people.items()})
    if files is not None:
        pseudonyms.record_files(files.items())
    return labels


def _row(who: Who, label: str) -> dict[str, str]:
    facts = {"case": label, "patient": who.patient, "name": who.name, "studies": who.study, "series": who.series}
    return dict.fromkeys(COLUMNS, "") | facts
