"""Mutated RTSTRUCTs: each is read or refused by label, at once; and no ROI comes back with a part of its contours unsaid."""

import random
import struct
import time
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from src.dicom.objects import StructureSet
from src.errors import DicomError
from tests.conftest import SHARED_DATA
from tests.small_export import SmallPatient, rtstruct
from tests.src.dicom.structure_set_files import LABEL, SQUARE, put_bytes, read_path

ROIS = {
    "Liver": [SQUARE, SQUARE + 1.5, SQUARE + 3],
    "Müller": [SQUARE - 20],
    "Kidney_L": [SQUARE + 30.25, SQUARE - 12],
    "empty": [],
}
NOTHING_RIGHT = (
    b"",
    b"nan\\nan\\nan",
    b"inf\\-inf\\0",
    b"1,5\\2,5\\3,5",
    b"1e400\\1\\1\\1\\1\\1\\1\\1\\1",
    b"9" * 400,
    b"-1",
    b"\0\0\0\0",
    b"\xfe\xff\0\xe0\xff\xff\xff\xff",
    b"\\\\\\\\",
    bytes(range(256)),
)


def small_file() -> bytes:
    return _bytes_of(rtstruct(SmallPatient(rois=ROIS)))


def undefined_lengths_file() -> bytes:
    dataset = rtstruct(SmallPatient(rois=ROIS))
    for holder, element in list(_elements(dataset)):
        if element.VR == "SQ":
            holder[element.tag].is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
    return _bytes_of(dataset)


def real_file() -> bytes:
    path = SHARED_DATA / "rtstruct_only" / "rt-utils" / "empty_dummy_rt.dcm"
    if not path.is_file():
        pytest.skip("rtstruct_only/rt-utils of the shared data is absent")
    return path.read_bytes()


FILES = [small_file, undefined_lengths_file, real_file]


def _bytes_of(dataset: Dataset) -> bytes:
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _elements(dataset: Dataset):
    """Every element of a dataset and its items, with the dataset that holds it."""
    for element in dataset:
        yield dataset, element
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)


def _read(path, content: bytes) -> StructureSet | None:
    """The structure set, or None when it is refused as it should be."""
    path.write_bytes(content)
    begun = time.process_time()
    try:
        return read_path(path)
    except DicomError as refusal:
        assert str(refusal).startswith(f"{LABEL}: expected") and str(path.parent) not in str(refusal)
        return None
    finally:
        assert time.process_time() - begun < 1


def _contours(structures: StructureSet) -> dict[int, list[np.ndarray]]:
    return {roi.number: [contour.points_mm for contour in roi.contours] for roi in structures.rois}


def _mutate_bytes(content: bytes, chance: random.Random) -> bytes:
    mutated, place = bytearray(content), chance.randrange(len(content))
    match chance.randrange(6):
        case 0:
            return content[:place]
        case 1:
            mutated[place : place + chance.randrange(1, 40)] = b""
        case 2:
            mutated[place:place] = chance.randbytes(chance.randrange(1, 40))
        case 3:
            mutated[place : place + 4] = b"\xff\xff\xff\xff"
        case 4:
            mutated[place : place + 60] = bytes(len(mutated[place : place + 60]))
        case _:
            for _ in range(chance.randrange(1, 4)):
                mutated[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(mutated)


def check_mutated_bytes(path, content: bytes, seeds: range) -> int:
    """Digits may turn into other digits unseen; but contours and their points stay as many, or damage is told."""
    path.write_bytes(content)
    whole, read = _contours(read_path(path)), 0
    for seed in seeds:
        structures = _read(path, _mutate_bytes(content, random.Random(seed)))
        read += structures is not None
        for roi in structures.rois if structures else ():
            if roi.contours and not roi.damage:
                found = [len(contour.points_mm) for contour in roi.contours]
                assert found == [len(points) for points in whole[roi.number]], seed
    return read


def _mutate_elements(content: bytes, chance: random.Random) -> bytes:
    dataset = dcmread(BytesIO(content))
    for _ in range(chance.choice((1, 1, 2, 5))):
        # pydicom's writer needs a character set; the others are tested by name.
        places = [place for place in _elements(dataset) if place[1].tag != 0x00080005]
        holder, element = chance.choice(places)
        match chance.randrange(5):
            case 0:
                del holder[element.tag]
            case 1:
                put_bytes(holder, element.tag, chance.choice(NOTHING_RIGHT))
            case 2:
                holder[element.tag] = DataElement(element.tag, "SQ", [Dataset() for _ in range(chance.randrange(3))])
            case 3:
                put_bytes(holder, element.tag, chance.randbytes(chance.randrange(1, 3000)))
            case _ if element.VR == "SQ" and len(element.value):
                element.value.append(chance.choice(element.value))
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, dataset.is_implicit_VR
    write_dataset(stream, dataset)
    (meta_bytes,) = struct.unpack_from("<I", content, 140)
    return content[: 144 + meta_bytes] + stream.getvalue()


def check_mutated_elements(path, content: bytes, seeds: range) -> int:
    """Contours that come back are those that were written: all of the ROI's, or damage is told, or there are none."""
    path.write_bytes(content)
    whole, read = _contours(read_path(path)), 0
    for seed in seeds:
        structures = _read(path, _mutate_elements(content, random.Random(seed)))
        read += structures is not None
        for roi in structures.rois if structures else ():
            if roi.contours and not roi.damage:
                assert _distinct(contour.points_mm for contour in roi.contours) == _distinct(whole[roi.number]), seed
    return read


def _distinct(contours) -> set[bytes]:
    return {points_mm.tobytes() for points_mm in contours}


@pytest.mark.parametrize("file", FILES)
def test_bytes(tmp_path, file):
    # Some mutations hit what does not matter and are read, most are refused: else the test would have tested one side alone.
    assert 3 < check_mutated_bytes(tmp_path / "RS.dcm", file(), range(100)) < 97


@pytest.mark.parametrize("file", FILES)
def test_elements(tmp_path, file):
    assert 3 < check_mutated_elements(tmp_path / "RS.dcm", file(), range(40)) < 40


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_thousands(tmp_path, file):
    check_mutated_bytes(tmp_path / "RS.dcm", file(), range(10_000, 12_000))
    check_mutated_elements(tmp_path / "RS.dcm", file(), range(10_000, 11_000))
