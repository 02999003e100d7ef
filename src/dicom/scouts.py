"""Localizers and reformats that an export put into the series of the volume: left out, but only where they clearly are some."""

from collections.abc import Sequence

import numpy as np

from src.dicom.labels import listed
from src.dicom.objects import CTSeries, CTSlice
from src.errors import DicomError

_CLEARLY_TURNED = np.cos(np.radians(30))
IN_LINE_MM = 0.1


def leave_out_scouts(series: CTSeries) -> tuple[list[CTSlice], list[str]]:
    """The largest group of images that face one way, without the few that face another.

    Args:
        series: without broken files.

    Returns:
        The images of the volume in the order of the series, and a note on those left out.

    Raises:
        DicomError: no group is the largest, the rest is no smaller than it, or may be part of the volume after all.
    """
    groups = _by_orientation(series.slices)
    groups.sort(key=len, reverse=True)
    volume, rest = groups[0], [image for group in groups[1:] for image in group]
    if not rest:
        if scouts := [image for image in volume if "LOCALIZER" in image.image_type]:
            raise DicomError(
                f"{series.label}: {listed(image.file for image in scouts)} say they are localizers but lie as its other "
                "images do; take them out of the export or export the series again"
            )
        return volume, []
    return _without_rest(series, volume, rest)


def _without_rest(series: CTSeries, volume: list[CTSlice], rest: list[CTSlice]) -> tuple[list[CTSlice], list[str]]:
    files = listed(image.file for image in rest)
    scouts = all("LOCALIZER" in image.image_type for image in rest)
    if any("LOCALIZER" in image.image_type for image in volume) or (2 * len(rest) >= len(volume) and not scouts):
        raise DicomError(f"{series.label}: images of several orientations and no clear volume among them; export one by one")
    if inside := [image for image in rest if _in_line(image, volume[0])]:
        raise DicomError(
            f"{series.label}: {listed(image.file for image in inside)} face another way but lie in line with its other "
            "images; export the series again"
        )
    return volume, [f"{len(rest)} {'localizers' if scouts else 'images of another orientation'} left out ({files})"]


def _by_orientation(slices: Sequence[CTSlice]) -> list[list[CTSlice]]:
    """Images by the way they face; small differences stay together, for the checks of the grid to refuse."""
    groups: list[list[CTSlice]] = []
    for image in slices:
        group = next((group for group in groups if abs(_normal(image) @ _normal(group[0])) > _CLEARLY_TURNED), None)
        if group is None:
            groups.append([image])
        else:
            group.append(image)
    return groups


def _normal(image: CTSlice) -> np.ndarray:
    return np.cross(image.row_direction, image.column_direction)


def _in_line(image: CTSlice, of_volume: CTSlice) -> bool:
    """Whether its first pixel lies where one of the volume's slices would have it: then it is one, with a wrong direction."""
    offset_mm = image.position_mm - of_volume.position_mm
    across_mm = offset_mm - (offset_mm @ _normal(of_volume)) * _normal(of_volume)
    same_size = (image.rows, image.columns) == (of_volume.rows, of_volume.columns)
    return same_size and float(np.linalg.norm(across_mm)) < IN_LINE_MM
