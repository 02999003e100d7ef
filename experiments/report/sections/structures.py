"""Dice, HD95 and surface Dice of every arm on every structure, and Dice at every site."""

from collections.abc import Callable, Mapping

from experiments.report import cells
from experiments.report.blocks import Cell, Folded, Paragraph, Section, Table
from experiments.report.figures import structures as figure
from experiments.report.palette import Look
from experiments.report.sections.drawn import drawn
from experiments.report.sections.find import find, measures


def section(results: Mapping, looks: Mapping[str, Look]) -> Section:
    """The dot plots and their tables."""
    rows = results["estimates"]["own_site"]
    blocks = [
        Paragraph(
            text="Of the last models, each site's own patients. Large marks are means over patients, then sites; lines their"
            " 95 % intervals; faint dots single patients, seeds averaged. A line that ends at the edge goes on there, and a"
            " faint triangle is a patient further left."
        ),
        drawn(
            figure.draw,
            results,
            looks,
            alt="Dice of every arm, for all structures and for each one; the means stand in the table below.",
            caption="Dice by structure. Patients differ more than arms do: whether one arm is better than another is seen"
            " from the paired differences above, not from whether two intervals here overlap.",
        ),
        *_by_structure(results, "Mean Dice by structure, with 95 % interval; n: patients.", rows, cells.estimate),
        Folded(
            summary="HD95 in mm and surface Dice by structure",
            blocks=[
                *_by_structure(results, "Mean HD95 in mm; missed and invented organs have none.", measures(results, "hd95_mm"),
                               lambda row: cells.estimate(row, 1)),
                *_by_structure(results, "Mean surface Dice at each structure's tolerance.", measures(results, "surface_dice"),
                               cells.estimate),
            ],
        ),
        Folded(summary="Dice by site", blocks=[site_table(results)]),
        Folded(summary="Dice by site and structure", blocks=[cell_table(results)]),
    ]  # fmt: skip
    return Section(id="structures", title="Dice by structure and arm", blocks=blocks)


def _by_structure(results: Mapping, caption: str, rows: list[Mapping], cell: Callable[[Mapping | None], Cell]) -> list[Table]:
    names = sorted({row["structure"] for row in rows if row["structure"] is not None})
    counts = {name: _counts(rows, name) for name in names}
    return [
        Table(
            caption=caption,
            columns=[
                cells.words("Arm"),
                cells.numbers("All"),
                *(cells.numbers(f"{name} (n {counts[name]})") for name in names),
            ],
            rows=[
                [cells.text(arm["name"]), *(cell(find(rows, arm["name"], structure=name)) for name in (None, *names))]
                for arm in results["arms"]
                if not arm.get("without")
            ],
            empty="No arm has scores.",
        )
    ]


def _counts(rows: list[Mapping], structure: str) -> str:
    found = {row["counts"]["num_patients"] for row in rows if row["structure"] == structure and row["site"] is None}
    return f"{min(found)}" if len(found) == 1 else f"{min(found)} to {max(found)}"


def site_table(results: Mapping) -> Table:
    """Dice of all structures together, a column a site."""
    rows = results["estimates"]["own_site"]
    sites = sorted({row["site"] for row in rows if row["site"] is not None})
    return Table(
        caption="Mean Dice over structures at each site, with 95 % interval where there are enough patients.",
        columns=[cells.words("Arm"), *(cells.numbers(site) for site in sites)],
        rows=[
            [cells.text(arm["name"]), *(cells.estimate(find(rows, arm["name"], site=site)) for site in sites)]
            for arm in results["arms"]
            if not arm.get("without")
        ],
        empty="No arm has scores.",
    )


def cell_table(results: Mapping) -> Table:
    """Every arm, site and structure in a row of its own."""
    cells_only = [row for row in results["estimates"]["own_site"] if row["site"] is not None and row["structure"] is not None]
    return Table(
        caption="Mean Dice; patients that were scored, true absences (both masks empty) and patients without the contour"
        " or a model that never learned it.",
        columns=[
            *(cells.words(title) for title in ("Site", "Structure", "Arm")),
            *(cells.numbers(title) for title in ("Dice", "n patients", "Absent", "Not contoured or not predicted")),
        ],
        rows=[
            [
                *(cells.text(row[name]) for name in ("site", "structure", "scheme")),
                cells.estimate(row),
                *(cells.number(row["counts"][name], 0) for name in ("num_patients", "num_absent", "num_missing")),
            ]
            for row in cells_only
        ],
        empty="No arm has scores.",
    )
