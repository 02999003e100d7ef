"""The bytes of an element as they stand in the file."""

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from src.dicom.element import raw_bytes, tag_of
from src.dicom.objects import DicomFile
from src.dicom.open_file import open_header
from tests.small_export import SmallPatient, ct_slice

NAMES = ("ReferringPhysicianName", "PatientName", "AccessionNumber")


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize("keyword", NAMES)
def test_an_empty_element_is_empty_and_not_damaged(tmp_path, syntax, keyword):
    patient = SmallPatient()
    image = ct_slice(patient, patient.hounsfield_ZYX(), 0)
    setattr(image, keyword, "")
    image.file_meta.TransferSyntaxUID = syntax
    image.save_as(tmp_path / "image", enforce_file_format=True)
    header, _ = open_header(DicomFile(label="file_1", path=tmp_path / "image"), [tag_of(name) for name in NAMES])
    assert raw_bytes(header, keyword) == b""
    assert raw_bytes(header, "SOPInstanceUID") is None  # not asked for
