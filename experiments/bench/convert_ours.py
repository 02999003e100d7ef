"""One conversion by ``data_prep``, timed; run by ``convert`` in a process of its own, as the other libraries are.

``python -m experiments.bench.convert_ours <how> <export> <folder to write to>`` prints the JSON object that ``convert_others``
does.
"""

import contextlib
import io
import json
import sys
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from data_prep.__main__ import main
from data_prep.rasterise.roi_mask import rasterise
from src.data.case_image import to_mask
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from src.data.structures import load_structures
from src.dicom.ct_pixels import read_ct
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.dicom.pairing import find_series
from src.dicom.structure_set import read_structure_set


def masks_of(export: Path) -> tuple[sitk.Image, dict[str, np.ndarray]]:
    """The CT of an export's only patient and the mask of every ROI that has contours."""
    (patient,) = scan_export(export).patients
    (header,) = patient.structure_sets
    stack = stack_slices(find_series(header, patient).series)
    ct = read_ct(stack)
    rois = [roi for roi in read_structure_set(header).rois if roi.contours]
    return ct, {roi.name: rasterise(roi, stack.grid).mask_ZYX for roi in rois}


def in_memory(export: Path, output: Path) -> dict:
    """Headers, pixels and masks; nothing is written."""
    began = time.perf_counter()
    _, masks = masks_of(export)
    return {"seconds": time.perf_counter() - began, "voxels": _count(masks)}


def to_files(export: Path, output: Path) -> dict:
    """The same, and CT and masks written as ``convert`` writes them; whatever an ROI is called gets one of our names."""
    writer = DatasetWriter(output, anatomy="liver", site="bench")
    began = time.perf_counter()
    ct, masks = masks_of(export)
    names = (structure.name for structure in load_structures())
    images = {name: to_mask(mask, ct) for name, mask in zip(names, masks.values(), strict=False)}
    writer.add_case("case_0", ct, images)
    return {"seconds": time.perf_counter() - began, "voxels": _count(masks)}


def command(export: Path, output: Path) -> dict:
    """``data_prep convert`` as it is typed, checks, picture and report too, with a names.csv that makes a mask of every ROI."""
    output.mkdir(parents=True)
    structure_of = _any_names(export)
    rows = (f'"{native}",{structure}\n' for native, structure in structure_of.items())
    (output / "names.csv").write_text("native,tg263\n" + "".join(rows), encoding="utf-8")
    options = {"--input": export, "--output": output / "site", "--names": output / "names.csv", "--private": output / "private"}
    given = [str(part) for option in options.items() for part in option]
    began = time.perf_counter()
    exit_code = main(["convert", *given, "--site", "bench", "--anatomy", "liver"])
    seconds = time.perf_counter() - began
    if exit_code:
        raise RuntimeError(f"expected exit code 0 of data_prep convert, found {exit_code}")
    dataset = Dataset.open(output / "site")
    (case,) = dataset.cases
    masks = {name: sitk.GetArrayFromImage(dataset.read_mask(case, structure)) for name, structure in structure_of.items()}
    return {"seconds": seconds, "voxels": _count(masks)}


def _any_names(export: Path) -> dict[str, str]:
    """A structure for every ROI with contours; none with a partner, whose sides would be checked."""
    ((header,),) = (patient.structure_sets for patient in scan_export(export).patients)
    natives = [roi.name for roi in read_structure_set(header).rois if roi.contours]
    free = [one.name for one in load_structures() if "liver" in one.anatomies and not one.partner]
    return dict(zip(natives, free, strict=False))


def _count(masks: dict[str, np.ndarray]) -> dict[str, int]:
    return {name: int(np.count_nonzero(mask)) for name, mask in masks.items()}


if __name__ == "__main__":
    how, export, output = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    with contextlib.redirect_stdout(io.StringIO()):
        found = {"in memory": in_memory, "to files": to_files, "convert": command}[how](export, output)
    written = [path for path in output.rglob("*") if path.is_file()]
    print(json.dumps({**found, "raised": {}, "written": [len(written), sum(path.stat().st_size for path in written)]}))
