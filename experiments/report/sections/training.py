"""How training went: learning curves, and the search for the learning rate."""

from collections.abc import Mapping

from experiments.report import cells
from experiments.report.blocks import Paragraph, Section, Table
from experiments.report.figures import learning_curves, learning_rates
from experiments.report.palette import Look
from experiments.report.sections.drawn import drawn


def curves_section(results: Mapping, looks: Mapping[str, Look]) -> Section:
    """Validation Dice against rounds."""
    blocks = [Paragraph(text="No training run left any validation.")]
    if results["learning_curves"]:
        blocks = [
            drawn(
                learning_curves.draw,
                results,
                looks,
                alt="Validation Dice against training rounds, a panel for each scheme and a thin line for each site.",
                caption="Mean validation Dice after so many rounds of training. Thin: a site (mean of the seeds). Thick:"
                " the mean of the sites. A curve that still rises says that the scheme was not trained to its end.",
            )
        ]
    return Section(id="learning-curves", title="Learning curves", blocks=blocks)


def rates_section(results: Mapping, looks: Mapping[str, Look]) -> Section:
    """What the search on validation patients chose."""
    found = results["learning_rates"]
    searched = any(len(chosen["valid_dice"]) > 1 for chosen in found.values())
    rounds = results["study"].get("search_rounds")
    blocks = [
        Paragraph(
            text="Every scheme was given the same learning rates to choose from, by the mean validation Dice of a short"
            f" training{'' if rounds is None else f' of {rounds} rounds'}; test patients played no part. A chosen rate at"
            " the edge of what was tried says that a wider search might have helped that scheme."
        )
    ]
    if searched:
        blocks.append(
            drawn(
                learning_rates.draw,
                results,
                looks,
                alt="Validation Dice against learning rate for each scheme; the numbers stand in the table below.",
                caption="Mean validation Dice of the search runs; a ring marks the chosen rate.",
            )
        )
    return Section(id="learning-rates", title="Learning-rate search", blocks=[*blocks, rate_table(results)])


def rate_table(results: Mapping) -> Table:
    """A row for each scheme and rate."""
    return Table(
        caption="Mean validation Dice of each search run.",
        columns=[
            cells.words("Scheme"),
            cells.numbers("Learning rate"),
            cells.numbers("Validation Dice"),
            cells.words("Chosen"),
            cells.words("Taken from"),
        ],
        rows=[
            [
                cells.text(scheme),
                cells.number(float(rate), 5),
                cells.number(dice),
                cells.text("chosen" if float(rate) == chosen["learning_rate"] else None),
                cells.text(chosen.get("learning_rate_of")),
            ]
            for scheme, chosen in results["learning_rates"].items()
            for rate, dice in chosen["valid_dice"].items()
        ],
        empty="No learning rate was searched.",
    )
