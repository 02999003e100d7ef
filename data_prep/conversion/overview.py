"""What many conversions come to: the facts that the report and the summary on the terminal both say."""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from data_prep.conversion.grouping import Group, group
from data_prep.conversion.outcome import WITH_ITS_CASE, CaseOutcome, RoiOutcome
from data_prep.naming.names_file import UNDECIDED
from data_prep.naming.spelling import own_name
from src.data.structures import load_structures


@dataclass(frozen=True, kw_only=True)
class UndecidedName:
    """A native name that nobody knows.

    Attributes:
        spellings: how it is written; names.csv takes them for one.
        cases: pseudonyms of the patients that have it.
        why: as in their outcomes, each once.
        line: for names.csv, to be completed with a TG-263 name; as it is, it decides nothing.
    """

    spellings: tuple[str, ...]
    cases: tuple[str, ...]
    why: tuple[str, ...]
    line: str


@dataclass(frozen=True, kw_only=True)
class StructureRow:
    """A structure in all converted patients that have its mask; volumes are None where no outcome gives one."""

    name: str
    cases: tuple[str, ...]
    median_cm3: float | None
    smallest_cm3: float | None
    smallest_case: str | None
    largest_cm3: float | None
    largest_case: str | None


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Everything above the patients' own sections.

    Attributes:
        converted, refused: pseudonyms in the order of the outcomes.
        structures: of the converted patients, in the order of plan/structures.yaml.
        undecided: names that a person has to decide, most patients first; refused patients count too.
        refused_patients, refused_rois (for a reason of their own), warnings, left_out: grouped, most patients first.
    """

    converted: tuple[str, ...]
    refused: tuple[str, ...]
    structures: tuple[StructureRow, ...]
    undecided: tuple[UndecidedName, ...]
    refused_patients: tuple[Group, ...]
    refused_rois: tuple[Group, ...]
    warnings: tuple[Group, ...]
    left_out: tuple[Group, ...]


def overview_of(outcomes: Sequence[CaseOutcome]) -> Overview:
    """Counts and groups what became of all patients."""
    rois = [(outcome.case, roi) for outcome in outcomes for roi in outcome.rois]
    return Overview(
        converted=tuple(outcome.case for outcome in outcomes if outcome.status == "converted"),
        refused=tuple(outcome.case for outcome in outcomes if outcome.status == "refused"),
        structures=_structures([outcome for outcome in outcomes if outcome.status == "converted"]),
        undecided=_undecided([(case, roi.native, roi.why) for case, roi in rois if roi.decision == "undecided"]),
        refused_patients=group((outcome.case, why) for outcome in outcomes for why in outcome.refusals),
        refused_rois=group((case, f"{roi.native}: {roi.why}") for case, roi in rois if _refused_by_itself(roi)),
        warnings=group((outcome.case, warning) for outcome in outcomes for warning in outcome.warnings),
        left_out=group((case, f"{roi.native}: {roi.why}") for case, roi in rois if roi.decision == "left out"),
    )


def _refused_by_itself(roi: RoiOutcome) -> bool:
    """All ROIs of a patient that was refused for one of them would hide those that have a reason of their own."""
    return roi.decision == "refused" and roi.why != WITH_ITS_CASE


def names_csv_line(native: str) -> str:
    """The line of names.csv for a native name that nobody has decided yet; given back unedited it decides nothing."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([native, UNDECIDED])  # what is quoted depends on how lines end
    return line.getvalue().removesuffix("\r\n")


def _undecided(rows: list[tuple[str, str, str]]) -> tuple[UndecidedName, ...]:
    by_name: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for case, native, why in rows:
        by_name[own_name(native)].append((case, native, why))
    names = []
    for same in by_name.values():
        cases, spellings, whys = (tuple(dict.fromkeys(column)) for column in zip(*same, strict=True))
        names.append(UndecidedName(spellings=spellings, cases=cases, why=whys, line=names_csv_line(spellings[0])))
    return tuple(sorted(names, key=lambda name: (-len(name.cases), name.spellings)))


def _structures(outcomes: list[CaseOutcome]) -> tuple[StructureRow, ...]:
    volumes: dict[str, dict[str, float | None]] = defaultdict(dict)
    for outcome in outcomes:
        for roi in outcome.rois:
            if roi.decision == "converted" and roi.structure:
                volumes[roi.structure][outcome.case] = roi.volume_cm3
    order = {structure.name: number for number, structure in enumerate(load_structures())}
    return tuple(_row(name, volumes[name]) for name in sorted(volumes, key=lambda name: (order.get(name, len(order)), name)))


def _row(name: str, volumes: dict[str, float | None]) -> StructureRow:
    known = {case: volume for case, volume in volumes.items() if volume is not None}
    smallest = min(known, key=known.__getitem__, default=None)
    largest = max(known, key=known.__getitem__, default=None)
    return StructureRow(
        name=name,
        cases=tuple(volumes),
        median_cm3=median(known.values()) if known else None,
        smallest_cm3=known.get(smallest),
        smallest_case=smallest,
        largest_cm3=known.get(largest),
        largest_case=largest,
    )
