"""One conversion by another library, timed; run by ``convert`` with the interpreter that has it.

It imports nothing of ours. ``python convert_others.py <library> <folder of the CT> <RTSTRUCT> <folder to write to>`` prints one
JSON object on its last line: ``seconds`` from the first file to the last mask, imports not counted; ``voxels`` by ROI; what an
ROI ``raised``; files and bytes ``written``.
"""

import contextlib
import io
import json
import sys
import time
from pathlib import Path


def rt_utils(ct: str, structures: str, output: str) -> dict:
    """Opens the series and makes the mask of every ROI, in memory; it has no way to write them."""
    from rt_utils import RTStructBuilder

    masks, raised = {}, {}
    began = time.perf_counter()
    plan = RTStructBuilder.create_from(dicom_series_path=ct, rt_struct_path=structures)
    for name in plan.get_roi_names():
        try:
            masks[name] = plan.get_roi_mask_by_name(name)
        except Exception as error:
            raised[name] = f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "voxels": {name: int(mask.sum()) for name, mask in masks.items()}, "raised": raised}


def dcmrtstruct2nii(ct: str, structures: str, output: str) -> dict:
    """Writes the CT and the mask of every ROI as compressed NIfTI files, all it can do."""
    import SimpleITK as sitk
    from dcmrtstruct2nii import dcmrtstruct2nii as convert

    began = time.perf_counter()
    convert(structures, ct, output, gzip=True)
    seconds = time.perf_counter() - began
    files = sorted(Path(output).glob("mask_*.nii.gz"))
    voxels = {file.name[5:-7]: int((sitk.GetArrayFromImage(sitk.ReadImage(str(file))) > 0).sum()) for file in files}
    return {"seconds": seconds, "voxels": voxels, "raised": {}}


if __name__ == "__main__":
    library, *given = sys.argv[1:]
    with contextlib.redirect_stdout(io.StringIO()):
        found = {"rt-utils": rt_utils, "dcmrtstruct2nii": dcmrtstruct2nii}[library](*given)
    written = [path for path in Path(given[-1]).rglob("*") if path.is_file()]
    print(json.dumps({**found, "written": [len(written), sum(path.stat().st_size for path in written)]}))
