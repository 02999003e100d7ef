"""Every arm in one table: how good it is, what it costs, and what it is."""

from collections.abc import Mapping

from experiments.report import cells
from experiments.report.blocks import DASH, Cell, Paragraph, Section, Table
from experiments.report.palette import Look, kind_of
from experiments.report.sections.find import find, measures

MB, HOUR_S = 1e6, 3600


def section(results: Mapping, looks: Mapping[str, Look]) -> Section:
    """The overall table and what its columns count."""
    return Section(
        id="arms",
        title="All arms in one table",
        blocks=[
            Paragraph(
                text="An arm is one kind of model that a training scheme leaves behind. Means are over each site's own"
                " patients: patients of a site and structure first, then structures, then sites; in brackets the 95 %"
                " interval. Bytes and processor time are of all sites together, mean over seeds; bytes count what each"
                " site sends and receives."
            ),
            overall_table(results),
            *_missed(results),
        ],
    )


def overall_table(results: Mapping) -> Table:
    """One row for each arm that was compared."""
    costs = {row["arm"]: row for row in results["costs"]}
    return Table(
        caption="Last models, each site's own patients.",
        columns=[
            cells.words("Arm"),
            cells.words("Plan"),
            cells.words("Model"),
            cells.words("Seeds"),
            cells.numbers("Dice"),
            cells.numbers("HD95, mm"),
            cells.numbers("Surface Dice"),
            cells.numbers("Volume off, %", "relative volume difference without its sign, mean"),
            cells.numbers("Sent and received, MB"),
            cells.numbers("Processor time, h"),
            cells.numbers("n patients"),
        ],
        rows=[_row(results, arm, costs.get(arm["name"])) for arm in results["arms"] if not arm.get("without")],
        empty="No arm has scores.",
    )


def _row(results: Mapping, arm: Mapping, cost: Mapping | None) -> list[Cell]:
    name = arm["name"]
    dice = find(results["estimates"]["own_site"], name)
    total = cost["total"] if cost else {}
    return [
        cells.text(name),
        cells.text(kind_of(results, arm["scheme"])),
        cells.text("one for all sites" if arm["shared"] else "one per site"),
        Cell(text=", ".join(map(str, arm["seeds"])), sort=len(arm["seeds"])),
        cells.estimate(dice),
        cells.estimate(find(measures(results, "hd95_mm"), name), 1),
        cells.estimate(find(measures(results, "surface_dice"), name)),
        percent(find(measures(results, "absolute_relative_volume_difference"), name)),
        cells.scaled(sum_of(total.get("sent_bytes"), total.get("received_bytes")), MB),
        cells.scaled(total.get("cpu_seconds"), HOUR_S, 2),
        cells.number(dice["counts"]["num_patients"] if dice else None, 0),
    ]


def sum_of(*values: float | None) -> float | None:
    """The sum; None where one is missing."""
    return None if any(value is None for value in values) else sum(values)


def percent(row: Mapping | None) -> Cell:
    """An estimate of a share in per cent, sorted by the share."""
    if row is None or not cells.is_number(row["value"]):
        return Cell(text=DASH)
    low, high = row["low"], row["high"]
    shown = cells.decimals(100 * row["value"], 1)
    if not (cells.is_number(low) and cells.is_number(high)):
        return Cell(text=shown, sort=row["value"])
    return Cell(text=f"{shown} {cells.interval(100 * low, 100 * high, 1)}", sort=row["value"], bounds=(low, high))


def _missed(results: Mapping) -> list[Table]:
    rows = [row for row in measures(results, "hd95_mm") if row["weighting"] == "macro" and "num_missed" in row]
    if not rows:
        return []
    return [
        Table(
            caption="Organs missed (contoured, nothing predicted) and invented (none there, something predicted): one for each"
            " patient, structure and seed. They have no HD95; their Dice is 0.",
            columns=[
                cells.words("Arm"),
                cells.words("Structure"),
                cells.numbers("Missed"),
                cells.numbers("Invented"),
                cells.numbers("HD95 from n cells", "patient × structure cells with a distance"),
                cells.numbers("Cells without a distance"),
            ],
            rows=[
                [
                    cells.text(row["scheme"]),
                    cells.text(row["structure"] or "all"),
                    cells.number(row["num_missed"], 0),
                    cells.number(row["num_invented"], 0),
                    cells.number(row["counts"]["num_scored"], 0),
                    cells.number(row["counts"].get("num_undefined"), 0),
                ]
                for row in rows
                if row["structure"] is None or row["num_missed"] or row["num_invented"]
            ],
        )
    ]
