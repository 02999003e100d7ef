"""How many cases of which structure are in which split, as a table on the terminal."""

from collections import Counter
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from src.data.dataset import SPLITS, Dataset
from src.data.structures import load_structures

COLUMNS = (*SPLITS, None)


def count_structures(dataset: Dataset) -> dict[str, Counter]:
    """Structure -> split (or None) -> number of cases in which it is contoured; in the order of plan/structures.yaml."""
    counts: dict[str, Counter] = {}
    for structure in load_structures():
        found = Counter(record.split for record in dataset.cases.values() if structure.name in record.structures)
        if found:
            counts[structure.name] = found
    return counts


def print_counts(datasets: Mapping[str, Dataset]) -> None:
    """Prints one table per dataset: the cases in which each structure is contoured, by split."""
    for title, dataset in datasets.items():
        cases = Counter(record.split for record in dataset.cases.values())
        shown = [split for split in COLUMNS if split is not None or cases[None]]
        table = Table(title=f"{title}: {len(dataset.cases)} cases, {dataset.anatomy}", title_justify="left")
        table.add_column("contoured in")
        for split in shown:
            table.add_column(split or "no split", justify="right")
        table.add_column("all", justify="right")
        for name, counts in (*count_structures(dataset).items(), ("cases", cases)):
            if name == "cases":
                table.add_section()
            table.add_row(name, *(str(counts[split]) for split in shown), str(counts.total()))
        Console().print(table)
