"""Any transfer syntax reads the same; anything cut, overlong, nested or inflated beyond bounds is refused at once."""

import struct
import zlib
from io import BytesIO

import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from src.dicom import strict_elements
from src.errors import DicomError
from tests.small_export import SmallPatient, rtstruct
from tests.src.dicom.structure_set_files import LABEL, SQUARE, put_bytes, read_path

PATIENT = SmallPatient(rois={"Liver": [SQUARE, SQUARE + 1], "Spleen": [SQUARE + 2]})
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]


def written(syntax=ExplicitVRLittleEndian, *, patient=PATIENT, undefined_lengths=False, change=None) -> bytes:
    dataset = rtstruct(patient)
    if change:
        change(dataset)
    if undefined_lengths:
        _make_undefined(dataset)
    dataset.file_meta.TransferSyntaxUID = syntax
    # A dataset made here remembers no byte order of its own, whatever FileDataset assumes.
    dataset._read_little = None
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _make_undefined(dataset):
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                _make_undefined(item)


def contours_of(tmp_path, content: bytes) -> list:
    path = tmp_path / "RS.dcm"
    path.write_bytes(content)
    return [(roi.name, [contour.points_mm.tolist() for contour in roi.contours]) for roi in read_path(path).rois]


EXPECTED = [("Liver", [SQUARE.tolist(), (SQUARE + 1).tolist()]), ("Spleen", [(SQUARE + 2).tolist()])]


@pytest.mark.parametrize("undefined_lengths", [False, True])
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_transfer_syntax(tmp_path, syntax, undefined_lengths):
    assert contours_of(tmp_path, written(syntax, undefined_lengths=undefined_lengths)) == EXPECTED


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_without_preamble_and_without_any_file_meta_information(tmp_path, syntax):
    content = written(syntax)
    (meta_bytes,) = struct.unpack_from("<I", content, 140)
    assert contours_of(tmp_path, content[132:]) == EXPECTED
    assert contours_of(tmp_path, content[144 + meta_bytes :]) == EXPECTED


def test_a_header_that_declares_the_other_value_representation(tmp_path):
    content = written(ImplicitVRLittleEndian)
    # The UID of the explicit syntax is longer by two characters: its element and the group grow by two bytes.
    implicit, explicit = b"\x02\0\x10\0UI\x12\x001.2.840.10008.1.2\0", b"\x02\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0"
    assert implicit in content
    assert contours_of(tmp_path, content.replace(implicit, explicit)) == EXPECTED


def test_contour_data_too_long_for_its_value_representation(tmp_path):
    """PS3.5 §6.2.2: explicit coding has 16 bits for the length of a DS, so a longer one becomes a UN."""
    patient = SmallPatient()
    patient.rois = {"Liver": [patient.circle((12, 10), 15, 0, points=5000)]}
    ((_, (points,)),) = contours_of(tmp_path, written(patient=patient))
    assert len(points) == 5000


def test_zeros_after_the_end(tmp_path):
    assert contours_of(tmp_path, written() + b"\0" * 511) == EXPECTED


@pytest.mark.parametrize("undefined_lengths", [False, True])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_cut_anywhere_no_roi_loses_a_part_of_its_contours(tmp_path, syntax, undefined_lengths):
    """A file that ends between two top-level elements is whole to any reader; an ROI then has all its contours or none."""
    content = written(syntax, undefined_lengths=undefined_lengths)
    survived, expected = 0, dict(EXPECTED)
    for end in range(0, len(content), 3):
        try:
            found = contours_of(tmp_path, content[:end])
        except DicomError as refusal:
            assert str(refusal).startswith(f"{LABEL}: ")
        else:
            survived += 1
            assert all(points in ([], expected[name]) for name, points in found)
    assert survived < 30


def test_a_deflated_file_cut_in_half(tmp_path):
    content = written(DeflatedExplicitVRLittleEndian)
    with pytest.raises(DicomError, match=f"{LABEL}: .*inflated"):
        contours_of(tmp_path, content[: len(content) * 3 // 4])


def test_a_deflated_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(strict_elements, "MAX_FILE_BYTES", 2**20)
    content = written(DeflatedExplicitVRLittleEndian)
    (meta_bytes,) = struct.unpack_from("<I", content, 140)
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = content[: 144 + meta_bytes] + packer.compress(b"\0" * 2**26) + packer.flush()
    with pytest.raises(DicomError, match=f"{LABEL}: .*inflated to at most 1 MiB"):
        contours_of(tmp_path, bomb)


def test_a_file_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(strict_elements, "MAX_FILE_BYTES", 1000)
    with pytest.raises(DicomError, match=f"{LABEL}: expected at most"):
        contours_of(tmp_path, written())


def test_too_many_elements(tmp_path, monkeypatch):
    monkeypatch.setattr(strict_elements, "MAX_ELEMENTS", 50)
    with pytest.raises(DicomError, match=f"{LABEL}: .*more than 50 elements"):
        contours_of(tmp_path, written(undefined_lengths=True))


def test_items_count_though_they_hold_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(strict_elements, "MAX_ELEMENTS", 1000)
    items = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 1000
    sequence = struct.pack("<HHI", 0x3006, 0x0020, len(items)) + items
    begin = written(ImplicitVRLittleEndian, change=lambda dataset: dataset.pop("StructureSetROISequence"))
    with pytest.raises(DicomError, match=f"{LABEL}: .*elements and items"):
        contours_of(tmp_path, begin + sequence)


def test_sequences_nested_without_end(tmp_path):
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    nested = struct.pack("<HHI", 0x3006, 0x0039, 0xFFFFFFFF) + item
    with pytest.raises(DicomError, match=f"{LABEL}: .*deep"):
        contours_of(tmp_path, written(ImplicitVRLittleEndian, patient=SmallPatient()) + nested * 50_000)


def test_an_element_that_swallows_the_next_contour(tmp_path):
    """Its length ends exactly where the next item does, so a reader that does not know its own item's end loses a contour."""
    content = written(
        ImplicitVRLittleEndian,
        change=lambda dataset: put_bytes(dataset.ROIContourSequence[0].ContourSequence[0], 0x30070010, b"last"),
    )
    assert contours_of(tmp_path, content) == EXPECTED
    element = struct.pack("<HHI", 0x3007, 0x0010, 4)
    next_item = content.index(element) + len(element) + 4
    tag_group, tag_element, item_bytes = struct.unpack_from("<HHI", content, next_item)
    assert (tag_group, tag_element) == (0xFFFE, 0xE000)
    swallowing = struct.pack("<HHI", 0x3007, 0x0010, 4 + 8 + item_bytes)
    with pytest.raises(DicomError, match=f"{LABEL}: .*a length in it is wrong"):
        contours_of(tmp_path, content.replace(element, swallowing))


def test_an_element_twice(tmp_path):
    content = written(ImplicitVRLittleEndian)
    again = struct.pack("<HHI", 0x3006, 0x0020, 0)
    with pytest.raises(DicomError, match=f"{LABEL}: .*element 3006,0020 twice"):
        contours_of(tmp_path, content + again)


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 4000, b"%PDF-1.4 " * 400, b"\0" * 128 + b"DICM", b"\xff" * 5000])
def test_no_dicom(tmp_path, content):
    with pytest.raises(DicomError, match=f"^{LABEL}: expected"):
        contours_of(tmp_path, content)


def test_no_file(tmp_path):
    for path in (tmp_path / "Hannelore.dcm", tmp_path):
        with pytest.raises(DicomError, match=f"{LABEL}: expected a readable file") as refusal:
            read_path(path)
        assert refusal.value.__cause__ is None and refusal.value.__context__ is None
        assert str(tmp_path) not in str(refusal.value)
