"""Which CT series an RTSTRUCT was drawn on, by what its headers refer to and never by file names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from src.dicom.objects import CTSeries, ExportedPatient, StructureSetFile
from src.errors import DicomError


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """An RTSTRUCT and the CT series it was drawn on.

    Attributes:
        series, structure_set: of one patient.
        refers_to_it: the RTSTRUCT names the series or images of it; otherwise they share no more than a frame of reference.
        notes: how they were matched, where that was not by the series that the RTSTRUCT refers to.
    """

    series: CTSeries
    structure_set: StructureSetFile
    refers_to_it: bool = True
    notes: tuple[str, ...] = ()


def find_series(header: StructureSetFile, patient: ExportedPatient, *, allow_frame_mismatch: bool = False) -> Pairing:
    """The CT series of a patient that an RTSTRUCT was drawn on.

    The strongest reference that fits any series counts: the series' own UID, then UIDs of its images, then its frame of
    reference (exports renumber series and images and keep frames). Where several series fit, the one with most of the
    referenced images, then the one of the RTSTRUCT's study, is meant; if that still leaves two, nobody can know.

    A patient's only CT is not taken for that alone: shape and place of contours cannot prove that they belong to this scan and
    not to last month's. ``allow_frame_mismatch`` says that the user has made sure; it then is taken, with a note.

    Args:
        header: the RTSTRUCT.
        patient: whose it is, with all CT series.
        allow_frame_mismatch: the user's ``--allow-frame-mismatch``.

    Raises:
        DicomError: none fits, several do, its references contradict each other, or its images lie in several series; counts
            what was expected and found.
    """
    label, all_series = header.file.label, patient.series
    if not all_series:
        raise DicomError(f"{label}: expected the CT that it was drawn on, found no CT series of this patient; export it too")
    named = [series for series in all_series if series.series_uid and series.series_uid in header.series_uids]
    pictured = [series for series in all_series if _num_images(header, series)]
    framed = [series for series in all_series if series.frame_uid and series.frame_uid in header.frame_uids]
    if named and pictured and not any(series in pictured for series in named):
        raise DicomError(
            f"{label}: expected the images that it refers to in {_labels(named)}, the series that it refers to, found them in "
            f"{_labels(pictured)}; export the RTSTRUCT again"
        )
    if named:
        return _complete(_pair(header, named, ()), all_series)
    if pictured:
        matched = f"{_stale(header)}; matched by the images that it refers to"
        return _complete(_pair(header, pictured, (matched,)), all_series)
    if framed:
        matched = f"{_stale(header)}; matched by its frame of reference"
        return replace(_pair(header, framed, (matched,)), refers_to_it=False)
    if allow_frame_mismatch and len(all_series) == 1:
        matched = f"{_stale(header)}; matched because the patient has one CT series only"
        return replace(_pair(header, all_series, (matched,)), refers_to_it=False)
    raise _none_fits(header, all_series)


def _pair(header: StructureSetFile, candidates: Sequence[CTSeries], notes: tuple[str, ...]) -> Pairing:
    left = _best(candidates, lambda series: _num_images(header, series))
    left = _best(left, lambda series: bool(header.study_uid) and series.study_uid == header.study_uid)
    if len(left) > 1:
        raise DicomError(
            f"{header.file.label}: expected one CT series that it was drawn on, found {_labels(left)}, which fit it equally; "
            "export only the planning CT with it"
        )
    return Pairing(series=left[0], structure_set=header, notes=notes)


def _complete(pairing: Pairing, all_series: Sequence[CTSeries]) -> Pairing:
    """Lost slices at an end leave no hole: only the RTSTRUCT can tell, by what it lists beside the images that are there.

    Where none of them is there, its references are stale and tell nothing.
    """
    label, series = pairing.structure_set.file.label, pairing.series
    present = {image.sop_uid for image in series.slices}
    listed = frozenset().union(*(group for group in pairing.structure_set.image_groups if group & present))
    missing = listed - present
    if not missing:
        return pairing
    found = (
        f"{label}: expected the {len(listed)} images that it refers to in {series.label}, found {len(listed) - len(missing)}"
    )
    elsewhere = [one for one in all_series if one is not series and any(image.sop_uid in missing for image in one.slices)]
    if elsewhere:
        raise DicomError(f"{found} there and others in {_labels(elsewhere)}: one CT in several series; export it again as one")
    return replace(pairing, notes=(*pairing.notes, f"{found}: the CT seems to be cut off; export it again, complete"))


def _best(candidates: Sequence[CTSeries], score: Callable[[CTSeries], int]) -> list[CTSeries]:
    scores = [score(series) for series in candidates]
    return [series for series, points in zip(candidates, scores, strict=True) if points == max(scores)]


def _num_images(header: StructureSetFile, series: CTSeries) -> int:
    return sum(ct_slice.sop_uid in header.image_uids for ct_slice in series.slices if ct_slice.sop_uid)


def _stale(header: StructureSetFile) -> str:
    if any(header.series_uids):
        return f"{header.file.label} refers to a series that is no CT of this patient"
    return f"{header.file.label} refers to no series"


def _labels(series: Sequence[CTSeries]) -> str:
    return " and ".join(one.label for one in series)


def _none_fits(header: StructureSetFile, series: Sequence[CTSeries]) -> DicomError:
    counts = len(set(header.series_uids)), len(header.image_uids), len(set(header.frame_uids))
    referenced = "{} series, {} images, {} frames of reference".format(*counts)
    way_out = "export the CT that it was drawn on"
    if len(series) == 1:
        way_out += ", or, if it surely was drawn on this one, use --allow-frame-mismatch"
    return DicomError(
        f"{header.file.label}: expected a CT series that it refers to ({referenced}), found none of them in {_labels(series)}; "
        + way_out
    )
