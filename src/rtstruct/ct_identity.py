"""What a structure set copies from its CT: whose it is, of which study, and what its images are called."""

from collections.abc import Callable

from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from src.dicom.element import raw_bytes, tag_of
from src.dicom.labels import listed
from src.dicom.objects import CTSlice, SliceStack
from src.dicom.open_file import open_header
from src.dicom.quiet import quiet_pydicom
from src.errors import DicomError

# Of type 2 in PS3.3 C.7.1.1 (Patient), C.7.2.1 (General Study) and C.7.4.1 (Frame of Reference): there, if only empty.
_ALWAYS = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PositionReferenceIndicator",
)
_IF_THERE = (
    "SpecificCharacterSet",
    "IssuerOfPatientID",
    "StudyDescription",
    "DeidentificationMethod",
    "PatientIdentityRemoved",
)
_WANTED = [tag_of(keyword) for keyword in (*_ALWAYS, *_IF_THERE)]


def check_references(stack: SliceStack) -> None:
    """Whether a structure set can refer to every slice.

    Raises:
        DicomError: a CT without frame of reference, study or series, a slice without identifier, or two with one.
    """
    _each(stack, "a FrameOfReferenceUID", lambda image: image.frame_uid)
    _each(stack, "a StudyInstanceUID", lambda image: image.study_uid)
    _each(stack, "a SeriesInstanceUID", lambda image: image.series_uid)
    _each(stack, "a SOPInstanceUID", lambda image: image.sop_uid)
    if (different := len({image.sop_uid for image in stack.slices})) < len(stack.slices):
        raise DicomError(
            f"expected a SOPInstanceUID of its own in each of the CT's {len(stack.slices)} images, found {different}; "
            "a structure set could not say which of them it was drawn on: export the CT again"
        )


def _each(stack: SliceStack, what: str, uid_of: Callable[[CTSlice], str]) -> None:
    if without := [image.file for image in stack.slices if not uid_of(image)]:
        raise DicomError(
            f"expected {what} in every image of the CT, found none in {listed(without)}; "
            "an RTSTRUCT cannot be tied to such a CT: export it again from the system it was made on"
        )


def copy_identity(stack: SliceStack, structure_set: Dataset) -> None:
    """Puts patient, study and frame of reference of a CT into a structure set.

    Texts are copied byte by byte, with the character set that they are written in: no decoding can change a name, and a
    planning system finds the same patient by it.

    Args:
        stack: the CT; its first file is read.
        structure_set: changed; it must be written in implicit little endian.

    Raises:
        DicomError: the file cannot be read, or one of these elements is damaged.
    """
    first = stack.slices[0]
    header, _ = open_header(first.file, _WANTED)
    with quiet_pydicom():  # it warns of character sets that it does not know
        for keyword in (*_IF_THERE, *_ALWAYS):
            value = _checked_bytes(first, header, keyword)
            if value or keyword in _ALWAYS:
                put_bytes(structure_set, keyword, value)
    structure_set.StudyInstanceUID, structure_set.FrameOfReferenceUID = first.study_uid, first.frame_uid


def put_bytes(dataset: Dataset, keyword: str, value: bytes) -> None:
    """Sets an element of text as it stands in an implicit little endian file, filled up to an even length.

    pydicom writes it as it is, without a look at its parts, since the dataset says that this is the form it was read in.
    """
    tag = Tag(tag_of(keyword))
    value += b" " * (len(value) % 2)
    dataset[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, True, True)
    character_set = dataset.get("SpecificCharacterSet")
    dataset.set_original_encoding(True, True, convert_encodings(character_set) if character_set else default_encoding)


def _checked_bytes(image: CTSlice, header: Dataset, keyword: str) -> bytes:
    try:
        return raw_bytes(header, keyword) or b""
    except DicomError as error:
        raise DicomError(f"{image.file.label}: its {error}; export the CT again") from None
