"""Every text of a header that identifies somebody, so that it can be looked for in what comes out."""

import re

from pydicom.dataset import FileDataset

from src.dicom.character_set import decode_text
from src.dicom.element import raw_bytes, read_items, read_text, tag_of
from src.dicom.quiet import quiet_pydicom
from src.errors import DicomError

_PERSONS = (
    "PatientName",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientMotherBirthName",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy",
    "PhysiciansOfRecord",
    "RequestingPhysician",
    "ConsultingPhysicianName",
    "OperatorsName",
    "ResponsiblePerson",
    "ReviewerName",
)
_TEXTS = (
    "PatientID",
    "OtherPatientIDs",
    "IssuerOfPatientID",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "MedicalRecordLocator",
    "PatientBirthDate",
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "ContentDate",
    "InstanceCreationDate",
    "AcquisitionDateTime",
    "StructureSetDate",
    "ReviewDate",
    "AccessionNumber",
    "StudyID",
    "InstitutionName",
    "InstitutionAddress",
    "StationName",
    "DeviceSerialNumber",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
)
_OTHER_IDS = "OtherPatientIDsSequence"
IDENTIFIER_TAGS = tuple(tag_of(keyword) for keyword in (*_PERSONS, *_TEXTS, _OTHER_IDS))


def read_identifiers(dataset: FileDataset) -> frozenset[str]:
    """Names whole and in their parts, numbers, dates as DICOM writes them, places, devices and UIDs of one header.

    Text is decoded as its character set says, and as UTF-8 and Latin-1 too: headers are often wrong about it.
    """
    found = {word for keyword in _TEXTS for text in _texts(dataset, keyword) for word in text.split("\\")}
    for person in (text for keyword in _PERSONS for text in _texts(dataset, keyword)):
        found.update(person.split("\\"))
        found.update(re.split(r"[\\^=\s,]+", person))
    found.update(read_text(item, "PatientID") for item in read_items(dataset, _OTHER_IDS))
    found.add(read_text(dataset.file_meta, "MediaStorageSOPInstanceUID"))
    return frozenset(text.strip(" \0^=") for text in found) - {""}


def patient_name(dataset: FileDataset) -> str:
    """The patient's name as the header writes it; "" when absent."""
    return next(iter(_texts(dataset, "PatientName")), "")


def folded_name(name: str) -> str:
    """What tells two names apart: letters alone, without case, separators and representation groups."""
    return " ".join(re.split(r"[\^\s,]+", name.split("=")[0].casefold())).strip()


def _texts(dataset: FileDataset, keyword: str) -> tuple[str, ...]:
    """The readings of one text element, as declared first."""
    try:
        value = raw_bytes(dataset, keyword)
    except DicomError:
        return ()
    if not value:
        return ()
    if value.isascii() and b"\x1b" not in value:
        return (value.decode("ascii").strip(" \0"),)
    character_set = read_text(dataset, "SpecificCharacterSet")
    with quiet_pydicom():
        declared = decode_text(value, character_set)[0]
    return (declared, value.decode("utf-8", errors="replace"), value.decode("latin-1"))
