"""Structures -> an RTSTRUCT file that planning systems read.

Written in implicit little endian. It is the transfer syntax that every DICOM application must know (PS3.5 section 10.1), and
the only uncompressed one whose lengths have 32 bits throughout: in explicit ones ContourData, a DS, ends at 64 kB (PS3.5
section 7.1.2), some thousand points, beyond which it would have to be written as unknown (UN), which planning systems refuse
(pydicom issue 1530).
"""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian

from src.dicom.objects import SliceStack
from src.dicom.quiet import quiet_pydicom
from src.errors import DicomError
from src.exchange.whole_file import write_whole
from src.rtstruct.ct_identity import check_references
from src.rtstruct.origin import Origin
from src.rtstruct.slice_contours import trace
from src.rtstruct.structure_field import StructureField
from src.rtstruct.structure_set import build_structure_set


def write_rtstruct(path: Path, stack: SliceStack, structures: Sequence[StructureField], *, origin: Origin) -> None:
    """Writes an RTSTRUCT: the patient's, on the CT's frame of reference, unapproved, with the CT's own identifiers.

    A structure that is empty is left out: an ROI without contours says nothing that planning systems agree on.

    Args:
        path: of the file; whole afterwards, or as before.
        stack: the CT, as read from its files; the first of them is read again for patient and study.
        structures: on its grid, each with a name of its own.
        origin: what made them.

    Raises:
        DicomError: all structures are empty, one is on another grid, or the CT lacks identifiers that an RTSTRUCT needs.
        StructureError: a name that is not in the table of structures.
        DiskError: the disk is full or refuses.
    """
    check_references(stack)
    for structure in structures:
        if structure.size_XYZ != stack.grid.size:
            raise DicomError(f"{structure.name}: expected the CT's grid, {stack.grid.size}, found {structure.size_XYZ}")
    drawn = [(structure.name, trace(structure, stack)) for structure in structures if not structure.is_empty]
    if not drawn:
        raise DicomError("expected a structure to draw, found all of them empty; is the anatomy of the model in this CT?")
    structure_set = build_structure_set(stack, drawn, origin, datetime.now())
    write_whole(Path(path), [_encoded(structure_set)])


def _encoded(structure_set: Dataset) -> memoryview:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = structure_set.SOPClassUID
    meta.MediaStorageSOPInstanceUID = structure_set.SOPInstanceUID
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    whole = FileDataset("", structure_set, preamble=b"\0" * 128, file_meta=meta, is_implicit_VR=True, is_little_endian=True)
    whole.set_original_encoding(True, True, structure_set.original_character_set)  # else it would decode what was copied
    stream = BytesIO()
    with quiet_pydicom():
        whole.save_as(stream, enforce_file_format=True)
    return stream.getbuffer()
