"""``agree``: several sites' fingerprints -> one spacing, one window and the structures of a plan, and where sites disagree."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from data_prep.agreement.reading import SiteFingerprint, read_fingerprints
from data_prep.agreement.spacing import explain_spacing, propose_spacing_mm, spacing_warnings
from data_prep.agreement.structures import propose_structures, structure_rows, structure_warnings
from data_prep.agreement.window import BOUNDS_HU, explain_window, hu_warnings, propose_window_hu
from src.errors import DatasetError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("fingerprints", type=Path, nargs="+", metavar="site.json")
    parser.add_argument(
        "--tissue",
        choices=BOUNDS_HU,
        default="soft",
        help="bounds of the window (default %(default)s)",
    )
    parser.add_argument(
        "--min-sites", type=int, default=1, help="propose structures that at least so many sites contour (default %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints what the sites have, and the lines to paste into plan.yaml; 0, also when sites disagree."""
    if arguments.min_sites < 1:
        raise DatasetError(f"expected --min-sites of 1 or more, found {arguments.min_sites}")
    sites = read_fingerprints(arguments.fingerprints)
    spacing_mm = propose_spacing_mm(sites)
    window_hu = propose_window_hu(sites, arguments.tissue)
    structures = propose_structures(sites, min_sites=arguments.min_sites)
    if spacing_mm is None or window_hu is None or not structures:
        raise DatasetError(
            "these fingerprints are too few to agree on: expected a site with five training cases or more, structures that "
            f"{arguments.min_sites} or more sites contour, and HU within those of --tissue {arguments.tissue}"
        )
    _print_sites(sites)
    _print_structures(sites)
    reasons = {
        "spacing_mm": explain_spacing(sites, spacing_mm),
        "window_hu": explain_window(sites, arguments.tissue),
    }
    for setting, lines in reasons.items():
        print(f"{setting}:", *lines, sep="\n  - ")
    for warning in (*spacing_warnings(sites), *hu_warnings(sites), *structure_warnings(sites, structures)):
        print(f"warning: {warning}")
    sys.stdout.write(plan_lines(structures, spacing_mm, window_hu))
    return 0


def plan_lines(structures: Sequence[str], spacing_mm: Sequence[float], window_hu: Sequence[int]) -> str:
    """The settings of ``data_loader`` in a plan, indented as they stand there."""
    names = "\n".join(f"      - {name}" for name in structures)
    return (
        "\nIn every site's plan.yaml, under data_loader: settings: (patch_voxels counts voxels of this spacing)\n\n"
        f"    structures:\n{names}\n"
        f"    spacing_mm: [{', '.join(f'{value:.2f}'.rstrip('0').ljust(3, '0') for value in spacing_mm)}]\n"
        f"    window_hu: [{window_hu[0]}, {window_hu[1]}]\n"
    )


def _print_sites(sites: Sequence[SiteFingerprint]) -> None:
    table = Table("site", title=f"{sites[0].anatomy}: medians of the training cases", title_justify="left")
    for column in ("cases", "x mm", "y mm", "z mm", "contoured HU", "body HU"):
        table.add_column(column, justify="right")
    for site in sites:
        spacing = [f"{site.spacing_mm[axis][50.0]:g}" if site.spacing_mm[axis] else "-" for axis in "xyz"]
        hu = [f"{row[50.0]:.0f}" if row else "-" for row in (site.contoured_hu, site.body_hu)]
        table.add_row(site.site, "<5" if site.train_cases is None else str(site.train_cases), *spacing, *hu)
    Console().print(table)


def _print_structures(sites: Sequence[SiteFingerprint]) -> None:
    table = Table(title="training cases", title_justify="left")
    table.add_column("contoured in", no_wrap=True)
    for column in (*(site.site for site in sites), "sites", "cases"):
        table.add_column(column, justify="right", overflow="fold")
    for row in structure_rows(sites):
        table.add_row(*row)
    Console().print(table)
