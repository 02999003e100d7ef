"""What an export holds of a patient, said in plain lines."""

from collections import Counter
from collections.abc import Mapping

from src.dicom.objects import CTSeries, ExportedPatient, Grid


def describe_patient(patient: ExportedPatient, grids: Mapping[str, Grid] | None = None) -> tuple[str, ...]:
    """One line for each CT series, each RTSTRUCT and each kind of file that is not used.

    Args:
        patient: what the export holds.
        grids: label of a series -> its grid, where that is known.
    """
    grids = grids or {}
    series = [_describe_series(one, grids.get(one.label)) for one in patient.series]
    structure_sets = [
        f"RTSTRUCT {header.file.label}: {_count(header.num_rois, 'ROI')}, {'approved' if header.approved else 'not approved'}"
        for header in patient.structure_sets
    ]
    skipped = Counter(item.why for item in patient.skipped)
    others = [f"{_count(count, 'file')} not used: {why}" for why, count in sorted(skipped.items())]
    return (*series, *structure_sets, *others)


def _describe_series(series: CTSeries, grid: Grid | None) -> str:
    if grid:
        columns, rows, num_slices = grid.size
        spacing = " × ".join(f"{value:.4g}" for value in grid.spacing_mm)
        return f"CT {series.label}: {num_slices} slices of {columns} × {rows}, {spacing} mm"
    sizes = sorted({(image.columns, image.rows) for image in series.slices})
    broken = f", {len(series.broken)} more that cannot be used" if series.broken else ""
    return f"CT {series.label}: {_count(len(series.slices), 'image')} of {' and '.join(f'{x} × {y}' for x, y in sizes)}{broken}"


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
