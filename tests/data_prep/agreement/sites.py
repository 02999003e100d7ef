"""Fingerprints of made-up sites, as ``fingerprint`` would write them."""

import json
from pathlib import Path


def grid(value: float, spread: float = 0.0) -> dict[str, float]:
    return {
        percent: value + spread * step for percent, step in zip(("5", "25", "50", "75", "95"), (-2, -1, 0, 1, 2), strict=True)
    }


def hu(low: float, middle: float, high: float) -> dict[str, float]:
    return {"0.5": low, "5": low, "50": middle, "95": high, "99.5": high}


def fingerprint(
    site: str,
    *,
    train: int | str = 20,
    x_mm: float = 1.0,
    z_mm: float = 3.0,
    contoured=(-150, 40, 250),
    structures: dict[str, tuple[int | str, float]] | None = None,
    **more,
) -> dict:
    """One site; ``structures`` maps a name to its training cases and median HU."""
    chosen = {"Brainstem": (train, 35), "Parotid_L": (train, 0)} if structures is None else structures
    size = {"x": grid(round(500 / x_mm)), "y": grid(round(500 / x_mm)), "z": grid(round(300 / z_mm))}
    return {
        "fingerprint_version": 1,
        "anatomy": "head_neck",
        "site": site,
        "cases": {"train": train, "valid": 5, "test": "<5"},
        "spacing_mm": {"x": grid(x_mm), "y": grid(x_mm), "z": grid(z_mm)},
        "size_voxels": size,
        "hu": {"contoured": hu(*contoured), "body": hu(-900, 0, 600)},
        "structures": {
            name: {"cases": {"train": cases, "valid": 0, "test": 0}, "hu": hu(median - 50, median, median + 50)}
            for name, (cases, median) in chosen.items()
        },
    } | more


def write(folder: Path, *sites: dict) -> list[Path]:
    """A file for each, named by its site."""
    paths = [folder / f"{number}_{site['site']}.json" for number, site in enumerate(sites)]
    for path, site in zip(paths, sites, strict=True):
        path.write_text(json.dumps(site))
    return paths
