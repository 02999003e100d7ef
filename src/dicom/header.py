"""What one file is: a CT image, an RTSTRUCT or something else; of which patient, study and series."""

from dataclasses import dataclass, field
from typing import Literal

from pydicom.dataset import FileDataset
from pydicom.uid import UID, CTImageStorage, MediaStorageDirectoryStorage, RTStructureSetStorage, UID_dictionary

from src.dicom.ct_header import CT_KEYWORDS, read_ct_slice
from src.dicom.element import read_text, read_words, tag_of
from src.dicom.identifiers import IDENTIFIER_TAGS, patient_name, read_identifiers
from src.dicom.objects import CTSlice, DicomFile, Skipped, StructureSetFile
from src.dicom.open_file import Ending, NotDicom, open_header
from src.dicom.structure_set_header import read_structure_set_header, referenced_uids
from src.errors import DicomError

_MULTI_FRAME_CT = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")  # Enhanced, Legacy Converted Enhanced
_SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.5", "1.2.840.10008.5.1.4.1.1.66.7")
_KIND_KEYWORDS = ("SOPClassUID", "Modality", "SpecificCharacterSet")
TAGS = sorted({*IDENTIFIER_TAGS, *(tag_of(keyword) for keyword in (*CT_KEYWORDS, *_KIND_KEYWORDS))})


@dataclass(frozen=True, kw_only=True)
class Header:
    """One DICOM file.

    Attributes:
        file: where it came from.
        kind: ``ct``, a single-frame CT image or what should be one; ``rtstruct``; ``other``; ``directory``, a DICOMDIR; or
            ``damaged``, which may have been anything.
        whole: False for a CT image, or an object of an unknown kind, that does not end as one does.
        patient_id, name, birth_date, study_uid, series_uid, frame_uid: "" where it has none; private.
        placed: whether it says where in the patient it lies, as the images of a volume do.
        identifiers: its identifying texts; private.
        found: the CT image or RTSTRUCT, None when it cannot be used.
        why: why it cannot be used, in plain words; "" when it can.
    """

    file: DicomFile
    kind: Literal["ct", "rtstruct", "other", "directory", "damaged"]
    patient_id: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    study_uid: str = field(default="", repr=False)
    series_uid: str = field(default="", repr=False)
    frame_uid: str = field(default="", repr=False)
    placed: bool = False
    whole: bool = True
    identifiers: frozenset[str] = field(default=frozenset(), repr=False)
    found: CTSlice | StructureSetFile | None = None
    why: str = ""

    def skipped(self, why: str) -> Skipped:
        """The same file as one that is not used."""
        return Skipped(file=self.file, why=why, may_be_rtstruct=self.kind in ("rtstruct", "damaged"))


def read_header(file: DicomFile) -> Header:
    """What one file is.

    Raises:
        NotDicom: it is no DICOM.
    """
    try:
        dataset, ending = open_header(file, TAGS)
        sop_class = _sop_class(dataset)
        if not sop_class and not dataset.preamble:  # without either, nothing says that it is DICOM
            raise NotDicom(f"{file.label}: expected DICOM with a SOP class, found none; it is left out")
    except NotDicom:
        raise
    except DicomError:
        return Header(file=file, kind="damaged", why="damaged: it cannot be read")
    if not sop_class:
        return Header(file=file, kind="damaged", why="damaged: it does not say what it is")
    if sop_class == MediaStorageDirectoryStorage:
        return Header(file=file, kind="directory", why="a DICOMDIR")
    return _identified(file, dataset, sop_class, ending)


def _identified(file: DicomFile, dataset: FileDataset, sop_class: str, ending: Ending) -> Header:
    kind, found, why = "other", None, ""
    try:
        if sop_class == CTImageStorage:
            kind = "ct"
            found = read_ct_slice(file, dataset)
        elif sop_class == RTStructureSetStorage:
            kind = "rtstruct"
            found = read_structure_set_header(file)
        elif _says_ct_elsewhere(dataset, sop_class):
            kind, why = "ct", "contradicts itself on what it is"
        else:
            why = _why_not(sop_class)
    except DicomError as error:
        why = str(error).removeprefix(f"{file.label}: ")
        if kind == "ct" and "LOCALIZER" in read_words(dataset, "ImageType"):
            kind, why = "other", "a localizer"
    return Header(
        file=file,
        kind=kind,
        patient_id=read_text(dataset, "PatientID"),
        name=patient_name(dataset),
        birth_date=read_text(dataset, "PatientBirthDate"),
        study_uid=read_text(dataset, "StudyInstanceUID"),
        series_uid=read_text(dataset, "SeriesInstanceUID"),
        frame_uid=read_text(dataset, "FrameOfReferenceUID"),
        whole=_whole(kind, sop_class, ending),
        placed=bool(read_text(dataset, "ImagePositionPatient")),
        identifiers=read_identifiers(dataset)
        | (referenced_uids(found) if isinstance(found, StructureSetFile) else frozenset()),
        found=found,
        why=why,
    )


def _sop_class(dataset: FileDataset) -> str:
    """By its own word, its envelope's, or, as one anonymiser leaves files, by the modality alone."""
    stated = read_text(dataset, "SOPClassUID") or read_text(dataset.file_meta, "MediaStorageSOPClassUID")
    by_modality = {"CT": CTImageStorage, "RTSTRUCT": RTStructureSetStorage}
    return stated or str(by_modality.get(read_text(dataset, "Modality").upper(), ""))


def _whole(kind: str, sop_class: str, ending: Ending) -> bool:
    if kind == "ct":
        return ending == "pixels"
    return sop_class in UID_dictionary or ending != "neither"


def _says_ct_elsewhere(dataset: FileDataset, sop_class: str) -> bool:
    """A SOP class that nobody knows may be a damaged one; the envelope and the modality say it again."""
    envelope = read_text(dataset.file_meta, "MediaStorageSOPClassUID")
    modality = read_text(dataset, "Modality").upper()
    return sop_class not in UID_dictionary and (envelope == CTImageStorage or (envelope != sop_class and modality == "CT"))


def _why_not(sop_class: str) -> str:
    if sop_class in _SEGMENTATIONS:
        return "a DICOM SEG: segmentations are not read, only RTSTRUCT"
    if sop_class in _MULTI_FRAME_CT:
        return "multi-frame CT (Enhanced CT Image Storage): export it as single images (CT Image Storage)"
    # A UID that no dictionary knows could be anything, so it is not repeated.
    kind = UID(sop_class).name if sop_class in UID_dictionary else "an object of an unknown kind"
    return f"no CT image and no RTSTRUCT but {kind}"
