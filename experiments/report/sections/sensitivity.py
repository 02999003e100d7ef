"""How far the answer hangs on choices: weighting, which model, which patients, which seed."""

from collections.abc import Mapping

from experiments.report import cells
from experiments.report.blocks import Block, Paragraph, Section, Table
from experiments.report.palette import Look
from experiments.report.sections.answer import verdict
from experiments.report.sections.find import find


def section(results: Mapping, looks: Mapping[str, Look]) -> Section:
    """The means in other ways, seed by seed, and the primary question without some patients."""
    return Section(
        id="sensitivity",
        title="Would other choices have changed the answer?",
        blocks=[
            Paragraph(
                text="The primary number is the macro mean Dice of the last models. Here are the same models with each patient"
                " counted once, the models that were best on validation (where one is kept; they flatter validation patients),"
                " and the other sites' models."
            ),
            ways_table(results),
            seed_table(results),
            *_without_patients(results),
        ],
    )


def ways_table(results: Mapping) -> Table:
    """A row for each arm, a column for each way to take the mean."""
    own, cross = results["estimates"]["own_site"], results["estimates"]["cross_site"]
    return Table(
        caption="Mean Dice with 95 % interval.",
        columns=[
            cells.words("Arm"),
            cells.numbers("Last, macro (primary)"),
            cells.numbers("Last, each patient once"),
            cells.numbers("Best on validation, macro"),
            cells.numbers("Other sites' models, macro"),
        ],
        rows=[
            [
                cells.text(arm["name"]),
                cells.estimate(find(own, arm["name"])),
                cells.estimate(find(own, arm["name"], weighting="patient")),
                cells.estimate(find(results["best_models"], arm["name"])),
                cells.estimate(find(cross, arm["name"])),
            ]
            for arm in results["arms"]
            if not arm.get("without")
        ],
        empty="No arm has scores.",
    )


def seed_table(results: Mapping) -> Table:
    """The mean Dice seed by seed."""
    rows = [row for row in results["seed_spread"] if row["weighting"] == "macro"]
    seeds = sorted({seed for row in rows for seed in row["means"]}, key=int)
    return Table(
        caption="Macro mean Dice seed by seed, and the standard deviation between them; the intervals above do not hold it.",
        columns=[
            cells.words("Arm"),
            *(cells.numbers(f"Seed {seed}") for seed in seeds),
            cells.numbers("Standard deviation"),
        ],
        rows=[
            [
                cells.text(row["scheme"]),
                *(cells.number(row["means"].get(seed)) for seed in seeds),
                cells.number(row["standard_deviation"], 4),
            ]
            for row in rows
        ],
        empty="No arm has scores.",
    )


def _without_patients(results: Mapping) -> list[Block]:
    rows = results.get("sensitivity")
    if not rows:
        return [Paragraph(text="The study names no patients to leave out of the primary comparison.")]
    return [
        Table(
            caption="The primary comparison without some patients, whom the study named beforehand.",
            columns=[
                cells.words("Without"),
                cells.numbers("Difference, Dice"),
                cells.words("Verdict"),
                cells.numbers("n patients"),
            ],
            rows=[
                [
                    cells.text("; ".join(f"{entry['patient']} ({entry['why']})" for entry in row["without"])),
                    cells.estimate(row["difference"], signed=True),
                    cells.text(verdict(row)),
                    cells.number(row["difference"]["counts"]["num_patients"], 0),
                ]
                for row in rows
            ],
        )
    ]
