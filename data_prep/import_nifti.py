"""``import-nifti``: a table of cases, CTs and contours in NIfTI files -> one checked dataset per site.

Everything is read and checked before the first file is written: an import that is refused leaves the output as it was. The
writing then goes case by case, so an import that is stopped leaves valid datasets, and the same command completes them.
"""

import argparse
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk
from tqdm import tqdm

from data_prep.case_table import CaseRow, read_case_table
from data_prep.contours import Contours, LabelMaps, MaskFiles
from data_prep.count_table import print_counts
from data_prep.native_names import read_names, resolve_names
from data_prep.nifti_file import find_nifti, read_volume
from src.data.dataset import DatasetWriter, as_int16
from src.data.structures import ANATOMIES
from src.errors import DatasetError, OarError

NUM_WORKERS = 2  # threads: SimpleITK reads and compresses outside Python's lock
MAX_LISTED = 20


@dataclass(frozen=True, kw_only=True)
class ImportSource:
    """Where the cases come from.

    Attributes:
        images: folder of the CTs, ``<source>.nii.gz``.
        contours: where the masks come from.
        matched: native name -> TG-263 name of what is imported.
    """

    images: Path
    contours: Contours
    matched: Mapping[str, str]

    def read(self, row: CaseRow) -> tuple[sitk.Image, dict[str, sitk.Image]]:
        """One case: its CT in HU, and TG-263 name -> uint8 mask on the same grid.

        Raises:
            CaseError: a file that cannot be used.
        """
        ct = read_volume(row.case, find_nifti(row.case, self.images, row.source, "CT"), "CT")
        return ct, self.contours.read(row, ct, self.matched)


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
    _check_all(source, rows)
    provenance = {"command": "import-nifti", "table": arguments.table.name, "names": dict(sorted(matched.items()))}
    _write_all(source, rows, _open_writers(arguments, rows, provenance))
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


def _check_all(source: ImportSource, rows: list[CaseRow]) -> None:
    def problem_of(row: CaseRow) -> str | None:
        try:
            ct, _ = source.read(row)
            as_int16(row.case, ct)
        except OarError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(NUM_WORKERS) as pool:
        found = list(tqdm(pool.map(problem_of, rows), total=len(rows), desc="checking", unit="case", disable=None))
    if problems := [problem for problem in found if problem]:
        more = f"\n  and {len(problems) - MAX_LISTED} more" if len(problems) > MAX_LISTED else ""
        listed = "\n  ".join(problems[:MAX_LISTED])
        raise DatasetError(f"{len(problems)} of {len(rows)} cases cannot be imported; nothing was written:\n  {listed}{more}")


def _open_writers(arguments: argparse.Namespace, rows: list[CaseRow], provenance: Mapping) -> dict[str, DatasetWriter]:
    sites = sorted({row.site for row in rows})
    paths = {site: arguments.output if arguments.site else arguments.output / site for site in sites}
    for path in (arguments.output, *paths.values()):
        if path.exists() and not path.is_dir():
            raise DatasetError(f"expected a folder at --output, found the file '{path.name}'; choose another name")
    # Folders that exist come first: opening one of those writes nothing and may be refused.
    order = sorted(sites, key=lambda site: not paths[site].exists())
    return {site: DatasetWriter(paths[site], anatomy=arguments.anatomy, site=site, provenance=provenance) for site in order}


def _write_all(source: ImportSource, rows: list[CaseRow], writers: Mapping[str, DatasetWriter]) -> None:
    stop = threading.Event()
    with (
        tqdm(total=len(rows), desc="writing", unit="case", disable=None) as progress,
        ThreadPoolExecutor(NUM_WORKERS) as pool,
    ):
        # One dataset belongs to one thread: its index has one writer.
        jobs = [
            pool.submit(_write_site, source, [row for row in rows if row.site == site], writer, stop, progress)
            for site, writer in writers.items()
        ]
        try:
            for job in as_completed(jobs):
                job.result()
        finally:
            stop.set()
    print_counts({site: writer.dataset for site, writer in writers.items()})


def _write_site(
    source: ImportSource, rows: list[CaseRow], writer: DatasetWriter, stop: threading.Event, progress: tqdm
) -> None:
    for row in rows:
        if stop.is_set():
            return
        ct, masks = source.read(row)
        empty = [name for name, mask in masks.items() if not sitk.GetArrayViewFromImage(mask).any()]
        recorded = writer.dataset.cases.get(row.case)
        split = row.split or (recorded.split if recorded else None)  # a split that was drawn once stays
        checks = tuple(f"{name} is listed as contoured and has no voxels" for name in sorted(empty))
        writer.add_case(row.case, ct, masks, split=split, checks=checks)
        progress.update()
