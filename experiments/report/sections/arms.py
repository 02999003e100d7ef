"""Every arm in one table: how good it is, what it costs, and what it is."""

from collections.abc import Mapping, Sequence

from experiments.report import cells
from experiments.report.blocks import DASH, Block, Cell, Folded, Paragraph, Section, Table, Terms
from experiments.report.palette import Look, kind_of
from experiments.report.sections.find import find, measures

MB, HOUR_S = 1e6, 3600

_KINDS = {
    "individual": "Every site trains alone on its own patients; nothing is exchanged.",
    "pooled": "All sites' patients are put in one place and one model is trained on them: the yardstick.",
    "fedavg": "Federated averaging: in every round an aggregator averages the models of all sites and waits for the slowest.",
    "fedprox": "As federated averaging, with a term that holds each site near the shared model.",
    "cyclic": "One model goes from site to site and is trained at each in turn, so it takes all sites' steps, as pooled does.",
    "gossip": "No aggregator: sites fetch each other's models, learn from them, and keep one of their own.",
}
_ENDINGS = {
    "_local": "The shared model of before the last rounds, trained on by each site alone; as many steps as the others.",
    "_consensus": "The one model that gossip sites make of what they had before their last rounds alone: fewer steps by those.",
}


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
            Terms(items=_what_arms_are(results)),
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
            cells.words("Model"),
            cells.numbers("n seeds"),
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
        cells.text("shared" if arm["shared"] else "per site"),
        cells.number(len(arm["seeds"]), 0),
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


def _what_arms_are(results: Mapping) -> list[tuple[str, str]]:
    kinds = {arm["name"]: kind_of(results, arm["scheme"]) for arm in results["arms"]}
    found = [(kind, _KINDS[kind]) for kind in dict.fromkeys(kinds.values()) if kind in _KINDS]
    endings = [(f"…{ending}", text) for ending, text in _ENDINGS.items() if any(name.endswith(ending) for name in kinds)]
    variants = [name for name, kind in kinds.items() if name != kind and not name.endswith(tuple(_ENDINGS))]
    named = [(name, f"A variant of {kinds[name]}; its settings stand in the study file at the end.") for name in variants]
    return [*found, *endings, *named]


def percent(row: Mapping | None) -> Cell:
    """An estimate of a share in per cent, sorted by the share."""
    if row is None or not cells.is_number(row["value"]):
        return Cell(text=DASH)
    low, high = row["low"], row["high"]
    shown = cells.decimals(100 * row["value"], 1)
    if not (cells.is_number(low) and cells.is_number(high)):
        return Cell(text=shown, sort=row["value"])
    return Cell(text=f"{shown} {cells.interval(100 * low, 100 * high, 1)}", sort=row["value"], bounds=(low, high))


def _missed(results: Mapping) -> list[Block]:
    rows = [row for row in measures(results, "hd95_mm") if row["weighting"] == "macro" and "num_missed" in row]
    if not rows:
        return []
    single = [row for row in rows if row["structure"] is not None and (row["num_missed"] or row["num_invented"])]
    caption = (
        "Organs missed (contoured, nothing predicted) and invented (none there, something predicted): one for each patient,"
        " structure and seed. They have no HD95; their Dice is 0."
    )
    folded = Folded(summary="Missed and invented by structure", blocks=[missed_table(single, caption)])
    return [missed_table([row for row in rows if row["structure"] is None], caption), *([folded] if single else [])]


def missed_table(rows: Sequence[Mapping], caption: str) -> Table:
    """Counts beside the HD95 of some estimates."""
    return Table(
        caption=caption,
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
        ],
    )
