"""The answer first: what came out in sentences, and the differences that they rest on."""

from collections.abc import Mapping, Sequence

from experiments.report import cells
from experiments.report.blocks import DASH, Block, Bullets, Cell, Paragraph, Section, Table
from experiments.report.figures import differences
from experiments.report.palette import Look
from experiments.report.sections.drawn import drawn

PATIENTS = {"test": "test patients", "valid": "validation patients", "train": "training patients"}


def section(results: Mapping, looks: Mapping[str, Look]) -> Section:
    """Sentences, the primary hypothesis, its picture and the tests behind it."""
    return Section(
        id="answer",
        title="What came out",
        blocks=[
            *_status(results),
            *[Paragraph(text=sentence, tone="answer") for sentence in results["answer"][:1]],
            *([Bullets(items=results["answer"][1:])] if results["answer"][1:] else []),
            *_hypothesis(results),
            *_picture(results, looks),
            non_inferiority_table(results),
            pair_table(results["comparisons"], "Planned comparisons; p is corrected with Holm over these pairs."),
            *_against_individual(results),
        ],
    )


def _status(results: Mapping) -> list[Block]:
    if results["final"]:
        return []
    return [
        Paragraph(
            text=f"Of {PATIENTS[results['split']]}: they chose the settings, so these numbers flatter what was chosen."
            " The answer that counts comes from the test patients.",
            tone="notice",
        )
    ]


def _hypothesis(results: Mapping) -> list[Block]:
    primary = results["primary"]
    if primary is None:
        return [Paragraph(text="No primary hypothesis could be tested: none was stated, or one of its arms has no scores.")]
    row = primary["difference"]
    interval, margin = cells.interval(row["low"], row["high"], 3, signed=True), cells.decimals(primary["margin"], 3)
    return [
        Paragraph(text=f"Primary hypothesis, written down before: {primary['text']}"),
        Paragraph(
            text=f"Found: {row['scheme']} − {row['minus']} = {cells.decimals(row['value'], 3, signed=True)} Dice,"
            f" {'no interval' if interval == DASH else f'95 % interval {interval}'}, margin {margin},"
            f" n = {row['counts']['num_patients']} patients of {row['counts']['num_sites']} sites: {verdict(primary)}."
        ),
    ]


def verdict(row: Mapping) -> str:
    """The verdict of a ``NonInferiority`` as words."""
    return f"{row['verdict']}, and superior" if row["superior"] else row["verdict"]


def _picture(results: Mapping, looks: Mapping[str, Look]) -> list[Block]:
    if not (results["primary"] or results["non_inferiority"] or results["comparisons"]):
        return []
    return [
        drawn(
            differences.draw,
            results,
            looks,
            alt="Differences in mean Dice between arms with 95 % intervals; the numbers stand in the tables below.",
            caption="Difference in mean Dice (dot) with its 95 % interval (line). An arm is not inferior where its whole"
            " interval lies right of the dashed margin, and superior where it lies right of 0.",
        )
    ]


def non_inferiority_table(results: Mapping) -> Table:
    """The primary hypothesis and every other arm against the reference."""
    primary = [("primary", results["primary"])] if results["primary"] else []
    rows = [*primary, *(("secondary", row) for row in results["non_inferiority"])]
    return Table(
        caption="Non-inferiority: difference in mean Dice on each site's own patients, with its 95 % interval.",
        columns=[
            cells.words("Hypothesis"),
            cells.words("Arm"),
            cells.words("Reference"),
            cells.numbers("Difference, Dice"),
            cells.numbers("Margin, Dice"),
            cells.words("Verdict"),
            cells.numbers("n patients"),
        ],
        rows=[
            [
                cells.text(kind),
                cells.text(row["difference"]["scheme"]),
                cells.text(row["difference"]["minus"]),
                cells.estimate(row["difference"], signed=True),
                cells.number(row["margin"]),
                cells.text(verdict(row)),
                cells.number(row["difference"]["counts"]["num_patients"], 0),
            ]
            for kind, row in rows
        ],
        empty="No arm was compared with a reference.",
    )


def pair_table(pairs: Sequence[Mapping], caption: str) -> Table:
    """Paired comparisons with their tests."""
    return Table(
        caption=caption,
        columns=[
            cells.words("Arm"),
            cells.words("Minus"),
            cells.numbers("Difference, Dice"),
            cells.numbers("Median difference, Dice", "Hodges–Lehmann, of the patients' means"),
            cells.numbers("p, Holm", "Wilcoxon signed-rank, exact, two-sided"),
            cells.numbers("Rank correlation", "−1: worse in every patient; 1: better in every patient"),
            cells.numbers("n patients"),
        ],
        rows=[_pair(row) for row in pairs],
        empty="None of the planned pairs has scores of both arms.",
    )


def _pair(row: Mapping) -> list[Cell]:
    test = row["test"]
    reason = test["not_tested"]
    return [
        cells.text(row["difference"]["scheme"]),
        cells.text(row["difference"]["minus"]),
        cells.estimate(row["difference"], signed=True),
        cells.number(test["median_difference"], signed=True),
        cells.p_value(row["p_holm"]) if reason is None else Cell(text=f"not tested: {reason}"),
        cells.number(test["rank_biserial"], 2, signed=True),
        cells.number(test["num_pairs"], 0),
    ]


def _against_individual(results: Mapping) -> list[Block]:
    pairs = results.get("against_individual")
    return [pair_table(pairs, "Does it pay to federate: against training alone, a family of its own.")] if pairs else []
