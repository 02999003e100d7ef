"""Broken CT files end in the right volume or in one of our errors: no other exception, no wait, no wrong or shorter volume.

Each round damages one slice of a sound series (or takes one element from all of them) and converts. Where that succeeds, size,
grid and HU must be those of the sound series, but for what the damaged file itself now validly says: other pixels, another
slope, or that it belongs to another series.
"""

import struct
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from src.dicom.ct_pixels import read_ct
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.errors import DicomError
from tests.small_export import SmallPatient, write_ct
from tests.src.dicom.small_series import assert_grid, hu_of

PATIENT = SmallPatient(size=(6, 5, 4))
HU_ZYX = PATIENT.hounsfield_ZYX()
_LONG = (b"OB", b"OW", b"SQ", b"UN", b"UT")
_NUMBERS = [
    *(b"1e308", b"-1e308", b"1e999", b"NaN", b"-inf", b"0", b"-1", b"", b" ", b"abc", b"1\\2", b"1\\2\\3", b"0.0001", b"25"),
    *(
        b"1e-300",
        b"999999999999",
        b"\0\0",
        b"\xff\xff",
        b"1,5",
        b"--1",
        b"1_0",
        b"1\\2\\3\\4\\5\\6\\7",
        b"\\\\\\",
        b"5e4\\5e4\\5e4",
    ),
]


def elements(content: bytes) -> list[tuple[bytes, int, int, int]]:
    """Of an explicit little endian file: tag, where the element begins, where its value begins and ends."""
    found, place = [], 132
    while place < len(content):
        vr = content[place + 4 : place + 6]
        form, begin = ("<L", place + 12) if vr in _LONG else ("<H", place + 8)
        (length,) = struct.unpack_from(form, content, begin - struct.calcsize(form))
        found.append((content[place : place + 4], place, begin, begin + length))
        place = begin + length
    return found


def with_value(content: bytes, place: int, begin: int, end: int, value: bytes) -> bytes:
    value += b" " * (len(value) % 2)
    form = "<L" if begin - place == 12 else "<H"
    return content[: begin - struct.calcsize(form)] + struct.pack(form, len(value)) + value + content[end:]


def flip(generator: np.random.Generator, content: bytes) -> bytes:
    damaged = bytearray(content)
    for _ in range(generator.integers(1, 5)):
        damaged[generator.integers(128, len(content))] ^= 1 << int(generator.integers(8))
    return bytes(damaged)


def damage(generator: np.random.Generator, content: bytes) -> bytes:
    """One of the ways in which a file goes wrong."""
    found = elements(content)
    _, place, begin, end = found[generator.integers(len(found))]
    kind = generator.integers(8)
    if kind == 0:
        return content[:place] + content[end:]
    if kind == 1:
        return with_value(content, place, begin, end, _NUMBERS[generator.integers(len(_NUMBERS))])
    if kind == 2:
        vr = [b"DS", b"US", b"UI", b"SQ", b"OB", b"FD", b"FL", b"UN", b"LO", b"PN", b"ZZ", b"\0\0"][generator.integers(12)]
        return content[: place + 4] + vr + content[place + 6 :]
    if kind == 3:
        return content[: generator.integers(1, len(content))]
    if kind == 4:
        length = [0, 1, 0xFFFF, 0xFFFE, int(generator.integers(1, 80))][generator.integers(5)]
        return content[: begin - 2] + struct.pack("<H", length) + content[begin:]
    if kind == 5:
        other = found[generator.integers(len(found))]
        return with_value(content, place, begin, end, content[other[2] : other[3]])
    if kind == 6:
        at = int(generator.integers(132, len(content)))
        return content[:at] + generator.bytes(int(generator.integers(1, 9))) + content[at:]
    return flip(generator, content)


def says_of_itself(path: Path) -> tuple[str, np.ndarray | None]:
    """SeriesInstanceUID and HU of a damaged file, as pydicom reads it; None for HU it cannot read."""
    series_uid = ""
    try:
        dataset = pydicom.dcmread(path, force=True)
        series_uid = str(dataset.get("SeriesInstanceUID", ""))
        shift = dataset.HighBit + 1 - dataset.BitsStored
        stored = np.frombuffer(dataset.PixelData, "<u2").reshape(5, 6).astype(int) >> shift
        stored &= (1 << dataset.BitsStored) - 1
        stored -= (stored >> (dataset.BitsStored - 1) << dataset.BitsStored) * dataset.PixelRepresentation
        return series_uid, stored * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    except Exception:  # pydicom on broken files: anything
        return series_uid, None


def convert(folder: Path) -> list[tuple[sitk.Image, object]]:
    """Every volume that an export yields; refusals are counted as none."""
    volumes = []
    try:
        export = scan_export(folder)
    except DicomError:
        return []
    for series in (series for patient in export.patients for series in patient.series):
        try:
            stack = stack_slices(series)
            volumes.append((read_ct(stack), stack))
        except DicomError:
            continue
    return volumes


def assert_right(ct: sitk.Image, stack, damaged: Path, z: int, *, seed: int) -> None:
    series_uid, own_hu_YX = says_of_itself(damaged)
    if stack.grid.size[2] < PATIENT.size[2]:
        # Only a file that now names another series may be missed, and only where its absence makes no hole.
        assert series_uid not in ("", PATIENT.series_uid) and z in (0, 3), seed
        return
    assert stack.grid.size == PATIENT.size, seed
    np.testing.assert_allclose(stack.grid.spacing_mm, PATIENT.spacing_mm, rtol=0.011)
    np.testing.assert_allclose(stack.grid.origin_mm, PATIENT.origin_mm, atol=0.21)
    np.testing.assert_allclose(stack.grid.direction, PATIENT.direction, atol=2e-4)
    expected_ZYX = HU_ZYX.astype(float)
    if own_hu_YX is not None:
        expected_ZYX[z] = own_hu_YX
    np.testing.assert_allclose(hu_of(ct), expected_ZYX, rtol=1e-6, atol=1e-3, err_msg=str(seed))


def fuzz(folder: Path, seeds: range) -> tuple[int, int]:
    """Rounds that converted, and that were refused."""
    paths = write_ct(folder, PATIENT)
    sound = [path.read_bytes() for path in paths]
    converted = 0
    for seed in seeds:
        generator = np.random.default_rng(seed)
        z = int(generator.integers(4))
        paths[z].write_bytes(damage(generator, sound[z]))
        began = time.process_time()
        volumes = convert(folder)
        assert time.process_time() - began < 1, seed
        for ct, stack in volumes:
            assert_right(ct, stack, paths[z], z, seed=seed)
        converted += bool(volumes)
        paths[z].write_bytes(sound[z])
    return converted, len(seeds) - converted


@pytest.mark.filterwarnings("ignore")
def test_damaged_ct_files_are_converted_rightly_or_refused(tmp_path, capfd):
    converted, refused = fuzz(tmp_path, range(300))
    assert converted > 30 and refused > 100
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_thousand_more(tmp_path):
    converted, refused = fuzz(tmp_path, range(1000, 3000))
    assert converted > 200 and refused > 500


def test_the_sound_series_is_right(tmp_path):
    write_ct(tmp_path, PATIENT)
    ((ct, stack),) = convert(tmp_path)
    assert_grid(stack.grid, PATIENT)
    np.testing.assert_array_equal(hu_of(ct), HU_ZYX)


def test_an_element_taken_from_every_slice_changes_nothing_or_refuses(tmp_path):
    paths = write_ct(tmp_path, PATIENT)
    sound = [path.read_bytes() for path in paths]
    harmless = 0
    for number in range(len(elements(sound[0]))):
        for path, content in zip(paths, sound, strict=True):
            _, place, _, end = elements(content)[number]
            path.write_bytes(content[:place] + content[end:])
        for ct, stack in convert(tmp_path):
            assert_grid(stack.grid, PATIENT)
            np.testing.assert_array_equal(hu_of(ct), HU_ZYX)
            harmless += 1
    assert 10 <= harmless <= len(elements(sound[0])) - 10
