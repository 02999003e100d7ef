"""Is a CT series one regular grid? Sorted by position and checked; a hole, a jump or a tilt is refused, never resampled."""

from collections.abc import Sequence

import numpy as np

from src.dicom.ct_pixels import read_hu
from src.dicom.labels import listed
from src.dicom.objects import CTSeries, CTSlice, Grid, SliceStack
from src.dicom.scouts import leave_out_scouts
from src.dicom.slice_spacing import check_steps
from src.errors import DicomError

SAME_PLACE_MM = 0.01
SAME_DIRECTION = 1e-4  # at 25 cm from the first pixel, 0.025 mm
SAME_SPACING = 1e-4  # of the pixel spacing: over 512 pixels, a twentieth of one
MAX_VOXELS = 2_000_000_000


def stack_slices(series: CTSeries) -> SliceStack:
    """The slices of a series in their order along row × column, and the grid they make.

    Distances come from ImagePositionPatient alone, as the mean over the stack: SliceThickness says something else.

    Args:
        series: as found in an export.

    Returns:
        Grid and slices, with notes on localizers left out, duplicates dropped and what the slices say of their voxels.

    Raises:
        DicomError: it is not one regular grid; names the reason and the files by their labels.
    """
    if series.broken:
        reasons = dict.fromkeys(item.why for item in series.broken)
        files = listed(item.file for item in series.broken)
        raise _refused(series, f"{files} cannot be used as its slices: {'; '.join(list(reasons)[:3])}")
    slices, notes = leave_out_scouts(series)
    _check_alike(series, slices)
    slices, dropped = _drop_duplicates(series, _in_order(slices))
    grid = _grid(series, slices)
    return SliceStack(grid=grid, slices=tuple(slices), notes=(*notes, *dropped, *_slice_notes(slices)))


def _refused(series: CTSeries, reason: str) -> DicomError:
    return DicomError(f"{series.label}: {reason}; export it again as one complete series of axial images")


def _check_alike(series: CTSeries, slices: Sequence[CTSlice]) -> None:
    """One frame of reference, size, pixel spacing and orientation."""
    first = slices[0]
    differing = {
        "frame of reference": lambda image: image.frame_uid != first.frame_uid,
        "size": lambda image: (image.rows, image.columns) != (first.rows, first.columns),
        "pixel spacing": lambda image: not np.allclose(_pixel_mm(image), _pixel_mm(first), rtol=SAME_SPACING, atol=0),
        "orientation": lambda image: np.abs(_directions(image) - _directions(first)).max() > SAME_DIRECTION,
    }
    for what, differs in differing.items():
        if others := [image for image in slices if differs(image)]:
            odd = min(others, [image for image in slices if not differs(image)], key=len)
            raise _refused(series, f"expected one {what}, but {listed(image.file for image in odd)} differ from the rest")
    if len(slices) * first.rows * first.columns > MAX_VOXELS:
        raise _refused(series, f"more than {MAX_VOXELS:.0e} voxels, which no planning CT has")


def _pixel_mm(image: CTSlice) -> tuple[float, float]:
    return image.row_spacing_mm, image.column_spacing_mm


def _directions(image: CTSlice) -> np.ndarray:
    return np.concatenate([image.row_direction, image.column_direction])


def _height_mm(image: CTSlice, normal: np.ndarray) -> float:
    return float(image.position_mm @ normal)


def _in_order(slices: Sequence[CTSlice]) -> list[CTSlice]:
    normal = np.cross(slices[0].row_direction, slices[0].column_direction)
    return sorted(slices, key=lambda image: (_height_mm(image, normal), image.file.label))


def _drop_duplicates(series: CTSeries, slices: Sequence[CTSlice]) -> tuple[list[CTSlice], list[str]]:
    """One slice per place; two with other voxels at one place are two volumes."""
    normal = np.cross(slices[0].row_direction, slices[0].column_direction)
    kept, dropped, clashing = [], [], []
    for image in slices:
        last = kept[-1] if kept else None
        if last is None or _height_mm(image, normal) - _height_mm(last, normal) > SAME_PLACE_MM:
            kept.append(image)
        elif np.abs(image.position_mm - last.position_mm).max() <= SAME_PLACE_MM and _same_voxels(image, last):
            dropped.append(image)
        else:
            clashing += [last, image]
    if clashing:
        files = dict.fromkeys(image.file for image in clashing)
        raise _refused(
            series,
            f"{listed(files)} lie at the same place with different voxels: two volumes in one series, or no volume at all",
        )
    return kept, [f"{len(dropped)} exact duplicates dropped ({listed(image.file for image in dropped)})"] if dropped else []


def _same_voxels(one: CTSlice, other: CTSlice) -> bool:
    return np.array_equal(read_hu(one), read_hu(other))


def _grid(series: CTSeries, slices: Sequence[CTSlice]) -> Grid:
    first = slices[0]
    normal = np.cross(first.row_direction, first.column_direction)
    try:
        spacing_mm = check_steps(slices, normal)
    except DicomError as error:
        raise _refused(series, str(error)) from None
    return Grid(
        size=(first.columns, first.rows, len(slices)),
        spacing_mm=(first.column_spacing_mm, first.row_spacing_mm, spacing_mm),
        origin_mm=first.position_mm.copy(),
        direction=np.stack([first.row_direction, first.column_direction, normal], axis=1),
    )


def _slice_notes(slices: Sequence[CTSlice]) -> list[str]:
    """What the slices say of their voxels, each said once."""
    notes = dict.fromkeys(note for image in slices for note in image.notes)
    counted = {note: sum(note in image.notes for image in slices) for note in notes}
    said = [f"the CT {note} ({count} of {len(slices)} slices)" for note, count in counted.items()]
    if len(slices) == 2:
        said.append("its slices' distance rests on two images alone")
    if (studies := len({image.study_uid for image in slices if image.study_uid})) > 1:
        said.append(f"its slices are of {studies} studies under one SeriesInstanceUID: are they one CT?")
    return said
