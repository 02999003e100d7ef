"""``python -m data_prep phantom``: random patients of several unlike sites, to try things without any hospital's data."""

import argparse
from pathlib import Path

from data_prep.phantom.case import ANATOMIES
from data_prep.phantom.generate import MIN_CASES, SPACING_MM, make_federation
from src.data.dataset import SPLITS, Dataset
from src.errors import DatasetError

HELP = "make random patients of several unlike sites"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments to its parser."""
    parser.description = (
        "Makes a federation of phantom datasets, <output>/site_a, site_b and so on. Each site has its own scanner, contrast "
        "phase, patients and contouring habits; all but the first never contour some of the structures. Cases are split by "
        "patient: about 15 % valid and 25 % test (at least one each), the rest train; 24 cases give 14, 4 and 6, 4 cases give "
        "2, 1 and 1. The same arguments give the same bytes."
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the federation")
    parser.add_argument("--anatomy", choices=tuple(ANATOMIES), required=True, help="what to make")
    parser.add_argument("--sites", type=int, help="number of sites; default: as many as --cases names")
    parser.add_argument(
        "--cases",
        type=_counts,
        default=(24, 12, 8, 4),
        help=f"cases of each site, as in 24,12,8,4, each at least {MIN_CASES}; one number stands for every site",
    )
    parser.add_argument("--seed", type=int, default=0, help="0 or more; default 0")
    parser.add_argument(
        "--size",
        choices=tuple(SPACING_MM),
        default="small",
        help="small: about 6 mm voxels, under 0.5 s a case; medium: about 3 mm, some 3 s a case; default small",
    )


def run(arguments: argparse.Namespace) -> int:
    """Makes the datasets and prints one line per site.

    Returns:
        0.

    Raises:
        DatasetError: arguments that cannot be met, or an output that holds something else.
    """
    cases_per_site = _cases_per_site(arguments.cases, arguments.sites)
    datasets = make_federation(
        arguments.output, anatomy=arguments.anatomy, cases_per_site=cases_per_site, seed=arguments.seed, size=arguments.size
    )
    print(f"{len(datasets)} phantom sites in '{arguments.output}':")
    for dataset in datasets:
        print(_line(dataset))
    return 0


def _counts(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(count) for count in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"expected whole numbers with commas between, as in 24,12,8,4, found '{text}'"
        ) from error


def _cases_per_site(cases: tuple[int, ...], sites: int | None) -> tuple[int, ...]:
    if sites is None or sites == len(cases):
        return cases
    if len(cases) == 1:
        return cases * max(sites, 0)
    raise DatasetError(
        f"expected one number of cases for each of {sites} sites, found {len(cases)}; correct --sites or --cases"
    )


def _line(dataset: Dataset) -> str:
    counts = ", ".join(f"{len(dataset.cases_of(split))} {split}" for split in SPLITS)
    shift = dataset.provenance["site_shift"]
    missing = ", ".join(shift["never_contoured"]) or "nothing"
    spacing = " x ".join(f"{step:.1f}" for step in shift["spacing_mm"])
    return f"  {dataset.site}  {counts}; {spacing} mm, {shift['phase']} phase; never contours {missing}"
