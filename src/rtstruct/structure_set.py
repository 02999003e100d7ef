"""The RT Structure Set object. Source: DICOM PS3.3 A.19.3 and the modules it names (C.8.8.1, C.8.8.5, C.8.8.6, C.8.8.8)."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, RTStructureSetStorage, generate_uid

from src.data.structures import load_structures
from src.dicom.objects import CTSlice, SliceStack
from src.rtstruct.ct_identity import copy_identity, put_bytes
from src.rtstruct.origin import LONGEST_STRING, LONGEST_TEXT, Origin
from src.rtstruct.slice_contours import DECIMALS, SliceContour

# Detached Study Management (retired): what exporters give as the class of the study that a structure set refers to.
_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"


def build_structure_set(
    stack: SliceStack, drawn: Sequence[tuple[str, Sequence[SliceContour]]], origin: Origin, now: datetime
) -> Dataset:
    """A structure set as DICOM.

    Args:
        stack: the CT, with all identifiers.
        drawn: TG-263 name and contours of each structure; none of them empty.
        origin: what made them.
        now: when.

    Returns:
        A dataset to be written in implicit little endian.

    Raises:
        StructureError: a name that is not in the table of structures.
        DicomError: the CT's header cannot be read.
    """
    result = Dataset()
    copy_identity(stack, result)
    _describe(result, origin, now)
    result.ReferencedFrameOfReferenceSequence = [_frame(stack)]
    result.StructureSetROISequence, result.ROIContourSequence, result.RTROIObservationsSequence = [], [], []
    for number, (name, contours) in enumerate(drawn, start=1):
        result.StructureSetROISequence.append(
            _item(
                ROINumber=number,
                ReferencedFrameOfReferenceUID=stack.slices[0].frame_uid,
                ROIName=name,
                ROIGenerationAlgorithm="AUTOMATIC",
                ROIGenerationDescription=origin.description[:LONGEST_STRING],
            )
        )
        result.ROIContourSequence.append(
            _item(
                ROIDisplayColor=list(load_structures()[name].colour_rgb),
                ReferencedROINumber=number,
                ContourSequence=[_contour(at, contour, stack) for at, contour in enumerate(contours, start=1)],
            )
        )
        result.RTROIObservationsSequence.append(
            _item(ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType="ORGAN", ROIInterpreter="")
        )
    return result


def _describe(result: Dataset, origin: Origin, now: datetime) -> None:
    date, time = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    result.SOPClassUID, result.SOPInstanceUID = RTStructureSetStorage, generate_uid()
    result.InstanceCreationDate, result.InstanceCreationTime = date, time
    result.Modality, result.SeriesInstanceUID, result.SeriesNumber = "RTSTRUCT", generate_uid(), 1
    result.SeriesDate, result.SeriesTime = date, time
    result.SeriesDescription, result.OperatorsName = origin.description[:LONGEST_STRING], ""
    result.Manufacturer = result.ManufacturerModelName = origin.manufacturer[:LONGEST_STRING]
    result.SoftwareVersions = origin.software_version[:LONGEST_STRING]
    result.InstanceNumber = 1
    result.StructureSetLabel = result.StructureSetName = origin.label
    result.StructureSetDescription = origin.description[:LONGEST_TEXT]
    result.StructureSetDate, result.StructureSetTime = date, time
    result.ApprovalStatus = "UNAPPROVED"


def _frame(stack: SliceStack) -> Dataset:
    first = stack.slices[0]
    series = _item(SeriesInstanceUID=first.series_uid, ContourImageSequence=[_image(image) for image in stack.slices])
    study = _item(
        ReferencedSOPClassUID=_STUDY_CLASS, ReferencedSOPInstanceUID=first.study_uid, RTReferencedSeriesSequence=[series]
    )
    return _item(FrameOfReferenceUID=first.frame_uid, RTReferencedStudySequence=[study])


def _contour(number: int, contour: SliceContour, stack: SliceStack) -> Dataset:
    item = _item(
        ContourImageSequence=[_image(stack.slices[contour.z])],
        ContourGeometricType="CLOSED_PLANAR",
        NumberOfContourPoints=len(contour.points_mm),
        ContourNumber=number,
    )
    # As bytes, since pydicom makes an object of every number.
    put_bytes(item, "ContourData", _written(contour.points_mm))
    return item


def _written(points_mm: np.ndarray) -> bytes:
    numbers = points_mm.ravel().tolist()
    return ("\\".join([f"%.{DECIMALS}f"] * len(numbers)) % tuple(numbers)).encode("ascii")


def _image(image: CTSlice) -> Dataset:
    return _item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=image.sop_uid)


def _item(**values) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item
