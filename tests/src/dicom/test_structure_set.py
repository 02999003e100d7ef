"""RTSTRUCTs read whole: what was written comes back; what is left out is noted; what is lost makes its ROI say so."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset

from src.dicom import contour_data, structure_set
from src.dicom.structure_set import read_structure_set
from src.errors import DicomError
from tests.conftest import SHARED_DATA
from tests.small_export import SmallPatient, add_roi, write_rtstruct
from tests.src.dicom.structure_set_files import LABEL, SQUARE, a_header, contour_items, put_bytes, read_changed, read_path

coordinates = st.floats(-9e4, 9e4, allow_nan=False).map(lambda value: round(value, 4))
contours = st.lists(st.tuples(coordinates, coordinates, coordinates), min_size=3, max_size=12).map(np.array)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(contours, max_size=3), min_size=1, max_size=3))
def test_what_was_written_comes_back(tmp_path_factory, written):
    structures = read_changed(tmp_path_factory.mktemp("rs"), {f"roi {place}": one for place, one in enumerate(written)})

    assert [roi.name for roi in structures.rois] == [f"roi {place}" for place in range(len(written))]
    for roi, expected in zip(structures.rois, written, strict=True):
        assert [contour.points_mm.tolist() for contour in roi.contours] == [points.tolist() for points in expected]
        assert not roi.damage


def test_everything_known_of_an_roi(tmp_path):
    (roi,) = read_changed(tmp_path, {"Liver": [SQUARE]}).rois
    assert (roi.number, roi.name) == (1, "Liver")
    assert roi.frame_uid == SmallPatient().frame_uid
    assert (roi.notes, roi.damage) == ((), ())


@pytest.mark.parametrize("name", ["", "GTV, left (2)", "Müller's Niere", "a\\b", "  Leber  ", "日本 語", "x" * 256])
def test_names_as_they_are_but_for_the_blanks_around_them(tmp_path, name):
    def change(dataset):
        put_bytes(dataset.StructureSetROISequence[0], 0x30060026, name.encode() + b"\0")

    (roi,) = read_changed(tmp_path, {"x": [SQUARE]}, change).rois
    assert roi.name == name.strip()
    assert not roi.notes


def test_an_overlong_name_is_cut_and_noted(tmp_path):
    def change(dataset):
        put_bytes(dataset.StructureSetROISequence[0], 0x30060026, b"n" * 60_000)

    (roi,) = read_changed(tmp_path, {"x": [SQUARE]}, change).rois
    assert roi.name == "n" * 256
    assert roi.notes == ("its name was cut after 256 characters",)


def test_two_rois_of_one_name_are_kept(tmp_path):
    def change(dataset):
        add_roi(dataset, SmallPatient(), "Liver", [SQUARE + 1])

    assert [roi.name for roi in read_changed(tmp_path, {"Liver": [SQUARE]}, change).rois] == ["Liver", "Liver"]


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "closed_planar ", "CLOSED PLANAR", "CLOSEDPLANAR_XOR", "ClosedPlanarXOR"])
def test_closed_planar_in_every_spelling(tmp_path, kind):
    def change(dataset):
        put_bytes(contour_items(dataset)[0], 0x30060042, kind.encode())

    (roi,) = read_changed(tmp_path, {"Liver": [SQUARE]}, change).rois
    assert len(roi.contours) == 1


@pytest.mark.parametrize("kind", ["POINT", "OPEN_PLANAR", "OPEN_NONPLANAR"])
def test_other_kinds_are_counted_and_left_out(tmp_path, kind):
    def change(dataset):
        add_roi(dataset, SmallPatient(), "marker", [SQUARE, SQUARE[:1]], kind=kind)

    roi = read_changed(tmp_path, {"Liver": [SQUARE]}, change).rois[1]
    assert (roi.contours, roi.notes, roi.damage) == ((), (f"2 contours of type {kind}",), ())


def no_contour_item(dataset):
    del dataset.ROIContourSequence[1]


def no_contour_sequence(dataset):
    del dataset.ROIContourSequence[1].ContourSequence


def empty_contour_sequence(dataset):
    dataset.ROIContourSequence[1].ContourSequence = []


@pytest.mark.parametrize("change", [no_contour_item, no_contour_sequence, empty_contour_sequence])
def test_an_roi_of_nothing(tmp_path, change):
    full, empty = read_changed(tmp_path, {"Liver": [SQUARE], "Spleen": [SQUARE]}, change).rois
    assert len(full.contours) == 1
    assert (empty.contours, empty.notes, empty.damage) == ((), ("no contours",), ())


def test_contours_of_one_or_two_points_are_only_noted(tmp_path):
    (roi,) = read_changed(tmp_path, {"Liver": [SQUARE, SQUARE[:2], SQUARE[:1]]}).rois
    assert (len(roi.contours), roi.notes, roi.damage) == (1, ("2 contours of fewer than 3 points",), ())


def _data(value: bytes):
    return lambda item: put_bytes(item, 0x30060050, value)


def _offset(value: bytes):
    return lambda item: put_bytes(item, 0x30060045, value)


def _points_said(value: bytes):
    return lambda item: put_bytes(item, 0x30060046, value)


def _without(keyword: str):
    return lambda item: item.pop(keyword)


@pytest.mark.parametrize(
    ("change", "damage"),
    [
        (_data(b"0\\0\\100\\10\\0\\100\\10\\10"), "with a number of values that is no multiple of 3"),
        (_data(b"0\\0\\100\\10\\0\\100\\10\\10\\nan"), "with something else than decimal numbers"),
        (_data(b"0\\0\\100\\10\\0\\100\\10\\10\\1_0"), "with something else than decimal numbers"),
        (_data(b"0\\0\\100\\10\\0\\100\\10\\\\10"), "with something else than decimal numbers"),
        (_data(b"0,5\\0,5\\100\\10\\0\\100\\10\\10\\1"), "with something else than decimal numbers"),
        (_data(b"0\\0\\100\\10\\0\\100\\10\\10\\1e999"), "with values beyond 100000 mm"),
        (_data(b"0\\0\\100\\10\\0\\100\\10\\10\\-100001"), "with values beyond 100000 mm"),
        (_data(b"0\\0\\100\\10\\0\\100\\10\\10\\" + b"1" * 5000), "with numbers that are too long"),
        (_data(b"\\".join([b"1"] * (3 * contour_data.MAX_CONTOUR_POINTS + 3))), "with more than 500000 points"),
        (_offset(b"0\\0\\2.5"), "with a ContourOffsetVector, which would move it"),
        (_data(b""), "with another number of points than NumberOfContourPoints says"),
        (_points_said(b"5 "), "with another number of points than NumberOfContourPoints says"),
        (_points_said(b"four"), "with another number of points than NumberOfContourPoints says"),
        (_without("ContourData"), "with another number of points than NumberOfContourPoints says"),
        (lambda item: (item.pop("ContourData"), item.pop("NumberOfContourPoints")), "without ContourData"),
        (_without("ContourGeometricType"), "of an unknown geometric type"),
    ],
)
def test_a_damaged_contour_damages_its_roi_and_no_other(tmp_path, change, damage):
    rois = {"Liver": [SQUARE, SQUARE + 1, SQUARE + 2], "Spleen": [SQUARE]}
    liver, spleen = read_changed(tmp_path, rois, lambda dataset: change(contour_items(dataset)[1])).rois

    assert liver.damage == (f"1 contour {damage}",)
    assert [contour.points_mm.tolist() for contour in liver.contours] == [SQUARE.tolist(), (SQUARE + 2).tolist()]
    assert (len(spleen.contours), spleen.damage) == (1, ())


def test_blanks_zeros_and_exponents_are_numbers(tmp_path):
    def change(dataset):
        _data(b" 0 \\+1.5\\ 1e2\\10.\\-.5\\1.0E+2\\ 10\\10\\100 \0")(contour_items(dataset)[0])
        del contour_items(dataset)[0].NumberOfContourPoints

    (roi,) = read_changed(tmp_path, {"Liver": [SQUARE]}, change).rois
    assert roi.contours[0].points_mm.tolist() == [[0, 1.5, 100], [10, -0.5, 100], [10, 10, 100]]


def test_two_contour_items_for_one_roi_damage_it(tmp_path):
    def change(dataset):
        dataset.ROIContourSequence[1].ReferencedROINumber = 1

    liver, spleen = read_changed(tmp_path, {"Liver": [SQUARE], "Spleen": [SQUARE + 1]}, change).rois
    assert liver.damage == ("2 items of ROIContourSequence claim to be its contours",)
    assert spleen.contours == ()


@pytest.mark.parametrize("number", [b"", b"9 ", b"two"])
def test_contours_of_an_unknown_roi_damage_those_that_have_none(tmp_path, number):
    def change(dataset):
        put_bytes(dataset.ROIContourSequence[1], 0x30060084, number)

    structures = read_changed(tmp_path, {"Liver": [SQUARE], "Spleen": [SQUARE, SQUARE + 1]}, change)
    liver, spleen = structures.rois
    assert structures.notes == ("2 contours belong to no ROI of this file",)
    assert (len(liver.contours), liver.damage) == (1, ())
    assert spleen.damage == ("no contours under its number, but the file holds contours of an unknown ROI",)


def same_number(dataset):
    dataset.StructureSetROISequence[1].ROINumber = 1


def no_number(dataset):
    del dataset.StructureSetROISequence[1].ROINumber


def no_names(dataset):
    del dataset.StructureSetROISequence


def text_for_contours(dataset):
    del dataset.ROIContourSequence
    dataset.add_new(0x30060039, "LO", "Hannelore")


def text_for_contour_items(dataset):
    dataset.ROIContourSequence[0].add_new(0x30060040, "LO", "Hannelore")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (same_number, "expected one ROI with number 1, found 2"),
        (no_number, "expected a whole number as ROINumber of its ROI at place 2, found none"),
        (no_names, "expected the names of its ROIs, found contours alone"),
        (text_for_contours, "plain value where a sequence belongs"),
        (text_for_contour_items, "plain value where a sequence belongs"),
    ],
)
def test_refused_by_label_and_reason(tmp_path, change, reason):
    with pytest.raises(DicomError) as refusal:
        read_changed(tmp_path, {"Liver": [SQUARE], "Spleen": [SQUARE]}, change)
    assert str(refusal.value).startswith(f"{LABEL}: ")
    assert reason in str(refusal.value)
    assert "Hannelore" not in str(refusal.value) and str(tmp_path) not in str(refusal.value)


@pytest.mark.parametrize(
    ("bound", "what"), [("MAX_ROIS", "ROIs"), ("MAX_CONTOURS", "contours"), ("MAX_POINTS", "contour points")]
)
def test_bounds(tmp_path, monkeypatch, bound, what):
    monkeypatch.setattr(structure_set, bound, 2)
    rois = {name: [SQUARE] for name in "abc"}
    with pytest.raises(DicomError, match=rf"{LABEL}: expected at most 2 {what}, found \d+"):
        read_changed(tmp_path, rois)


def test_an_rtstruct_without_rois_has_none(tmp_path):
    assert read_changed(tmp_path, {}).rois == ()


def test_an_item_with_a_character_set_of_its_own(tmp_path):
    def change(dataset):
        item = dataset.StructureSetROISequence[0]
        item.add_new(0x00080005, "CS", "ISO_IR 144")
        put_bytes(item, 0x30060026, "Печень".encode("iso8859_5"))

    (roi,) = read_changed(tmp_path, {"x": [SQUARE]}, change).rois
    assert roi.name == "Печень"


def real_file(name: str):
    if not (SHARED_DATA / name).is_file():
        pytest.skip(f"{name} of the shared data is absent")
    return SHARED_DATA / name


MIM = "rtstruct_only/rt-utils/"


@pytest.mark.parametrize(
    ("name", "rois", "contours", "points", "point_rois"),
    [
        ("lung1_002_xio/RTSTRUCT.dcm", 16, 778, 176_999, 6),
        ("rtstruct_only/LUNG1-003_cms_xio.dcm", 25, 692, 156_544, 12),
        ("rtstruct_only/dicompyler_eclipse_breast.dcm", 10, 441, 88_158, 0),
        ("ibsi1_lung_phantom/dicom/mask/DCM_RS_00060.dcm", 1, 26, 9_661, 0),
        (f"{MIM}mock_data_invalid_reference_rt.dcm", 4, 12, 2_104, 0),
        (f"{MIM}mock_data_non_existent_reference_rt.dcm", 4, 12, 2_104, 0),
        (f"{MIM}empty_dummy_rt.dcm", 4, 12, 2_104, 0),
        (f"{MIM}mock_data_rt.dcm", 1, 2, 12, 0),
    ],
)
def test_real_files(name, rois, contours, points, point_rois):
    begun = time.process_time()
    structures = read_path(real_file(name))
    assert time.process_time() - begun < 1

    assert len(structures.rois) == rois
    assert sum(len(roi.contours) for roi in structures.rois) == contours
    assert sum(len(contour.points_mm) for roi in structures.rois for contour in roi.contours) == points
    assert sum(roi.notes == ("1 contour of type POINT",) for roi in structures.rois) == point_rois
    assert not any(roi.damage for roi in structures.rois) and not structures.notes


@pytest.mark.parametrize("name", ["rtstruct_only/dicompyler_eclipse_breast.dcm", f"{MIM}empty_dummy_rt.dcm"])
def test_real_files_as_pydicom_reads_them(name):
    """Another reader's numbers, to the last bit."""
    structures, dataset = read_path(real_file(name)), dcmread(real_file(name))
    expected = {int(item.ReferencedROINumber): item for item in dataset.ROIContourSequence}
    for roi, named in zip(structures.rois, dataset.StructureSetROISequence, strict=True):
        items = expected[roi.number].get("ContourSequence") or []
        assert (roi.number, roi.name) == (int(named.ROINumber), str(named.ROIName))
        assert [c.points_mm.ravel().tolist() for c in roi.contours] == [list(map(float, item.ContourData)) for item in items]


def test_eclipse_has_an_empty_roi_and_keeps_inner_contours():
    rois = {roi.name: roi for roi in read_path(real_file("rtstruct_only/dicompyler_eclipse_breast.dcm")).rois}
    assert (rois["Areola"].contours, rois["Areola"].notes) == ((), ("no contours",))
    # 88 outer contours and 77 holes wound the other way.
    areas_cm2 = [_signed_area_mm2(contour.points_mm) for contour in rois["Lt Lung"].contours]
    winding = np.sign(areas_cm2)
    assert sorted([(winding > 0).sum(), (winding < 0).sum()]) == [77, 88]


def _signed_area_mm2(points_mm: np.ndarray) -> float:
    x, y = points_mm[:, 0], points_mm[:, 1]
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


def test_real_names_hold_no_padding():
    names = [roi.name for roi in read_path(real_file("lung1_002_xio/RTSTRUCT.dcm")).rois]
    assert names[:10] == [
        *("Patient", "GTV-1", "PTV-1", "CTV-1", "Spinal cord", "Esophagus", "Heart", "Lung L", "Lung R", "contrast"),
    ]


def test_no_warning_of_pydicom_gets_out(tmp_path, recwarn, caplog):
    def change(dataset: Dataset):
        dataset.add_new(0x00080005, "CS", ["ISO_IR 192", "ISO 2022 IR 87", "NONSENSE"])
        put_bytes(dataset.StructureSetROISequence[0], 0x30060026, b"K\xf6rper")

    path = write_rtstruct(tmp_path / "RS.dcm", SmallPatient(rois={"x": [SQUARE]}), change=change)
    recwarn.clear(), caplog.clear()
    (roi,) = read_structure_set(a_header(path)).rois
    assert roi.name == "Körper"
    assert roi.notes == ("its name is not in the character set that the file declares; it may be misspelt",)
    assert not recwarn.list and not caplog.records


def test_an_offset_of_nothing_moves_nothing(tmp_path):
    read = read_changed(tmp_path, {"Liver": [SQUARE]}, lambda dataset: _offset(b"0\\0.0\\-0")(contour_items(dataset)[0]))
    assert len(read.rois[0].contours) == 1 and not read.rois[0].damage
