"""Which CT images of one patient are one series; a file that should be one of its slices and cannot never goes missing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from src.dicom.header import Header
from src.dicom.objects import CTSeries, CTSlice, Skipped

_LOST_UID = "has no SeriesInstanceUID though others of its study have one"
_WRONG_KIND = "carries the series' UID and a position in it, but is no CT image"


def group_series(headers: Sequence[Header]) -> tuple[tuple[CTSeries, ...], list[Skipped]]:
    """The CT series of one patient.

    Args:
        headers: its files, in order.

    Returns:
        The series in the order of their first file; and the CT files of none: localizers, and those of series without one
        usable slice.
    """
    images = [header for header in headers if header.kind == "ct"]
    named = _by(images, lambda header: header.series_uid)
    unnamed = named.pop("", [])
    groups = list(named.values())
    studies = {header.study_uid for header in images if header.series_uid}
    groups += _by_geometry([header for header in unnamed if header.study_uid not in studies])
    lost = [header for header in unnamed if header.study_uid in studies]
    groups.sort(key=lambda group: group[0].file.label)
    series: list[CTSeries] = []
    skipped = []
    for group in groups:
        slices = tuple(header.found for header in group if isinstance(header.found, CTSlice))
        if not slices or all("LOCALIZER" in image.image_type for image in slices):
            skipped += [header.skipped(header.why or "a localizer") for header in group]
            continue
        broken = [header.skipped(header.why) for header in group if header.found is None]
        broken += [header.skipped(_LOST_UID) for header in lost if header.study_uid == slices[0].study_uid]
        broken += [header.skipped(_WRONG_KIND) for header in headers if _misplaced(header, slices[0].series_uid)]
        series.append(_series(len(series) + 1, slices, broken))
    attributed = {item.file.label for one in series for item in one.broken}
    skipped += [header.skipped(_LOST_UID) for header in lost if header.file.label not in attributed]
    return tuple(series), skipped


def with_broken(series: CTSeries, broken: Iterable[Skipped]) -> CTSeries:
    """The series with more files that may be slices of it."""
    return replace(series, broken=(*series.broken, *broken))


def _series(number: int, slices: tuple[CTSlice, ...], broken: list[Skipped]) -> CTSeries:
    return CTSeries(
        label=f"series_{number}",
        series_uid=slices[0].series_uid,
        study_uid=_common(image.study_uid for image in slices),
        frame_uid=_common(image.frame_uid for image in slices),
        slices=slices,
        broken=tuple(broken),
    )


def _misplaced(header: Header, series_uid: str) -> bool:
    return header.kind == "other" and header.placed and bool(series_uid) and header.series_uid == series_uid


def _by(headers: Iterable[Header], key) -> dict:
    groups = defaultdict(list)
    for header in headers:
        groups[key(header)].append(header)
    return groups


def _by_geometry(headers: Sequence[Header]) -> list[list[Header]]:
    """Images without SeriesInstanceUID, by study, frame of reference, orientation and size; a broken one goes to each."""
    usable = _by((header for header in headers if isinstance(header.found, CTSlice)), _geometry)
    broken = [header for header in headers if header.found is None]
    for group in usable.values():
        group += [header for header in broken if header.study_uid in ("", group[0].study_uid)]
    taken = {header.file.label for group in usable.values() for header in group}
    rest = [header for header in broken if header.file.label not in taken]
    return [*usable.values(), *([rest] if rest else [])]


def _geometry(header: Header) -> tuple:
    image = header.found
    directions = tuple(round(float(value), 2) + 0.0 for value in (*image.row_direction, *image.column_direction))
    return image.study_uid, image.frame_uid, directions, image.rows, image.columns


def _common(texts: Iterable[str]) -> str:
    """The one text that all have, "" when they disagree."""
    distinct = set(texts)
    return distinct.pop() if len(distinct) == 1 else ""
