"""``openkbp``: the public OpenKBP repository -> the study's six sites, with the very same patients, splits and voxels.

As with ``import-nifti``, everything is read and checked before the first file is written, and the same command goes on from
where it was stopped; cases that are there already are not read again.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from data_prep.case_table import CaseRow, read_case_table
from data_prep.count_table import print_counts
from data_prep.import_passes import check_all, write_all
from data_prep.naming.import_names import resolve_names
from data_prep.openkbp.study import STUDY_TABLE, PublicPatients, find_patients, read_digests, read_labels
from src.data.dataset_writer import DatasetWriter
from src.errors import DatasetError

COMMAND = "openkbp"
ANATOMY = "head_neck"
REPOSITORY = "github.com/ababier/open-kbp"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("--input", type=Path, required=True, help=f"folder 'provided-data' of a clone of {REPOSITORY}")
    parser.add_argument("--output", type=Path, required=True, help="root of the datasets, one folder per site")
    parser.add_argument(
        "--table",
        type=Path,
        default=STUDY_TABLE,
        help="csv: case, site, source (pt_<number>), optionally split, contoured, voxels_sha256 (default: the study's)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Converts; 0 when every case of the table is in its dataset."""
    rows = read_case_table(arguments.table, None)
    digests = read_digests(arguments.table)
    matched = resolve_names(read_labels(), ANATOMY, {}, skip_unmatched=False)
    folders = find_patients(arguments.input, rows)
    present = _present_cases(arguments.output, rows)
    left = [row for row in rows if row.case not in present]
    source = PublicPatients(folders, matched, digests)
    check_all(source, left)
    writers = _open_writers(arguments.output, rows, matched)
    write_all(source, left, writers)
    print_counts({site: writer.dataset for site, writer in writers.items()})
    num_compared = sum(row.case in digests for row in left)
    before = f"; {len(present)} were there before" if present else ""
    print(f"{len(left)} cases made, {num_compared} of them compared with the study's digests: equal{before}")
    return 0


def _present_cases(output: Path, rows: list[CaseRow]) -> set[str]:
    """Cases that an earlier run made; refuses folders that hold something else, before minutes of reading."""
    present: set[str] = set()
    for path in (output, *(output / site for site in sorted({row.site for row in rows}))):
        if path.exists() and not path.is_dir():
            raise DatasetError(f"expected a folder at --output, found the file '{path.name}'; choose another name")
        if path == output:
            continue
        if not (path / "dataset.json").exists():
            DatasetWriter.check_new(path)
            continue
        dataset = DatasetWriter(path, anatomy=ANATOMY, site=path.name).dataset
        if dataset.provenance.get("command") != COMMAND:
            raise DatasetError(f"'{path.name}' holds a dataset that 'openkbp' did not make; choose another --output")
        present |= set(dataset.cases)
    return present & {row.case for row in rows}


def _open_writers(output: Path, rows: list[CaseRow], matched: Mapping[str, str]) -> dict[str, DatasetWriter]:
    provenance = {"command": COMMAND, "source": REPOSITORY, "names": dict(sorted(matched.items()))}
    return {
        site: DatasetWriter(output / site, anatomy=ANATOMY, site=site, provenance=provenance)
        for site in sorted({row.site for row in rows})
    }
