"""Contours in another frame of reference than the CT are never converted unasked."""

from dataclasses import replace

import pytest

from src.dicom.frames import check_frames
from src.dicom.objects import Contour, Roi, StructureSet
from src.errors import DicomError
from tests.src.dicom.structure_set_files import LABEL, SQUARE, a_header, a_series

FRAME, OTHER = "1.2.3", "1.2.4"


def structures(*frames: str, header=None) -> StructureSet:
    rois = [
        Roi(number=number, name="x", frame_uid=frame, contours=(Contour(points_mm=SQUARE),))
        for number, frame in enumerate(frames, 1)
    ]
    return StructureSet(header=header or a_header(), rois=tuple(rois))


def refused_and_allowed(what: StructureSet, series) -> str:
    """The refusal; with the option the same words are a note."""
    with pytest.raises(DicomError) as refused:
        check_frames(what, series, allow_mismatch=False)
    reason = str(refused.value).split(";")[0]
    assert "--allow-frame-mismatch" in str(refused.value)
    assert FRAME not in str(refused.value) and OTHER not in str(refused.value)
    assert check_frames(what, series, allow_mismatch=True) == (f"{reason}; converted because of --allow-frame-mismatch",)
    return reason


def test_one_frame():
    assert check_frames(structures(FRAME, FRAME), a_series(frame=FRAME), allow_mismatch=False) == ()


def test_all_in_another():
    reason = refused_and_allowed(structures(OTHER, OTHER), a_series(frame=FRAME))
    assert reason == f"{LABEL}: expected the frame of reference of series_1, found another for its contours"


def test_some_in_another():
    reason = refused_and_allowed(structures(FRAME, OTHER, FRAME, OTHER), a_series(frame=FRAME))
    assert reason.endswith("found another for ROI 2, 4")


def test_many_in_another():
    reason = refused_and_allowed(structures(FRAME, *[OTHER] * 14), a_series(frame=FRAME))
    assert reason.endswith("found another for ROI 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 4 more")


def test_an_roi_without_contours_does_not_count():
    both = structures(FRAME, OTHER)
    without = replace(both, rois=(both.rois[0], replace(both.rois[1], contours=())))
    assert check_frames(without, a_series(frame=FRAME), allow_mismatch=False) == ()
    assert check_frames(replace(both, rois=()), a_series(frame=""), allow_mismatch=False) == ()


def test_an_roi_without_a_frame_has_that_of_its_file():
    assert check_frames(structures("", header=a_header(frame_uids=(FRAME,))), a_series(frame=FRAME), allow_mismatch=False) == ()
    reason = refused_and_allowed(structures("", header=a_header(frame_uids=(OTHER,))), a_series(frame=FRAME))
    assert "found another" in reason
    reason = refused_and_allowed(structures("", header=a_header(frame_uids=(OTHER, FRAME))), a_series(frame=FRAME))
    assert reason.endswith(f"found none in {LABEL} for its contours")


@pytest.mark.parametrize(("own", "of_ct"), [("", FRAME), (FRAME, ""), ("", "")])
def test_no_frame_on_one_side_needs_a_reference_to_this_very_series(own, of_ct):
    series = a_series(frame=of_ct)
    assert "found none in" in refused_and_allowed(structures(own), series)
    (note,) = check_frames(structures(own, header=a_header(series_uids=(series.series_uid,))), series, allow_mismatch=False)
    assert note.startswith("no frame of reference in") and note.endswith(f"accepted because {LABEL} refers to series_1 itself")


def test_a_mismatch_is_refused_whatever_the_file_refers_to():
    series = a_series(frame=FRAME)
    refused_and_allowed(structures(OTHER, header=a_header(series_uids=(series.series_uid,), frame_uids=(FRAME,))), series)


def test_a_ct_of_several_frames():
    series = a_series(frame=FRAME)
    mixed = replace(series, frame_uid="", slices=(replace(series.slices[0], frame_uid=OTHER), *series.slices[1:]))
    what = structures(FRAME, header=a_header(series_uids=(series.series_uid,)))
    assert refused_and_allowed(what, mixed) == "series_1: expected one frame of reference, found 2 in its slices"
