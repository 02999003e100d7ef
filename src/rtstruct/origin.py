"""What made a structure set: the words that stand in it beside the contours."""

import unicodedata
from dataclasses import dataclass

from src.errors import DicomError

# PS3.5 table 6.2-1: characters of a short string (SH), a long string (LO) and a short text (ST).
LONGEST_LABEL, LONGEST_STRING, LONGEST_TEXT = 16, 64, 1024


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where the contours come from; says nothing of a patient.

    All texts become ASCII, which every character set that a CT may declare holds: accents are left out, and what has no
    likeness in ASCII becomes a question mark. Backslashes and line ends, which DICOM reads as separators, become blanks.

    Attributes:
        label: StructureSetLabel, what planning systems list the structure set by; 1 to 16 characters.
        description: which model drew them; DICOM shows the first 64 characters with each ROI and 1024 with the set.
        software_version: of this project.
        manufacturer: of the software.

    Raises:
        DicomError: the label is empty or too long: cut off, two models could have one label.
    """

    label: str
    description: str
    software_version: str
    manufacturer: str = "openfl-oar"

    def __post_init__(self) -> None:
        for name in ("label", "description", "software_version", "manufacturer"):
            object.__setattr__(self, name, _plain(getattr(self, name)))
        if not 1 <= len(self.label) <= LONGEST_LABEL:
            raise DicomError(
                f"expected 1 to {LONGEST_LABEL} characters as the label of a structure set, found {len(self.label)} "
                f"('{self.label}'); DICOM allows no more"
            )


def _plain(text: str) -> str:
    shown = "".join(" " if sign == "\\" or unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    parts = (sign for sign in unicodedata.normalize("NFKD", shown) if not unicodedata.combining(sign))
    return "".join(parts).encode("ascii", errors="replace").decode("ascii").strip()
