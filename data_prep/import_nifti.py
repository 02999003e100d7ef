"""``import-nifti``: a table of cases, CTs and contours in NIfTI files -> one checked dataset per site.

Everything is read and checked before the first file is written: an import that is refused leaves the output as it was. The
writing then goes case by case, so an import that is stopped leaves valid datasets, and the same command completes them.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from data_prep.case_table import CaseRow, read_case_table
from data_prep.contours import Contours, LabelMaps, MaskFiles
from data_prep.count_table import print_counts
from data_prep.import_passes import ImportSource, check_all, write_all
from data_prep.naming.import_names import resolve_names
from data_prep.naming.names_file import read_names
from src.data.dataset_writer import DatasetWriter
from src.data.nifti_file import find_nifti
from src.data.structures import ANATOMIES
from src.errors import DatasetError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("--table", type=Path, required=True, help="csv: case, site, and optionally split, contoured, source")
    parser.add_argument("--images", type=Path, required=True, help="folder of the CTs: <case>.nii.gz")
    contours = parser.add_mutually_exclusive_group(required=True)
    contours.add_argument("--labels", type=Path, help="folder of label maps: <case>.nii.gz")
    contours.add_argument("--masks", type=Path, help="folder of masks: <case>/<structure>.nii.gz")
    parser.add_argument("--label-map", type=Path, help="csv with the label maps' numbers: label, name")
    parser.add_argument("--names", type=Path, help="csv with your names: native, tg263 (empty: leave out)")
    parser.add_argument("--skip-unmatched", action="store_true", help="leave out structures nobody knows")
    parser.add_argument("--anatomy", choices=ANATOMIES, required=True)
    parser.add_argument("--site", help="the site of all cases; the output folder is then its dataset")
    parser.add_argument(
        "--output", type=Path, required=True, help="root of the datasets, one folder per site; with --site the dataset"
    )


def run(arguments: argparse.Namespace) -> int:
    """Imports; 0 when every case of the table is in its dataset."""
    rows = read_case_table(arguments.table, arguments.site)
    contours = _contours(arguments)
    names = read_names(arguments.names)
    for row in rows:  # cheap and first: a wrong folder is told before minutes of reading
        find_nifti(row.case, _folder(arguments.images, "--images"), row.source, "CT")
    matched = resolve_names(contours.native_names(rows), arguments.anatomy, names, skip_unmatched=arguments.skip_unmatched)
    source = ImportSource(images=arguments.images, contours=contours, matched=matched)
    check_all(source, rows)
    provenance = {"command": "import-nifti", "table": arguments.table.name, "names": dict(sorted(matched.items()))}
    writers = _open_writers(arguments, rows, provenance)
    write_all(source, rows, writers)
    print_counts({site: writer.dataset for site, writer in writers.items()})
    return 0


def _contours(arguments: argparse.Namespace) -> Contours:
    if (arguments.labels is None) != (arguments.label_map is None):
        raise DatasetError("expected --labels and --label-map together (or --masks alone), found one of them; give both")
    if arguments.labels:
        return LabelMaps(_folder(arguments.labels, "--labels"), arguments.label_map)
    return MaskFiles(_folder(arguments.masks, "--masks"))


def _folder(path: Path, option: str) -> Path:
    if not path.is_dir():
        raise DatasetError(f"expected a folder at {option} '{path.name}', found none; check the path")
    return path


def _open_writers(arguments: argparse.Namespace, rows: list[CaseRow], provenance: Mapping) -> dict[str, DatasetWriter]:
    sites = sorted({row.site for row in rows})
    paths = {site: arguments.output if arguments.site else arguments.output / site for site in sites}
    for path in (arguments.output, *paths.values()):
        if path.exists() and not path.is_dir():
            raise DatasetError(f"expected a folder at --output, found the file '{path.name}'; choose another name")
    # Folders in use come first: opening one of those writes nothing and may be refused.
    order = sorted(sites, key=lambda site: not (paths[site].exists() and any(paths[site].iterdir())))
    return {site: DatasetWriter(paths[site], anatomy=arguments.anatomy, site=site, provenance=provenance) for site in order}
