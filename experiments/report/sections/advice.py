"""Which model each site should use for each structure."""

from collections.abc import Mapping

from experiments.report import cells
from experiments.report.blocks import DASH, Cell, Folded, Paragraph, Section, Table
from experiments.report.palette import Look


def section(results: Mapping, looks: Mapping[str, Look]) -> Section:
    """The advice with the differences that it rests on."""
    candidates = ", ".join(results["study"].get("advice") or []) or DASH
    return Section(
        id="advice",
        title="Which model to use, by site and structure",
        blocks=[
            Paragraph(
                text=f"Candidates: {candidates}. Numbers are paired differences in Dice on the site's own patients. 'No"
                " difference shown' means that these patients do not tell the candidates apart, not that they are equal:"
                " a site may then choose by cost. Fewer than five patients are shown and not tested. Tests are corrected"
                " within a site and structure; of many such cells a few may be narrowed by chance, so the last column is"
                " corrected over all."
            ),
            advice_table(results),
            Folded(summary="Every paired difference behind the advice", blocks=[evidence_table(results)]),
        ],
    )


def advice_table(results: Mapping) -> Table:
    """A row for each site and structure."""
    return Table(
        caption="Advice for each site and structure.",
        columns=[
            *(cells.words(title) for title in ("Site", "Structure", "Advice")),
            cells.numbers("n patients"),
            cells.words("Mean Dice, best first"),
            cells.words("No score from"),
            cells.words("Corrected over all sites and structures"),
        ],
        rows=[
            [
                cells.text(row["site"]),
                cells.text(row["structure"]),
                cells.text(sentence(row)),
                cells.number(row["num_patients"], 0),
                cells.text("; ".join(f"{arm} {cells.decimals(mean, 3)}" for arm, mean in row["means"].items()) or None),
                cells.text(", ".join(row["without_scores"]) or None),
                cells.text(_over_all(row)),
            ]
            for row in results["advice"]
        ],
        empty="There are not two candidates with scores to choose between.",
    )


def sentence(row: Mapping) -> str:
    """The advice as it is said, with the differences between the best and those that are shown worse."""
    if row["verdict"] == "use this one":
        return f"use {row['use'][0]}: {_evidence(row)}"
    if row["verdict"] == "use one of these":
        return f"use one of {', '.join(row['use'])}: {_evidence(row)}"
    if row["verdict"] == "nothing to compare" and row["means"]:
        return f"only {', '.join(row['means'])} has scores"
    return row["verdict"]


def _evidence(row: Mapping) -> str:
    """Every pair of the best and one that is shown worse."""
    best = next(iter(row["means"]))
    worse = [
        pair["difference"]
        for pair in row["evidence"]
        if pair["difference"]["scheme"] == best and pair["difference"]["minus"] not in row["use"]
    ]
    return "; ".join(
        f"{cells.decimals(one['value'], 3, signed=True)} {cells.interval(one['low'], one['high'], 3, signed=True)} over"
        f" {one['minus']}, n = {one['counts']['num_patients']}"
        for one in worse
    )


def _over_all(row: Mapping) -> str | None:
    if not row["use_over_all"]:
        return None
    if len(row["use_over_all"]) == len(row["means"]):
        return "no difference shown"
    return f"use {', '.join(row['use_over_all'])}"


def evidence_table(results: Mapping) -> Table:
    """A row for each pair of candidates at each site and structure."""
    return Table(
        caption="Paired differences; p corrected with Holm within the site and structure.",
        columns=[
            *(cells.words(title) for title in ("Site", "Structure", "Arm", "Minus")),
            *(cells.numbers(title) for title in ("Difference, Dice", "p, Holm", "n patients")),
        ],
        rows=[
            [
                *(cells.text(value) for value in (row["site"], row["structure"])),
                *(cells.text(pair["difference"][name]) for name in ("scheme", "minus")),
                cells.estimate(pair["difference"], signed=True),
                cells.p_value(pair["p_holm"]) if pair["test"]["not_tested"] is None else Cell(text="not tested"),
                cells.number(pair["test"]["num_pairs"], 0),
            ]
            for row in results["advice"]
            for pair in row["evidence"]
        ],
        empty="There are not two candidates with scores to choose between.",
    )
