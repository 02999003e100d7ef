"""The two passes of an import: read and check every case, then write every case."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk
from tqdm import tqdm

from data_prep.case_table import CaseRow
from data_prep.contours import Contours
from src.data.case_image import as_int16
from src.data.dataset_writer import DatasetWriter
from src.data.nifti_file import find_nifti, read_volume
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


def check_all(source: ImportSource, rows: list[CaseRow]) -> None:
    """Reads every case once and writes nothing.

    Raises:
        DatasetError: cases that cannot be imported, each with its reason.
    """

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


def write_all(source: ImportSource, rows: list[CaseRow], writers: Mapping[str, DatasetWriter]) -> None:
    """Writes every case into the dataset of its site; a case that fails stops all sites after the case at hand.

    Raises:
        CaseError: a file that changed since it was checked.
    """
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
