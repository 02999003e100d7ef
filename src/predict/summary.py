"""What is printed at the end: a row per CT, and why some failed."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from src.predict.every_patient import Outcome, failed
from src.predict.prediction_file import NOTICE


def print_summary(console: Console, outcomes: Sequence[Outcome], who_is_who: str) -> None:
    """Prints the table, the failures by label and the notice.

    Args:
        console: where to.
        outcomes: of all CTs.
        who_is_who: where the private listing lies, in words; "" where there is none.
    """
    table = Table("CT", "structures", "volume (cm3)", "seconds", "look at", show_lines=True)
    for outcome in outcomes:
        table.add_row(*_cells(outcome))
    console.print(table, markup=False)
    for outcome in failed(outcomes):
        console.print(f"{outcome.label} failed: {outcome.failure}", highlight=False, markup=False, soft_wrap=True)
    if who_is_who:
        console.print(f"Which patient a label is stands in {who_is_who}.", highlight=False, markup=False, soft_wrap=True)
    console.print(NOTICE, highlight=False, markup=False, soft_wrap=True)


def _cells(outcome: Outcome) -> tuple[str, str, str, str, str]:
    if outcome.failure:
        return outcome.label, "failed", "", "", ""
    prediction = outcome.prediction
    if prediction is None:
        return outcome.label, "there already", "", "", ""
    volumes = prediction.volumes_cm3
    return (
        outcome.label,
        "\n".join(volumes),
        "\n".join(f"{volume:.1f}" if volume else "not found" for volume in volumes.values()),
        f"{prediction.seconds:.1f}",
        "\n".join(prediction.warnings),
    )
