"""Models on other sites' patients: the heat maps, structures that a site never drew, and sites that were left out."""

from collections.abc import Mapping

from experiments.report import cells
from experiments.report.blocks import Folded, Paragraph, Section, Table
from experiments.report.figures import heat_maps, left_out, missing_structures
from experiments.report.palette import Look
from experiments.report.sections.drawn import drawn


def heat_map_section(results: Mapping, looks: Mapping[str, Look]) -> Section:
    """Every model on every site's patients."""
    blocks = [
        Paragraph(
            text="A row is a site's model, a column a site's patients; a number is the mean Dice over the structures that"
            " the model learned and that are drawn there. Framed: a model on its own site's patients. Compare within a"
            " column: columns differ in their patients and contours, and rows may stand on different structures."
        )
    ]
    if any(arm in results["heat_maps"] for arm in looks):
        blocks.append(
            drawn(
                heat_maps.draw,
                results,
                looks,
                alt="Mean Dice of every site's model on every site's patients, a map for each arm; the numbers stand in"
                " the table.",
                caption="Mean Dice, one colour scale for all maps; n is the number of patients.",
            )
        )
    blocks.append(Folded(summary="The numbers of the maps", blocks=[heat_map_table(results)]))
    return Section(id="sites", title="Whose model on whose patients", blocks=blocks)


def heat_map_table(results: Mapping) -> Table:
    """A row for each arm, model and patient site."""
    return Table(
        caption="Mean Dice of each model on each site's patients.",
        columns=[
            *(cells.words(title) for title in ("Arm", "Model of", "Patients of")),
            *(cells.numbers(title) for title in ("Dice", "n patients")),
        ],
        rows=[
            [
                cells.text(arm),
                cells.text(model or heat_maps.SHARED),
                cells.text(site),
                cells.number(one["dice"][row][column]),
                cells.number(one["num_patients"][row][column], 0),
            ]
            for arm, one in results["heat_maps"].items()
            for row, model in enumerate(one["model_sites"])
            for column, site in enumerate(one["patient_sites"])
        ],
        empty="No model was scored.",
    )


def missing_section(results: Mapping, looks: Mapping[str, Look]) -> Section:
    """Structures that a site never trained."""
    rows = results["missing_structures"]
    blocks = [
        Paragraph(
            text="A site that never draws a structure cannot teach it to its model. Here that site's model is tried on"
            " the other sites' patients, who have the contour. A shared model is every site's own."
        )
    ]
    if rows:
        blocks.append(
            drawn(
                missing_structures.draw,
                results,
                looks,
                alt="Dice of each site's model on structures that the site never drew; the numbers stand in the table below.",
                caption="Mean Dice of a site's model on a structure that the site never drew, on other sites' patients. A"
                " dash: the model does not predict it, or was not tried.",
            )
        )
    blocks.append(missing_table(results))
    return Section(id="missing-structures", title="Structures that a site never drew", blocks=blocks)


def missing_table(results: Mapping) -> Table:
    """A row for each site, structure and arm."""
    return Table(
        caption="Mean Dice over the other sites.",
        columns=[
            *(cells.words(title) for title in ("Site", "Structure", "Arm", "Outcome")),
            *(cells.numbers(title) for title in ("Dice", "n patients", "n sites")),
        ],
        rows=[
            [
                *(cells.text(row[name]) for name in ("site", "structure", "arm")),
                cells.text(row.get("outcome")),
                cells.number(row["dice"]),
                *(cells.number(row[name], 0) for name in ("num_patients", "num_patient_sites")),
            ]
            for row in results["missing_structures"]
        ],
        empty="Every site drew every structure.",
    )


def left_out_section(results: Mapping, looks: Mapping[str, Look]) -> Section:
    """Sites that took no part in training."""
    blocks = [
        Paragraph(
            text="Models that were trained without a site, on that site's patients: what a hospital that joins nobody may"
            " expect of the others' models. Compare with that site's column in the maps above. Where their learning rate is"
            " another scheme's, it was chosen in runs with all sites, this one among them."
        )
    ]
    if results["left_out"]:
        blocks.append(
            drawn(
                left_out.draw,
                results,
                looks,
                alt="Dice on the patients of sites that took no part in training; the numbers stand in the table below.",
                caption="Mean Dice with its 95 % interval, on the patients of a site that took no part.",
            )
        )
    table = Table(
        caption="Mean Dice on the patients of a site that took no part, with 95 % interval.",
        columns=[
            *(cells.words(title) for title in ("Arm", "Site left out", "Whose models")),
            *(cells.numbers(title) for title in ("Dice", "n patients")),
        ],
        rows=[
            [
                *(cells.text(row[name]) for name in ("arm", "site", "view")),
                cells.estimate({"value": row["dice"], "low": row["low"], "high": row["high"]}),
                cells.number(row["num_patients"], 0),
            ]
            for row in results["left_out"]
        ],
        empty="No scheme was trained without a site.",
    )
    return Section(id="left-out", title="Sites left out of training", blocks=[*blocks, table])
