"""HU come out exactly, however they are coded; pixels that are not whole are refused by the file's label."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from src.dicom.ct_pixels import read_ct, read_hu
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.errors import DicomError
from tests.conftest import SHARED_DATA
from tests.small_export import SmallPatient
from tests.src.dicom.small_series import hu_of, label_in, refusal, stack_of, write_series

SIZE = (6, 5, 3)
HU_ZYX = np.random.default_rng(5).integers(-1024, 3000, SIZE[::-1], dtype=np.int16)
HU_ZYX[0, 0, :2] = -1024, 3071
PATIENT = SmallPatient(size=SIZE, hu_ZYX=HU_ZYX)


def coded(dataset, stored_YX: np.ndarray, *, signed: bool, stored_bits: int = 16, high_bit: int | None = None) -> None:
    dataset.PixelRepresentation, dataset.BitsStored = int(signed), stored_bits
    dataset.HighBit = stored_bits - 1 if high_bit is None else high_bit
    dataset.PixelData = stored_YX.astype("<u2").tobytes()


def read(folder: Path) -> sitk.Image:
    return read_ct(stack_of(folder))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("overlay", [0, 0xF000])
def test_twelve_bits_are_sign_extended_and_what_lies_above_them_is_ignored(tmp_path, signed, overlay):
    def change(dataset):
        hu_YX = HU_ZYX[dataset.InstanceNumber - 1].astype(np.int64)
        dataset.RescaleIntercept = 1024 if signed else -1024
        stored_YX = (hu_YX - int(dataset.RescaleIntercept)) & 0x0FFF
        coded(dataset, stored_YX | overlay, signed=signed, stored_bits=12)

    np.testing.assert_array_equal(hu_of(read(write_series(tmp_path, change, PATIENT))), HU_ZYX)


def test_a_value_in_the_high_bits_is_shifted_down(tmp_path):
    def change(dataset):
        stored_YX = (HU_ZYX[dataset.InstanceNumber - 1].astype(np.int64) + 1024) << 4
        coded(dataset, stored_YX | 0b101, signed=False, stored_bits=12, high_bit=15)

    np.testing.assert_array_equal(hu_of(read(write_series(tmp_path, change, PATIENT))), HU_ZYX)


def test_every_slice_has_its_own_slope_and_intercept(tmp_path):
    def change(dataset):
        z = dataset.InstanceNumber - 1
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024 - z
        dataset.PixelData = (HU_ZYX[z].astype(np.int64) + 1024 + z).astype("<u2").tobytes()

    ct = read(write_series(tmp_path, change, PATIENT))
    assert ct.GetPixelID() == sitk.sitkInt16
    np.testing.assert_array_equal(hu_of(ct), HU_ZYX)


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, -1024), (1.5, -1024), (1, -1024.25), (40, -1024)])
def test_hu_that_int16_cannot_hold_are_float32(tmp_path, slope, intercept):
    def change(dataset):
        dataset.RescaleSlope, dataset.RescaleIntercept = slope, intercept

    ct = read(write_series(tmp_path, change, PATIENT))
    assert ct.GetPixelID() == sitk.sitkFloat32
    np.testing.assert_allclose(hu_of(ct), (HU_ZYX.astype(float) + 1024) * slope + intercept, rtol=1e-6)


def test_whole_hu_from_a_broken_slope_are_int16(tmp_path):
    def change(dataset):
        dataset.RescaleSlope = 0.5
        dataset.PixelData = (2 * (HU_ZYX[dataset.InstanceNumber - 1].astype(np.int64) + 1024)).astype("<u2").tobytes()

    ct = read(write_series(tmp_path, change, PATIENT))
    assert ct.GetPixelID() == sitk.sitkInt16
    np.testing.assert_array_equal(hu_of(ct), HU_ZYX)


def test_padding_stays_what_the_file_says(tmp_path):
    def change(dataset):
        values = HU_ZYX[dataset.InstanceNumber - 1].astype(np.int64) + 1024
        values[0, 0] = -2000
        coded(dataset, values & 0xFFFF, signed=True)
        dataset.add_new("PixelPaddingValue", "SS", -2000)

    assert (hu_of(read(write_series(tmp_path, change, PATIENT)))[:, 0, 0] == -3024).all()


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_uncompressed_syntax_gives_the_same(tmp_path, syntax, bits):
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    write_series(tmp_path, patient=PATIENT)
    for path in tmp_path.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = syntax
        values = np.frombuffer(dataset.PixelData, "<u2").astype(f"{order}u{bits // 8}")
        dataset.BitsAllocated = bits
        dataset["PixelData"].VR = "OW"
        dataset.PixelData = values.tobytes()
        pydicom.dcmwrite(
            path, dataset, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian, enforce_file_format=True
        )
    np.testing.assert_array_equal(hu_of(read(tmp_path)), HU_ZYX)


def test_files_without_preamble_and_file_meta_are_read(tmp_path):
    write_series(tmp_path, patient=PATIENT)
    for path in tmp_path.iterdir():
        dataset = pydicom.dcmread(path)
        bare = pydicom.Dataset(dataset)
        pydicom.dcmwrite(path, bare, implicit_vr=True, little_endian=True)
    np.testing.assert_array_equal(hu_of(read(tmp_path)), HU_ZYX)


@pytest.mark.parametrize("offset", [-2, 2])
def test_pixels_of_the_wrong_length_are_refused_by_file(tmp_path, offset):
    def change(dataset):
        if dataset.InstanceNumber == 2:
            dataset.PixelData = (dataset.PixelData + b"\0\0")[: len(dataset.PixelData) + offset]

    said = refusal(write_series(tmp_path, change, PATIENT))
    assert f"{label_in(tmp_path, '_1')}: expected 60 bytes of pixels, found {60 + offset}" in said


@pytest.mark.parametrize("kept_share", [0.97, 0.999])
def test_a_file_that_was_cut_off_is_refused_by_its_label(tmp_path, kept_share):
    write_series(tmp_path)
    path = next(path for path in tmp_path.iterdir() if path.name.endswith("_9"))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept_share)])
    assert label_in(tmp_path, "_9") in refusal(tmp_path)


def test_a_file_that_is_gone_or_another_by_now_is_refused(tmp_path):
    write_series(tmp_path, patient=PATIENT)
    stack = stack_of(tmp_path)
    path = stack.slices[1].file.path
    other = pydicom.dcmread(path)
    other.Rows, other.Columns = other.Columns, other.Rows
    other.save_as(path)
    with pytest.raises(DicomError, match=f"{stack.slices[1].file.label}: the file was replaced"):
        read_ct(stack)
    path.unlink()
    with pytest.raises(DicomError, match=stack.slices[1].file.label) as caught:
        read_ct(stack)
    assert str(path) not in str(caught.value) and caught.value.__cause__ is None


def test_a_deflated_bomb_ends_in_an_error(tmp_path, monkeypatch):
    write_series(tmp_path, lambda dataset: setattr(dataset.file_meta, "TransferSyntaxUID", DeflatedExplicitVRLittleEndian))
    monkeypatch.setattr("src.dicom.open_file.MAX_INFLATED_BYTES", 1000)
    with pytest.raises(DicomError, match="found none among 10 files"):
        scan_export(tmp_path)


# GDCM refuses RLE images of some thirty pixels.
LARGER_ZYX = np.random.default_rng(6).integers(-1024, 3000, (3, 33, 51), dtype=np.int16)
LARGER = SmallPatient(size=(51, 33, 3), hu_ZYX=LARGER_ZYX)


def recompressed(source: Path, target: Path) -> Path:
    """The slices of a folder as RLE, by pydicom's own encoder: an independent way into GDCM's decoder."""
    target.mkdir()
    for path in source.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(target / path.name)
    return target


def test_rle_by_another_encoder_gives_the_same_hu(tmp_path, capfd):
    write_series(tmp_path / "plain", patient=LARGER)
    stack = stack_of(recompressed(tmp_path / "plain", tmp_path / "rle"))
    assert {image.transfer_syntax for image in stack.slices} == {RLELossless}
    np.testing.assert_array_equal(hu_of(read_ct(stack)), LARGER_ZYX)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("signed", [False, True])
def test_rle_of_signed_values_gives_the_same_hu(tmp_path, signed):
    def change(dataset):
        dataset.RescaleIntercept = 0 if signed else -1024
        stored_YX = LARGER_ZYX[dataset.InstanceNumber - 1].astype(np.int64) - int(dataset.RescaleIntercept)
        coded(dataset, stored_YX & 0xFFFF, signed=signed)

    write_series(tmp_path / "plain", change, LARGER)
    np.testing.assert_array_equal(hu_of(read(recompressed(tmp_path / "plain", tmp_path / "rle"))), LARGER_ZYX)


def encoded_by_gdcm(folder: Path, compressor: str, stored_ZYX: np.ndarray) -> list[pydicom.Dataset]:
    """One file per slice, written by SimpleITK: (rows, columns) of uint16 or int16 stored values, losslessly."""
    writer = sitk.ImageFileWriter()
    writer.UseCompressionOn()
    writer.SetCompressor(compressor)
    for z, stored_YX in enumerate(stored_ZYX):
        writer.SetFileName(str(folder / f"{z}.dcm"))
        writer.Execute(sitk.GetImageFromArray(stored_YX[None]))
    return [pydicom.dcmread(folder / f"{z}.dcm") for z in range(len(stored_ZYX))]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("compressor", "syntax"), [("JPEG", "4.70"), ("JPEG2000", "4.90")])
def test_lossless_jpeg_and_jpeg_2000_give_the_same(tmp_path, compressor, syntax, signed):
    intercept = 0 if signed else -1024
    stored_ZYX = (LARGER_ZYX.astype(int) - intercept).astype(np.int16 if signed else np.uint16)
    (tmp_path / "gdcm").mkdir()
    theirs = encoded_by_gdcm(tmp_path / "gdcm", compressor, stored_ZYX)

    def change(dataset):
        their = theirs[dataset.InstanceNumber - 1]
        assert their.file_meta.TransferSyntaxUID == f"1.2.840.10008.1.2.{syntax}"
        dataset.file_meta.TransferSyntaxUID = their.file_meta.TransferSyntaxUID
        dataset.RescaleIntercept = intercept
        for keyword in ("BitsStored", "HighBit", "PixelRepresentation", "PixelData"):
            setattr(dataset, keyword, getattr(their, keyword))
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True

    np.testing.assert_array_equal(hu_of(read(write_series(tmp_path / "ct", change, LARGER))), LARGER_ZYX)


@pytest.fixture(scope="module")
def jpeg_2000() -> Path:
    folder = SHARED_DATA / "totalsegmentator_example" / "example_ct_dicom"
    if not folder.is_dir():
        pytest.skip("../shared/data/totalsegmentator_example is not here: no real JPEG 2000 files")
    return sorted(folder.iterdir())[0]


def damaged_jpeg_2000(source: Path, folder: Path, change) -> str:
    dataset = pydicom.dcmread(source)
    frame = next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1))
    dataset.PixelData = encapsulate([change(bytearray(frame))])
    dataset.save_as(folder / "one")
    (series,) = scan_export(folder).patients[0].series
    with pytest.raises(DicomError) as caught:
        read_hu(series.slices[0])
    return str(caught.value)


def oversized(frame: bytearray) -> bytes:
    frame[8:12] = (60_000).to_bytes(4, "big")
    return bytes(frame)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda frame: bytes(frame[: len(frame) // 2]), "damaged or cut off"),
        (lambda frame: b"\xff\xd9", "damaged or cut off"),
        (lambda frame: b"\xff\x4f\xff\x51" + bytes(60) + b"\xff\xd9", "expected compressed pixels of 512 × 512, found 0 × 0"),
        (lambda frame: bytes(frame[:42]) + b"\x0c" + bytes(frame[43:]), "13 bits or a sign that its header contradicts"),
        (lambda frame: bytes(frame[:42]) + b"\x8b" + bytes(frame[43:]), "12 bits or a sign that its header contradicts"),
        (oversized, "expected compressed pixels of 512 × 512, found 512 × 60000"),
        (lambda frame: bytes(frame[:60]) + bytes(5000) + b"\xff\xd9", "cannot be decoded"),
    ],
)
def test_damaged_compressed_pixels_are_refused_quietly(jpeg_2000, tmp_path, capfd, change, reason):
    said = damaged_jpeg_2000(jpeg_2000, tmp_path, change)
    assert said.startswith("file_0001: ") and reason in said
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("folder", ["chaos_liver/DICOM_anon", "lung1_002_xio/CT", "ct_geometry_traps/philips_tilt_-18.5"])
def test_both_ways_give_equal_hu_on_real_uncompressed_files(folder):
    """GDCM's own reading, rescaling included, against ours."""
    if not (SHARED_DATA / folder).is_dir():
        pytest.skip(f"../shared/data/{folder} is not here")
    slices = scan_export(SHARED_DATA / folder).patients[0].series[0].slices
    for image in slices[:: len(slices) // 4]:
        reader = sitk.ImageFileReader()
        reader.SetOutputPixelType(sitk.sitkFloat64)
        reader.SetFileName(str(image.file.path))
        np.testing.assert_array_equal(read_hu(image), sitk.GetArrayFromImage(reader.Execute())[0])


def test_a_stack_of_a_real_compressed_series_is_what_gdcm_reads(jpeg_2000):
    (series,) = scan_export(jpeg_2000.parent).patients[0].series
    ct = read_ct(stack_slices(series))
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(jpeg_2000.parent)))
    reader.SetOutputPixelType(sitk.sitkFloat32)
    theirs = reader.Execute()
    assert ct.GetPixelID() == sitk.sitkInt16 and ct.GetSize() == theirs.GetSize() == (512, 512, 20)
    np.testing.assert_array_equal(hu_of(ct), sitk.GetArrayFromImage(theirs))
    for own, their in ((ct.GetOrigin(), theirs.GetOrigin()), (ct.GetSpacing(), theirs.GetSpacing())):
        np.testing.assert_allclose(own, their)
    np.testing.assert_allclose(ct.GetDirection(), theirs.GetDirection())
