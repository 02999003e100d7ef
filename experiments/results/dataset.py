"""How many patients each site has, and in how many of them a structure is contoured."""

from collections import Counter
from pathlib import Path

from experiments.federation.workspaces import find_sites
from experiments.results.scored_study import ScoredStudy
from src.data.dataset import SPLITS, Dataset


def describe_dataset(data: Path | None, scored: ScoredStudy) -> dict:
    """Counts by site: ``cases`` by split, and ``contoured`` by structure and split.

    Args:
        data: folder with one dataset per site; None counts the scored patients alone, whose split is then the only one.
        scored: names the structures, so that one that a site never contours is there with zeros.
    """
    structures = sorted({row.structure for row in scored.rows})
    if data is not None:
        return {"sites": {site: _of_dataset(dataset, structures) for site, dataset in find_sites(data).items()}}
    cells = {(row.patient_site, row.patient, row.structure) for row in scored.rows}
    contoured = Counter((site, structure) for site, _, structure in cells)
    cases = Counter(site for site, _ in {cell[:2] for cell in cells})
    return {
        "sites": {
            site: {
                "cases": {scored.split: cases[site]},
                "contoured": {name: {scored.split: contoured[site, name]} for name in structures},
            }
            for site in sorted(cases)
        }
    }


def _of_dataset(dataset: Dataset, structures: list[str]) -> dict:
    by_split = {split: dataset.cases_of(split) for split in SPLITS}
    return {
        "cases": {split: len(records) for split, records in by_split.items()},
        "contoured": {
            name: {split: sum(name in record.structures for record in records) for split, records in by_split.items()}
            for name in structures
        },
    }
