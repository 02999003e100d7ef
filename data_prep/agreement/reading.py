"""A fingerprint that a site sent: read, and checked before anything is concluded from it."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from data_prep.agreement.fingerprint import FINGERPRINT_VERSION, GRID_PERCENTS
from data_prep.agreement.measure import HU_PERCENTS
from src.data.dataset import check_anatomy, check_name
from src.data.structures import load_structures
from src.errors import DatasetError, StructureError
from src.privacy import TOO_FEW

MAX_BYTES = 1_000_000  # a fingerprint has some 30 kB

Percentiles = dict[float, float]


@dataclass(frozen=True, kw_only=True)
class StructureFingerprint:
    """One structure at one site.

    Attributes:
        train_cases: training cases in which it is contoured; None for one to four.
        hu: percent -> HU, or None where the cases are too few.
    """

    train_cases: int | None
    hu: Percentiles | None


@dataclass(frozen=True, kw_only=True)
class SiteFingerprint:
    """What one site told.

    Attributes:
        site, anatomy: as in its dataset.
        train_cases: number of training cases; None for one to four, which have no say.
        spacing_mm, size_voxels: of axis x, y, z: percent -> value; None where the cases are too few.
        contoured_hu, body_hu: percent -> HU; None where the cases are too few.
        structures: TG-263 name -> what it tells of it.
    """

    site: str
    anatomy: str
    train_cases: int | None
    spacing_mm: dict[str, Percentiles | None]
    size_voxels: dict[str, Percentiles | None]
    contoured_hu: Percentiles | None
    body_hu: Percentiles | None
    structures: dict[str, StructureFingerprint]


def read_fingerprints(paths: Sequence[Path]) -> list[SiteFingerprint]:
    """Reads the fingerprints of several sites, in the order of the sites' names.

    Raises:
        DatasetError: a file is none of these, two are of one site, or they are of different anatomies.
    """
    read = sorted((_read(path) for path in paths), key=lambda one: one.site)
    for first, second in pairwise(read):
        if first.site == second.site:
            raise DatasetError(f"two fingerprints are of site {first.site}; give one of each site")
    if len(anatomies := sorted({one.anatomy for one in read})) > 1:
        of = "; ".join(f"{name}: {', '.join(one.site for one in read if one.anatomy == name)}" for name in anatomies)
        raise DatasetError(f"expected fingerprints of one anatomy, found {of}; agree on each anatomy by itself")
    return read


def _read(path: Path) -> SiteFingerprint:
    if not path.is_file():
        raise DatasetError(f"expected the fingerprint {path.name}, found no such file; check the path")
    if path.stat().st_size > MAX_BYTES:
        raise DatasetError(f"{path.name} is too large for a fingerprint; give what 'python -m data_prep fingerprint' wrote")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["fingerprint_version"]
        if version != FINGERPRINT_VERSION:
            raise DatasetError(
                f"{path.name} is a fingerprint of version {version!r}, this version reads {FINGERPRINT_VERSION}; "
                "all sites make theirs with the same version of this project"
            )
        return _site(content)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, StructureError) as error:
        raise DatasetError(
            f"{path.name} is no fingerprint ({type(error).__name__}: {error}); make it with 'python -m data_prep fingerprint'"
        ) from error


def _site(content: Mapping) -> SiteFingerprint:
    check_name("site", content["site"])
    check_anatomy(content["anatomy"])
    table = load_structures()
    return SiteFingerprint(
        site=content["site"],
        anatomy=content["anatomy"],
        train_cases=_count(content["cases"]["train"]),
        spacing_mm={axis: _percentiles(content["spacing_mm"][axis], GRID_PERCENTS, low=0.01) for axis in "xyz"},
        size_voxels={axis: _percentiles(content["size_voxels"][axis], GRID_PERCENTS, low=1) for axis in "xyz"},
        contoured_hu=_percentiles(content["hu"]["contoured"], HU_PERCENTS),
        body_hu=_percentiles(content["hu"]["body"], HU_PERCENTS),
        structures={
            table[name].name: StructureFingerprint(
                train_cases=_count(row["cases"]["train"]), hu=_percentiles(row["hu"], HU_PERCENTS)
            )
            for name, row in content["structures"].items()
        },
    )


def _count(value: object) -> int | None:
    if value == TOO_FEW:
        return None
    if type(value) is not int or value < 0:
        raise ValueError(f"expected a number of cases or '{TOO_FEW}', found {value!r}")
    return value


def _percentiles(row: Mapping[str, float] | None, percents: Sequence[float], *, low: float = -math.inf) -> Percentiles | None:
    if row is None:
        return None
    values = [row[f"{percent:g}"] for percent in percents]
    numbers = all(type(value) in (int, float) and math.isfinite(value) and value >= low for value in values)
    if not numbers or values != sorted(values):
        raise ValueError(f"expected rising numbers, found {values}")
    return {float(percent): float(value) for percent, value in zip(percents, values, strict=True)}
