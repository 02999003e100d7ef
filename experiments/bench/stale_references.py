"""A copy of an RTSTRUCT whose contours name the CT's own slices, for a library that finds slices by nothing else.

In LUNG1-002 none of the image UIDs that contours refer to is in the CT, in the IBSI phantom there are none: rt-utils then gives
empty masks or raises. With the references repaired it does its work and can be timed.
"""

from pathlib import Path

import numpy as np
import pydicom
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage


def point_to_slices(structures: Path, ct: Path, target: Path) -> Path:
    """Writes the copy: each closed contour refers to the axial slice nearest to its first point, and nothing else changes.

    Args:
        structures: the RTSTRUCT.
        ct: folder of the CT slices, every file of it.
        target: the file to write.

    Returns:
        ``target``.
    """
    slices = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(ct.iterdir())]
    z_mm = np.array([float(image.ImagePositionPatient[2]) for image in slices])
    plan = pydicom.dcmread(structures)
    for roi in plan.ROIContourSequence:
        for contour in roi.get("ContourSequence", ()):
            if contour.get("ContourGeometricType") != "CLOSED_PLANAR":
                continue
            nearest = slices[int(np.abs(z_mm - float(contour.ContourData[2])).argmin())]
            contour.ContourImageSequence = Sequence([_reference(nearest.SOPInstanceUID)])
    for frame in plan.get("ReferencedFrameOfReferenceSequence", ()):
        for study in frame.get("RTReferencedStudySequence", ()):
            for series in study.RTReferencedSeriesSequence:
                series.ContourImageSequence = Sequence([_reference(image.SOPInstanceUID) for image in slices])
    plan.save_as(target)
    return target


def _reference(uid: str) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, uid
    return item
