"""Converting a patient, beside rt-utils and dcmrtstruct2nii on the same files in the same run.

rt-utils makes masks in memory and stands beside ours in memory; dcmrtstruct2nii writes NIfTI files and stands beside ours to
files.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from experiments.bench.convert_timing import BESIDE, OURS, BenchPatient, Conversion, measure
from experiments.bench.figures import ratios, spread
from experiments.bench.other_libraries import Libraries, install
from experiments.federation.template import REPOSITORY

AIM = 1.0
_LUNG1 = REPOSITORY.parent / "shared" / "data" / "lung1_002_xio"
_IBSI = REPOSITORY.parent / "shared" / "data" / "ibsi1_lung_phantom" / "dicom"
PATIENTS = (
    BenchPatient("LUNG1-002, 512 × 512 × 111 voxels", _LUNG1, _LUNG1 / "CT", _LUNG1 / "RTSTRUCT.dcm"),
    BenchPatient("IBSI phantom, 204 × 201 × 60 voxels", _IBSI, _IBSI / "image", _IBSI / "mask" / "DCM_RS_00060.dcm"),
)


def show(
    console: Console,
    repeats: int,
    patients: Sequence[BenchPatient] = PATIENTS,
    libraries: Libraries | None = None,
    ours: Sequence[str] = OURS,
) -> None:
    """Measures and prints a table per patient; without the real files it says so.

    Args:
        console: to print on.
        repeats: of each measurement.
        patients: to convert.
        libraries: the others; installed where none are given.
        ours: which of our ways.
    """
    if absent := [patient.name for patient in patients if not patient.export.is_dir()]:
        console.print(f"convert: nothing measured, the files of {' and '.join(absent)} are not here (../shared/data)\n")
        return
    libraries = libraries or install()
    for patient in patients:
        table = Table(title=f"Converting {patient.name}; seconds, median of {repeats} (least to greatest)")
        for column in ("by", "seconds", "times ours", "ROIs with voxels", "voxels", "of the smallest", "written"):
            table.add_column(column, justify="left" if column == "by" else "right")
        found = measure(patient, libraries, repeats, ours)
        sizes = found["in memory"].voxels
        smallest = min(sizes, key=sizes.get, default="")
        for way, conversion in found.items():
            cells = _cells(conversion, found.get(BESIDE.get(way, "")), smallest)
            table.add_row(f"ours, {way}" if way in OURS else way, *cells)
        console.print(table)
        console.print(f"the smallest: {smallest}\n")
    console.print(
        "in memory: headers, pixels, every ROI with contours to a mask; stands beside rt-utils. to files: the same, and CT and "
        "masks as\ncompressed NIfTI; stands beside dcmrtstruct2nii, which writes as much. convert: the command as typed, with "
        "every ROI, checks,\npicture and report. references repaired: a copy of the RTSTRUCT that names the CT's slices.\n"
        f"times ours: above {AIM:g} is slower than ours; aim: above {AIM:g} everywhere\n"
    )


def _cells(conversion: Conversion, ours: Conversion | None, smallest: str) -> tuple[str, ...]:
    if conversion.fault:
        return "failed", "", "", "", "", conversion.fault
    ratio = spread(ratios(conversion.seconds, ours.seconds), 1) if ours and not ours.fault else ""
    voxels, (files, size_bytes) = conversion.voxels, conversion.written
    return (
        spread(conversion.seconds, 2),
        ratio,
        f"{sum(1 for count in voxels.values() if count)} of {len(voxels)}",
        _grouped(sum(voxels.values())),
        _grouped(voxels[smallest]) if smallest in voxels else "",
        f"{files} files, {size_bytes / 1e6:.1f} MB" if files else "nothing",
    )


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")
