"""Writes a federation of phantom datasets: one folder a site, ready for training."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import SimpleITK as sitk
from tqdm import tqdm

from data_prep.phantom.case import ANATOMIES, PhantomCase, make_case
from data_prep.phantom.patient import Grid
from data_prep.phantom.site_shift import SiteShift, case_generator, draw_site_shift, split_generator
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from src.errors import DatasetError

SPACING_MM = {
    "small": {"liver": (6.0, 6.0, 6.0), "head_neck": (5.5, 5.5, 5.5)},
    "medium": {"liver": (3.0, 3.0, 3.0), "head_neck": (3.0, 3.0, 3.0)},
}
MIN_CASES = 3
VALID_SHARE, TEST_SHARE = 0.15, 0.25


def make_federation(
    root: Path | str, *, anatomy: str, cases_per_site: Sequence[int], seed: int = 0, size: str = "small"
) -> list[Dataset]:
    """Makes one dataset per site below ``root``: site_a, site_b and so on.

    The same arguments give the same bytes. A site's cases do not depend on how many other sites or cases there are. A run that
    was stopped is continued by the same call; a finished one is left as it is.

    Args:
        root: folder of the federation; made if it is not there.
        anatomy: of ``case.ANATOMIES``.
        cases_per_site: cases of each site, at least 3; about 60 % train, 15 % valid, 25 % test, at least one each.
        seed: 0 or more.
        size: of ``SPACING_MM``.

    Returns:
        The datasets, opened, in the order of ``cases_per_site``.

    Raises:
        DatasetError: an argument that cannot be met, or a site's folder that holds something else. Nothing is written then.
    """
    _check_arguments(anatomy, cases_per_site, seed, size)
    sites = [(Path(root) / f"site_{ascii_lowercase[number]}", number, cases) for number, cases in enumerate(cases_per_site)]
    shifts = [_site_shift(anatomy, seed, number, size) for _, number, _ in sites]
    facts = [_provenance(seed, size, *site[1:], shift) for site, shift in zip(sites, shifts, strict=True)]
    for (path, _, _), provenance in zip(sites, facts, strict=True):
        _check_folder(path, anatomy, provenance)
    with tqdm(total=sum(cases_per_site), desc=f"phantom {anatomy}", unit="case", disable=None) as progress:
        for (path, number, cases), shift, provenance in zip(sites, shifts, facts, strict=True):
            writer = DatasetWriter(path, anatomy=anatomy, site=path.name, provenance=provenance)
            _write_cases(writer, shift, seed, number, cases, progress)
    return [Dataset.open(path) for path, _, _ in sites]


def split_of_cases(cases: int, rng: np.random.Generator) -> list[str]:
    """The split of each of a site's cases: at least one valid and one test, about 15 % and 25 %, the rest train."""
    valid, test = (max(1, round(cases * share)) for share in (VALID_SHARE, TEST_SHARE))
    order = ["valid"] * valid + ["test"] * test + ["train"] * (cases - valid - test)
    return [order[position] for position in rng.permutation(cases)]


def as_image(array: np.ndarray, grid: Grid) -> sitk.Image:
    """A SimpleITK image, direction identity (DICOM's left, back, head), of an (X, Y, Z) array on its grid."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm)
    return image


def _write_cases(writer: DatasetWriter, shift: SiteShift, seed: int, number: int, cases: int, progress: tqdm) -> None:
    anatomy = ANATOMIES[writer.dataset.anatomy]
    splits = split_of_cases(cases, split_generator(seed, number))
    for index, split in enumerate(splits):
        name = f"{writer.dataset.site}_{index:03d}"
        if name not in writer.dataset.cases:
            made: PhantomCase = make_case(anatomy, shift, case_generator(seed, number, index))
            masks = {structure: as_image(mask.astype(np.uint8), made.grid) for structure, mask in made.masks.items()}
            writer.add_case(name, as_image(made.hu, made.grid), masks, split=split)
        progress.update()


def _site_shift(anatomy: str, seed: int, number: int, size: str) -> SiteShift:
    chosen = ANATOMIES[anatomy]
    return draw_site_shift(
        seed,
        number,
        structures=chosen.structures,
        optional=chosen.optional,
        trimmable=chosen.trimmable,
        spacing_mm=SPACING_MM[size][anatomy],
    )


def _provenance(seed: int, size: str, number: int, cases: int, shift: SiteShift) -> dict:
    facts = {"made_by": "data_prep phantom", "seed": seed, "size": size, "site_number": number, "cases": cases}
    return json.loads(json.dumps(facts | {"site_shift": asdict(shift)}))


def _check_arguments(anatomy: str, cases_per_site: Sequence[int], seed: int, size: str) -> None:
    if anatomy not in ANATOMIES:
        raise DatasetError(f"expected a phantom anatomy of {', '.join(ANATOMIES)}, found '{anatomy}'; choose one of them")
    if size not in SPACING_MM:
        raise DatasetError(f"expected a phantom size of {', '.join(SPACING_MM)}, found '{size}'; choose one of them")
    if not 1 <= len(cases_per_site) <= len(ascii_lowercase):
        raise DatasetError(f"expected 1 to {len(ascii_lowercase)} phantom sites, found {len(cases_per_site)}; give that many")
    if few := [cases for cases in cases_per_site if cases < MIN_CASES]:
        raise DatasetError(
            f"expected at least {MIN_CASES} cases at every phantom site (one each to train, validate and test), "
            f"found {few[0]}; give it more"
        )
    if seed < 0:
        raise DatasetError(f"expected a seed of 0 or more, found {seed}; choose another")


def _check_folder(path: Path, anatomy: str, provenance: dict) -> None:
    if not path.exists():
        return
    if not (path / "dataset.json").is_file():
        raise DatasetError(
            f"expected '{path.name}' to be new or a phantom dataset, found another folder; choose another output"
        )
    found = Dataset.open(path)
    if (found.anatomy, found.provenance) != (anatomy, provenance):
        raise DatasetError(
            f"'{path.name}' already holds a dataset made in another way (anatomy, cases, seed, size or version differ); "
            "choose another output, or remove it"
        )
