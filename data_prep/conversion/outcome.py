"""What is kept of a patient's conversion: all that the report and the summary table say. It identifies nobody."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

WITH_ITS_CASE = "the case as a whole was refused"  # of an ROI that would have become a mask; the case says why


@dataclass(frozen=True, kw_only=True)
class RoiOutcome:
    """What became of one ROI.

    Attributes:
        native: its name, without anything that identifies a patient.
        structure: TG-263 name of its mask, or None when it has none.
        decision: ``converted``; ``left out``, on purpose (planning structure, other anatomy, names.csv, an empty or POINT ROI);
            ``undecided``, nobody knows the name; or ``refused``, it should have become a mask and could not.
        why: one plain sentence.
        volume_cm3: of the mask, None without one.
        notes: what the rasteriser and the reader noted, in plain words.
    """

    native: str
    structure: str | None
    decision: Literal["converted", "left out", "undecided", "refused"]
    why: str
    volume_cm3: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CaseOutcome:
    """What became of one patient.

    Attributes:
        case: pseudonym.
        status: ``converted`` or ``refused``.
        found: what the export holds of this patient, one plain line each
            (``CT series_1: 111 slices of 512 × 512, 0.98 × 0.98 × 3 mm``).
        rois: in the order of the RTSTRUCT; empty when it was not read.
        refusals: why it was not converted, one plain line each; empty when it was.
        warnings: findings of the checks and notes of the conversion, one plain line each.
        size: voxels in x, y, z; None when refused.
        spacing_mm: in x, y, z; None when refused.
        picture_png_base64: contours on the CT in three planes; None when there is nothing to show.
    """

    case: str
    status: Literal["converted", "refused"]
    found: tuple[str, ...] = ()
    rois: tuple[RoiOutcome, ...] = ()
    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    size: tuple[int, int, int] | None = None
    spacing_mm: tuple[float, float, float] | None = None
    picture_png_base64: str | None = None

    def to_json(self) -> str:
        """As text, the same for the same outcome."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "CaseOutcome":
        """What ``to_json`` wrote.

        Raises:
            ValueError, KeyError, TypeError: it is something else.
        """
        return cls.from_row(json.loads(text))

    @classmethod
    def from_row(cls, row: Mapping) -> "CaseOutcome":
        """What ``dataclasses.asdict`` gave, with lists for tuples as JSON has them; raises as ``from_json``."""
        rois = tuple(RoiOutcome(**{**roi, "notes": tuple(roi["notes"])}) for roi in row["rois"])
        listed = ("found", "refusals", "warnings", "size", "spacing_mm")
        return cls(**{**row, "rois": rois, **{name: None if row[name] is None else tuple(row[name]) for name in listed}})
