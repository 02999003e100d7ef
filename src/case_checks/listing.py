"""Do ``dataset.json`` and the folders say the same? No voxel is read."""

from collections import Counter
from collections.abc import Iterator

from src.case_checks.finding import Finding, refused, warning
from src.data.dataset import Dataset

MASK_ENDING = ".nii.gz"


def check_listing(dataset: Dataset) -> Iterator[Finding]:
    """Folders against records, and cases against splits.

    A mask that is recorded and missing, or there and not recorded, is refused: "there" means contoured. A folder without a
    record is what a stopped run leaves; nothing reads it.
    """
    folders = {path.name for path in (dataset.path / "cases").glob("*") if path.is_dir()}
    for name in sorted(folders - set(dataset.cases)):
        kind = "left half-written by a stopped run" if name.startswith(".") else "not recorded in dataset.json"
        yield warning(None, f"a case folder is {kind}; nothing reads it, it may be deleted or its case converted again")
    if not dataset.cases:
        yield refused(None, "the dataset holds no case")
    for case, record in dataset.cases.items():
        if case not in folders:
            yield refused(case, "recorded in dataset.json, but its folder is gone; convert it again")
            continue
        there = {path.name.removesuffix(MASK_ENDING) for path in dataset.mask_path(case, "any").parent.glob("*")}
        for name in sorted(set(record.structures) - there):
            yield refused(case, f"the mask of {name} is recorded and not there; convert the case again")
        for name in sorted(there - set(record.structures)):
            yield refused(
                case, f"structures/{name} is there and not recorded in dataset.json; delete it or convert the case again"
            )
        if not record.structures:
            yield warning(case, "nothing is contoured in it; it trains nothing")
    yield from _check_splits(dataset)


def _check_splits(dataset: Dataset) -> Iterator[Finding]:
    cases = Counter(record.split for record in dataset.cases.values())
    if dataset.cases and cases[None] == len(dataset.cases):
        yield warning(None, "no case has a split; run 'python -m data_prep split'")
        return
    if dataset.cases and not cases["train"]:
        yield refused(None, "the training split is empty; run 'python -m data_prep split --again'")
    if cases[None]:
        yield warning(None, f"cases without a split, which are never used (see 'split --new-to-training'): {cases[None]}")
    trained = {name for record in dataset.cases_of("train") for name in record.structures}
    for name in sorted({name for record in dataset.cases.values() for name in record.structures} - trained):
        yield warning(None, f"{name} is contoured in no training case of this site")
