"""What a section of the report is made of; ``report.html.jinja`` knows how each is written, and escapes all of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

DASH = "–"


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """A few sentences; ``tone`` is ``plain``, ``answer`` (large), ``notice`` (set apart) or ``dim``."""

    text: str
    tone: str = "plain"
    kind: str = field(default="paragraph", init=False)


@dataclass(frozen=True, kw_only=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]
    kind: str = field(default="bullets", init=False)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Words and what they mean."""

    items: Sequence[tuple[str, str]]
    kind: str = field(default="terms", init=False)


@dataclass(frozen=True, kw_only=True)
class Code:
    """Text as it would be typed or stands in a file."""

    text: str
    kind: str = field(default="code", init=False)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture as a data URI, with what it says for those who do not see it."""

    uri: str
    alt: str
    caption: str
    kind: str = field(default="picture", init=False)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: what is read.
        sort: the exact number or text that the column is sorted by; None stands last.
        bounds: the interval that the text shows too, exact.
    """

    text: str
    sort: float | int | str | None = None
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Column:
    """Head of a column; ``hint`` is shown when a pointer rests on it, and nothing needed to read the table."""

    title: str
    numeric: bool = True
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that is sorted by a click on a head; ``empty`` is said where there is no row."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: str = "There is nothing to show here."
    kind: str = field(default="table", init=False)


@dataclass(frozen=True, kw_only=True)
class Folded:
    """Blocks behind a line to click on; opened for printing."""

    summary: str
    blocks: Sequence["Block"]
    kind: str = field(default="folded", init=False)


Block = Paragraph | Bullets | Terms | Code | Picture | Table | Folded


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the report with a place in the table of contents."""

    id: str
    title: str
    blocks: Sequence[Block]
