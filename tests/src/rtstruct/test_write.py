"""The file: whose it is, what it refers to, what stands in it, and what is refused."""

import re
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import CTImageStorage, ImplicitVRLittleEndian, RTStructureSetStorage

from src.data.structures import load_structures
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.dicom.pairing import find_series
from src.errors import DicomError, StructureError
from src.rtstruct.origin import Origin
from src.rtstruct.structure_field import StructureField
from src.rtstruct.write import write_rtstruct
from tests.small_export import SmallPatient, write_ct
from tests.src.rtstruct.drawing import ORIGIN, ball, ct_of, masks_in

SIZE = (24, 20, 10)


def structures() -> list[StructureField]:
    """A smooth ball; a box with a hole, an island in it and a voxel apart, up to the grid's border; and nothing."""
    box = np.zeros(SIZE, bool)
    box[:12, 4:20, 2:7] = True
    box[4:8, 8:14, 3:5] = False
    box[5, 10, 3] = box[20, 3, 8] = True
    return [
        StructureField.of_values("Brainstem", ball(SIZE, (15, 9, 5), 4.3)),
        StructureField.of_mask("Parotid_L", box),
        StructureField.of_mask("Lens_L", np.zeros(SIZE)),
    ]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A patient's CT, the RTSTRUCT of it in the same folder, read by pydicom, and the folder."""
    folder = tmp_path_factory.mktemp("patient")
    stack = ct_of(folder, SmallPatient())
    write_rtstruct(folder / "RS.dcm", stack, structures(), origin=ORIGIN)
    return stack, pydicom.dcmread(folder / "RS.dcm"), folder


def test_conversion_reads_back_every_voxel_and_the_ct_that_it_was_drawn_on(written):
    stack, _, folder = written
    masks = masks_in(folder / "RS.dcm", stack)
    assert list(masks) == ["Brainstem", "Parotid_L"]  # what is empty is left out
    for field in structures()[:2]:
        assert (masks[field.name] == field.whole_mask_XYZ).all(), field.name
    (patient,) = scan_export(folder).patients
    pairing = find_series(patient.structure_sets[0], patient)
    assert pairing.refers_to_it and pairing.notes == ()


def test_patient_and_study_are_those_of_the_ct_and_its_own_identifiers_are_new(written):
    stack, dataset, folder = written
    ct = pydicom.dcmread(stack.slices[0].file.path)
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "StudyDate", "AccessionNumber", "ReferringPhysicianName"):
        assert dataset[keyword].value == ct[keyword].value
    assert dataset.StudyInstanceUID == ct.StudyInstanceUID
    assert dataset.FrameOfReferenceUID == ct.FrameOfReferenceUID
    assert "InstitutionName" not in dataset
    write_rtstruct(folder / "again.dcm", stack, structures(), origin=ORIGIN)
    again = pydicom.dcmread(folder / "again.dcm")
    (folder / "again.dcm").unlink()
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        assert len({dataset[keyword].value, again[keyword].value, ct[keyword].value}) == 3
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    assert dataset.SOPClassUID == dataset.file_meta.MediaStorageSOPClassUID == RTStructureSetStorage


def test_every_slice_is_referred_to_and_every_contour_to_its_own(written):
    stack, dataset, _ = written
    (frame,) = dataset.ReferencedFrameOfReferenceSequence
    (study,) = frame.RTReferencedStudySequence
    (series,) = study.RTReferencedSeriesSequence
    first = stack.slices[0]
    assert (frame.FrameOfReferenceUID, study.ReferencedSOPInstanceUID) == (first.frame_uid, first.study_uid)
    assert series.SeriesInstanceUID == first.series_uid
    assert [item.ReferencedSOPInstanceUID for item in series.ContourImageSequence] == [one.sop_uid for one in stack.slices]
    assert {item.ReferencedSOPClassUID for item in series.ContourImageSequence} == {CTImageStorage}
    height_of = {image.sop_uid: image.position_mm[2] for image in stack.slices}
    contours = [contour for roi in dataset.ROIContourSequence for contour in roi.ContourSequence]
    assert len(contours) > 10
    for contour in contours:
        (image,) = contour.ContourImageSequence
        points_mm = np.array(contour.ContourData, float).reshape(-1, 3)
        assert points_mm[:, 2] == pytest.approx(height_of[image.ReferencedSOPInstanceUID], abs=5e-4)
        assert contour.NumberOfContourPoints == len(points_mm) >= 3
        assert contour.ContourGeometricType == "CLOSED_PLANAR"
        assert (points_mm != np.roll(points_mm, 1, axis=0)).any(axis=1).all()


def test_each_structure_has_its_name_colour_and_what_drew_it(written):
    _, dataset, _ = written
    for number, name in enumerate(("Brainstem", "Parotid_L"), start=1):
        roi, contours, observation = (
            sequence[number - 1]
            for sequence in (dataset.StructureSetROISequence, dataset.ROIContourSequence, dataset.RTROIObservationsSequence)
        )
        assert (roi.ROINumber, roi.ROIName, roi.ROIGenerationAlgorithm) == (number, name, "AUTOMATIC")
        assert roi.ROIGenerationDescription == dataset.StructureSetDescription == ORIGIN.description
        assert roi.ReferencedFrameOfReferenceUID == dataset.FrameOfReferenceUID
        assert list(contours.ROIDisplayColor) == list(load_structures()[name].colour_rgb)
        assert contours.ReferencedROINumber == observation.ReferencedROINumber == number
        assert observation.RTROIInterpretedType == "ORGAN"
    assert (dataset.ApprovalStatus, dataset.StructureSetLabel) == ("UNAPPROVED", "Model 1")


def test_numbers_are_decimal_strings_of_at_most_16_characters_in_implicit_little_endian(written):
    _, dataset, folder = written
    assert dataset.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    text = (folder / "RS.dcm").read_bytes()
    values = [value for run in re.findall(rb"(?:-?[0-9.]+\\){8,}-?[0-9.]+", text) for value in run.split(b"\\")]
    assert len(values) > 500
    assert max(map(len, values)) <= 16
    assert all(re.fullmatch(rb"-?[0-9]+\.[0-9]{3}", value) for value in values)


def test_a_contour_beyond_64_kb_comes_back_whole(tmp_path):
    size = (600, 40, 2)
    comb = np.zeros(size, bool)
    comb[:, 20:, 1] = True
    comb[::2, 1:39, 1] = True  # 300 teeth, whose tips and gaps keep their points
    comb[::3, 5:18:4, 1] ^= True
    stack = ct_of(tmp_path, SmallPatient(size=size, spacing_mm=(0.7, 0.7, 2.0)))
    write_rtstruct(tmp_path / "RS.dcm", stack, [StructureField.of_mask("Brain", comb)], origin=ORIGIN)
    (roi,) = pydicom.dcmread(tmp_path / "RS.dcm").ROIContourSequence
    assert max(contour.get_item("ContourData").length for contour in roi.ContourSequence) > 0xFFFF
    assert (masks_in(tmp_path / "RS.dcm", stack)["Brain"] == comb).all()


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        ("ISO_IR 192", "Bäcker^Łucja".encode()),
        ("ISO_IR 100", "Bäcker^Jörg".encode("latin-1")),
        ("", b"B\xe4cker"),
        ("ISO_IR 192", b"B\xe4cker"),
        ("ISO_IR 999", b"B\xe4cker"),
    ],
)
def test_names_keep_their_bytes_and_their_character_set(tmp_path, character_set, name):
    placeholder = b"Q" * len(name)

    def rename(dataset):
        dataset.PatientName = placeholder.decode()
        if character_set:
            dataset.SpecificCharacterSet = character_set

    patient = SmallPatient(size=(8, 8, 3))
    for path in write_ct(tmp_path, patient, change=rename):  # what a header holds is not always what its character set says
        path.write_bytes(path.read_bytes().replace(placeholder, name))
    stack = stack_slices(scan_export(tmp_path).patients[0].series[0])
    field = StructureField.of_mask("Brain", np.ones((8, 8, 3)))
    origin = Origin(label="Modèle", description="entraîné à Łódź\\2", software_version="1")
    write_rtstruct(tmp_path / "RS.dcm", stack, [field], origin=origin)
    dataset = pydicom.dcmread(tmp_path / "RS.dcm")
    assert dataset.get_item("PatientName").value.rstrip() == name
    assert dataset.get("SpecificCharacterSet", "") == character_set
    assert (dataset.StructureSetLabel, dataset.StructureSetDescription) == ("Modele", "entraine a ?odz 2")


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
def test_a_ct_that_cannot_be_referred_to_is_refused_in_a_sentence(tmp_path, keyword):
    def strip(dataset):
        delattr(dataset, keyword)

    stack = ct_of(tmp_path, SmallPatient(size=(8, 8, 3)), change=strip)
    with pytest.raises(DicomError, match=f"expected a {keyword} in every image of the CT, found none in file_") as refused:
        write_rtstruct(tmp_path / "RS.dcm", stack, [StructureField.of_mask("Brain", np.ones((8, 8, 3)))], origin=ORIGIN)
    assert "Zwiebelfisch" not in str(refused.value)
    assert not list(tmp_path.glob("*RS.dcm*"))


def test_two_images_with_one_identifier_are_refused(tmp_path):
    def same(dataset):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"

    stack = ct_of(tmp_path, SmallPatient(size=(8, 8, 3)), change=same)
    with pytest.raises(DicomError, match="each of the CT's 3 images, found 1"):
        write_rtstruct(tmp_path / "RS.dcm", stack, [StructureField.of_mask("Brain", np.ones((8, 8, 3)))], origin=ORIGIN)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ([StructureField.of_mask("Brain", np.zeros(SIZE))], DicomError, "found all of them empty"),
        ([], DicomError, "found all of them empty"),
        ([StructureField.of_mask("Brain", np.ones((3, 3, 3)))], DicomError, "expected the CT's grid"),
        ([StructureField.of_mask("Brian", np.ones(SIZE))], StructureError, "Brain"),
    ],
)
def test_nothing_to_draw_another_grid_or_an_unknown_name_is_refused_and_nothing_written(written, fields, error, message):
    stack, _, folder = written
    with pytest.raises(error, match=message):
        write_rtstruct(folder / "refused.dcm", stack, fields, origin=ORIGIN)
    assert not list(Path(folder).glob("*refused*"))


@pytest.mark.parametrize("label", ["", "   ", "a label of more than 16 characters"])
def test_a_label_that_dicom_cannot_hold_is_refused(label):
    with pytest.raises(DicomError, match="1 to 16 characters"):
        Origin(label=label, description="", software_version="")
