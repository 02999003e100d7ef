"""The patients to look at, with pictures where patients and models are at hand."""

from collections.abc import Mapping, Sequence

from experiments.report import cells
from experiments.report.blocks import Block, Paragraph, Picture, Section, Table
from experiments.report.drawing import png_uri
from experiments.report.palette import Look
from experiments.report.worst_case_pictures import CasePicture, NoPicture


def section(results: Mapping, looks: Mapping[str, Look], pictures: Sequence[CasePicture | NoPicture] | None) -> Section:
    """The list of cases, and a picture of each.

    Args:
        results: ``worst_cases`` is used.
        looks: not used; every section has the same first arguments.
        pictures: one for each of ``worst_cases``; None when no data were given.
    """
    blocks: list[Block] = [
        Paragraph(
            text="The patients on whom the scheme in question did worst, and those on whom the arms disagree most: look"
            " at these before you trust a mean. A low Dice may be the model's mistake or the contour's."
        ),
        case_table(results),
    ]
    if pictures is None:
        blocks.append(
            Paragraph(
                text="The pictures are left out: no data folder was given to the report, or it is not where the study says."
            )
        )
    for row, picture in zip(results["worst_cases"], pictures or [], strict=bool(pictures)):
        blocks.append(_block(row, picture))
    return Section(id="worst-cases", title="Worst cases", blocks=blocks)


def _block(row: Mapping, picture: CasePicture | NoPicture) -> Block:
    place = f"{row['structure']} of {row['patient_site']}/{row['patient']}"
    if isinstance(picture, NoPicture):
        return Paragraph(text=f"No picture of {place}: {picture.why}", tone="dim")
    low_hu, high_hu = (cells.decimals(value, 0) for value in picture.window_hu)
    predicted = "; ".join(f"{one.arm} (seed {one.seed}) Dice {cells.decimals(one.dice, 3)}" for one in picture.predictions)
    return Picture(
        uri=png_uri(picture.png),
        alt=f"CT of {place} in three planes with the drawn and the predicted contours.",
        caption=f"{place}, {row.get('why', 'worst case')}: {predicted}; mean over seeds {cells.decimals(row['dice'], 3)}."
        f" Planes through the middle of the largest disagreement. Window {low_hu} to {high_hu}"
        " HU; seen from the feet, the patient's left is on the right.",
    )


def case_table(results: Mapping) -> Table:
    """A row for each case."""
    return Table(
        caption="Dice is the mean over seeds.",
        columns=[
            *(cells.words(title) for title in ("Site", "Patient", "Structure", "Why it is here", "Arm")),
            cells.numbers("Dice"),
            cells.words("Best arm"),
            cells.numbers("Its Dice"),
        ],
        rows=[
            [
                *(cells.text(row[name]) for name in ("patient_site", "patient", "structure")),
                cells.text(row.get("why")),
                cells.text(row["arm"]),
                cells.number(row["dice"]),
                cells.text(row.get("best_arm")),
                cells.number(row.get("best_dice")),
            ]
            for row in results["worst_cases"]
        ],
        empty="No patient was scored.",
    )
