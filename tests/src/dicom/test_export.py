"""An export is sorted by what stands in its headers; nothing that may be a slice goes missing in silence."""

import os
import shutil
import struct
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import MRImageStorage

from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.errors import DicomError
from tests.small_export import SmallPatient, ct_slice, write_ct, write_export, write_rtstruct
from tests.src.dicom.small_series import label_of, only_patient, only_series, write_series

SMALL = SmallPatient(size=(4, 4, 4))


def altered(path: Path, **elements) -> Path:
    """The same file with some elements set, or deleted where the value is None."""
    dataset = pydicom.dcmread(path)
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)
    return path


def reasons(items) -> dict[str, str]:
    return {item.file.path.name: item.why for item in items}


def test_patients_are_told_apart_by_headers_in_one_flat_folder(tmp_path):
    for patient in (SmallPatient(number=1, size=(4, 4, 3)), SmallPatient(number=2, size=(4, 4, 5))):
        for path in write_ct(tmp_path / "out", patient):
            shutil.move(path, tmp_path / f"{patient.number * 977 % 10}{path.name}.x")
        write_rtstruct(tmp_path / f"{patient.number}.bin", patient)
    export = scan_export(tmp_path)
    assert [len(patient.series[0].slices) for patient in sorted(export.patients, key=lambda one: one.key)] == [3, 5]
    assert all(len(patient.structure_sets) == 1 and patient.skipped == () for patient in export.patients)
    assert [file.label for file in export.files] == [f"file_{number:04d}" for number in range(1, 11)]
    assert [file.path for file in export.files] == sorted(file.path for file in export.files)


def test_a_patient_is_one_although_blanks_and_nuls_follow_the_id(tmp_path):
    paths = write_ct(tmp_path, SMALL)
    altered(paths[0], PatientID=f" {SMALL.identifiers['PatientID']}  ")
    patient = only_patient(tmp_path)
    assert patient.key == SMALL.identifiers["PatientID"] and len(patient.series[0].slices) == 4


def test_without_patient_ids_studies_and_then_frames_tell_patients_apart(tmp_path):
    for number in (1, 2):
        write_series(
            tmp_path / str(number),
            lambda dataset: setattr(dataset, "PatientID", ""),
            SmallPatient(number=number, size=(4, 4, 3)),
        )
    export = scan_export(tmp_path)
    assert [patient.key for patient in export.patients] == [SmallPatient(number=1).study_uid, SmallPatient(number=2).study_uid]
    assert export.patients[0].notes == ("PatientID is empty: it is told apart by its StudyInstanceUID",)
    for path in (tmp_path / "2").iterdir():
        altered(path, StudyInstanceUID=None, SeriesInstanceUID="")
    second = scan_export(tmp_path).patients[1]
    assert second.key == SmallPatient(number=2).frame_uid and len(second.series[0].slices) == 3
    assert second.notes == ("PatientID is empty: it is told apart by its FrameOfReferenceUID",)


def test_images_that_share_a_series_are_one_patient_though_each_has_its_own_study(tmp_path):
    def change(dataset):
        dataset.PatientID, dataset.StudyInstanceUID = "", f"1.2.3.{dataset.InstanceNumber}"

    assert len(only_series(write_series(tmp_path, change)).slices) == 10


@pytest.mark.parametrize("lost", [{"PatientID": None}, {"PatientID": "", "StudyInstanceUID": None}])
def test_a_file_without_patient_id_goes_with_its_study_or_series(tmp_path, lost):
    altered(write_ct(tmp_path, SMALL)[3], **lost)
    patient = only_patient(tmp_path)
    assert len(patient.series[0].slices) == 4 and "without PatientID belong to it" in patient.notes[0]


def test_a_series_without_uid_is_grouped_by_geometry(tmp_path):
    write_series(tmp_path / "a", lambda dataset: setattr(dataset, "SeriesInstanceUID", ""), SMALL)
    turned = SmallPatient(size=(4, 4, 5), direction=np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]]))
    write_series(tmp_path / "b", lambda dataset: setattr(dataset, "SeriesInstanceUID", ""), turned)
    patient = only_patient(tmp_path)
    assert [(series.label, len(series.slices)) for series in patient.series] == [("series_1", 4), ("series_2", 5)]


def test_two_names_under_one_id_are_noted_without_the_names(tmp_path):
    paths = write_ct(tmp_path, SMALL)
    altered(paths[0], PatientName="ZWIEBELFISCH1 HANNELORE^")  # the same name, written otherwise
    assert only_patient(tmp_path).notes == ()
    altered(paths[1], PatientName="Somebody^Else")
    assert only_patient(tmp_path).notes == ("2 different names under one PatientID: is it one patient?",)


@pytest.mark.parametrize(
    ("elements", "noted"), [({}, True), ({"PatientBirthDate": "19510218"}, False), ({"PatientName": ""}, False)]
)
def test_one_person_under_two_ids_is_noted_for_both(tmp_path, elements, noted):
    first, second = SMALL, SmallPatient(number=2, size=(4, 4, 4))
    write_ct(tmp_path / "a", first)
    for path in write_ct(tmp_path / "b", second):
        person = {"PatientName": "zwiebelfisch1, hannelore", "PatientBirthDate": first.identifiers["PatientBirthDate"]}
        altered(path, **{**person, **elements})
    notes = [note for patient in scan_export(tmp_path).patients for note in patient.notes]
    assert [note.startswith("another PatientID has the same name and date of birth") for note in notes] == [True] * 2 * noted


@pytest.mark.parametrize("z", [0, 3])
@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"PixelSpacing": None}, "it has no PixelSpacing"),
        ({"PixelSpacing": [2, 25]}, "expected pixels of 0.05 to 20 mm, found 2 × 25 mm"),
        ({"PixelSpacing": [2, 2, 2]}, "expected 2 numbers as its PixelSpacing"),
        ({"ImagePositionPatient": None}, "it has no ImagePositionPatient"),
        ({"ImagePositionPatient": [0, 0, 2e5]}, "more than 100 m away"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0.9, 0]}, "no unit vectors at right angles"),
        ({"Rows": 60000}, "expected 2 to 8192 rows and columns, found 60000 × 4"),
        ({"SamplesPerPixel": 3}, "expected one sample per pixel, found 3"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "found MONOCHROME1"),
        ({"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}, "expected CT pixels of 16 bits, found 8"),
        ({"PixelRepresentation": 7}, "expected 0 or 1 as its PixelRepresentation"),
        ({"RescaleSlope": 0}, "expected a RescaleSlope near 1, found 0"),
        ({"RescaleSlope": None}, "it has no RescaleSlope"),
        ({"RescaleIntercept": 1e30}, "expected a RescaleIntercept near -1024"),
        ({"RescaleType": "Z_EFF"}, "its RescaleType is not HU"),
        ({"ModalityLUTSequence": [pydicom.Dataset()]}, "a Modality LUT"),
        ({"NumberOfFrames": 3}, "multi-frame CT (3 frames)"),
        ({"SeriesInstanceUID": ""}, "has no SeriesInstanceUID though others of its study have one"),
        ({"SOPClassUID": MRImageStorage}, "carries the series' UID and a position in it, but is no CT image"),
    ],
)
def test_a_slice_that_cannot_be_used_breaks_its_series_and_never_shortens_it(tmp_path, elements, reason, z):
    path = altered(write_ct(tmp_path, SMALL)[z], **elements)
    export = scan_export(tmp_path)
    (series,) = export.patients[0].series
    assert [item.file.path for item in series.broken] == [path]
    with pytest.raises(DicomError) as caught:
        stack_slices(series)
    assert f"series_1: {label_of(export, path)} cannot be used as its slices" in str(caught.value) and reason in str(
        caught.value
    )
    assert not export.skipped and not export.patients[0].skipped  # said once


@pytest.mark.parametrize("text", ["NaN", "inf", "1_0", "2,0", "abc", "0x10", "1e999", "9" * 400])
def test_numbers_that_python_would_take_and_dicom_does_not_are_refused(tmp_path, text):
    path = write_ct(tmp_path, SMALL)[0]
    content = path.read_bytes()
    place = content.index(b"\x28\0\x30\0DS")
    (length,) = struct.unpack_from("<H", content, place + 6)
    value = (text + "\\2").encode()
    value += b" " * (len(value) % 2)
    path.write_bytes(content[: place + 6] + struct.pack("<H", len(value)) + value + content[place + 8 + length :])
    (broken,) = only_series(tmp_path).broken
    assert "PixelSpacing" in broken.why and text not in broken.why


def test_a_series_under_two_patient_ids_is_refused_for_both(tmp_path):
    altered(write_ct(tmp_path, SMALL)[3], PatientID="somebody else")
    export = scan_export(tmp_path)
    assert len(export.patients) == 2
    for patient in export.patients:
        with pytest.raises(DicomError, match="carries the series' UIDs under another PatientID"):
            stack_slices(patient.series[0])


def test_a_file_whose_mark_is_damaged_breaks_the_series_beside_it(tmp_path):
    path = write_ct(tmp_path, SMALL)[3]
    path.write_bytes(path.read_bytes().replace(b"DICM", b"DIBM", 1))
    with pytest.raises(DicomError, match="lies in the same folder and is damaged"):
        stack_slices(only_series(tmp_path))


@pytest.mark.parametrize("kept_bytes", [140, 400, 700])
def test_a_damaged_file_in_the_folder_of_one_patient_breaks_its_series(tmp_path, kept_bytes):
    path = write_ct(tmp_path / "one", SMALL)[3]
    write_ct(tmp_path / "other", SmallPatient(number=2, size=(4, 4, 3)))
    path.write_bytes(path.read_bytes()[:kept_bytes])
    first, second = scan_export(tmp_path).patients
    with pytest.raises(DicomError, match="cannot be used as its slices"):
        stack_slices(first.series[0])
    assert stack_slices(second.series[0]).grid.size == (4, 4, 3)


def test_a_damaged_file_among_several_patients_is_noted_for_each(tmp_path):
    for number in (1, 2):
        write_ct(tmp_path / str(number), SmallPatient(number=number, size=(4, 4, 3)))
        for path in (tmp_path / str(number)).iterdir():
            shutil.move(path, tmp_path / f"{path.name}{number}")
    (tmp_path / "zz").write_bytes(b"\0" * 128 + b"DICM" + b"rubbish")
    (tmp_path / "zzz").touch()
    export = scan_export(tmp_path)
    assert all("file_0008 in the same folder: empty" in patient.notes[1] for patient in export.patients)
    assert reasons(export.skipped)["zz"].startswith("damaged")
    assert all("file_0007 in the same folder: damaged" in patient.notes[0] for patient in export.patients)


def test_what_is_no_ct_and_no_rtstruct_is_skipped_with_its_reason(tmp_path):
    write_export(tmp_path, SMALL)
    (folder,) = tmp_path.iterdir()

    def other(name, **elements):
        dataset = ct_slice(SMALL, SMALL.hounsfield_ZYX(), 0)
        dataset.SeriesInstanceUID = f"1.2.{len(name)}"
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        dataset.save_as(folder / name, enforce_file_format=True)

    other("mr", SOPClassUID=MRImageStorage, Modality="MR")
    other("seg", SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4", Modality="SEG")
    other("enhanced", SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1")
    other("scout1234", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    other("frames-12345", NumberOfFrames=7)
    other("state-of-presentation", SOPClassUID="1.2.840.10008.5.1.4.1.1.11.1", Modality="PR")
    other("private-class-of-a-vendor", SOPClassUID="1.3.12.2.1107.5.9.1")
    patient = only_patient(tmp_path)
    assert reasons(patient.skipped) == {
        "mr": "no CT image and no RTSTRUCT but MR Image Storage",
        "seg": "a DICOM SEG: segmentations are not read, only RTSTRUCT",
        "enhanced": "multi-frame CT (Enhanced CT Image Storage): export it as single images (CT Image Storage)",
        "scout1234": "a localizer",
        "frames-12345": "multi-frame CT (7 frames): export it as single images",
        "state-of-presentation": "no CT image and no RTSTRUCT but Grayscale Softcopy Presentation State Storage",
        "private-class-of-a-vendor": "no CT image and no RTSTRUCT but an object of an unknown kind",
    }
    assert len(patient.series) == 1 and patient.series[0].broken == ()


def test_files_that_are_no_dicom_have_a_label_and_a_reason(tmp_path):
    write_series(tmp_path / "ct", patient=SMALL)
    (tmp_path / "README.txt").write_text("Brainstem")
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    (tmp_path / "empty").touch()
    (tmp_path / ".DS_Store").write_bytes(b"\0")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "b\xe9\udcff").write_bytes(b"\x08\0\x05\0rubbish")
    (tmp_path / "ct" / "round").symlink_to(tmp_path, target_is_directory=True)
    export = scan_export(tmp_path)
    assert reasons(export.skipped) == {
        "README.txt": "no DICOM",
        "DICOMDIR": "a DICOMDIR",
        "empty": "an empty file",
        ".DS_Store": "a hidden file",
        "gone": "a link to nothing, or a file that may not be looked at",
        "pipe": "no file but a device or pipe",
        "b\xe9\udcff": "no DICOM",
    }
    assert len(export.files) == len(set(export.files)) == 11
    assert len(only_series(tmp_path).slices) == 4


def test_no_folder_and_no_dicom_are_errors_without_the_path(tmp_path):
    with pytest.raises(DicomError, match="expected the folder of an export") as caught:
        scan_export(tmp_path / "Zwiebelfisch")
    assert "Zwiebelfisch" not in str(caught.value)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DicomError, match="found none among 1 files"):
        scan_export(tmp_path)


def test_the_structure_set_says_what_it_was_drawn_on(tmp_path):
    patient = SmallPatient(size=(4, 4, 4), rois={})
    write_export(tmp_path, patient, change_rtstruct=lambda dataset: setattr(dataset, "ApprovalStatus", "APPROVED"))
    (header,) = only_patient(tmp_path).structure_sets
    assert (header.frame_uids, header.series_uids) == ((patient.frame_uid,), (patient.series_uid,))
    assert header.image_uids == {patient.sop_uid(z) for z in range(4)}
    assert (header.approved, header.drawn_at, header.num_rois) == (True, "20190524101500", 0)
    assert header.study_uid == patient.study_uid


def test_a_damaged_structure_set_is_skipped_by_its_patient(tmp_path):
    write_export(tmp_path, SMALL)
    path = next(tmp_path.rglob("RS.dcm"))
    path.write_bytes(path.read_bytes()[:-7])
    patient = only_patient(tmp_path)
    assert patient.structure_sets == ()
    assert "export it again" in reasons(patient.skipped)["RS.dcm"]


def test_every_planted_identifier_is_handed_to_the_redactor(tmp_path):
    def change(dataset):
        dataset.OtherPatientIDs = ["SECOND-77", "THIRD-78"]
        dataset.DeviceSerialNumber, dataset.StationName, dataset.StudyID = "SN-4711", "LINAC-3", "ST-99"
        dataset.SpecificCharacterSet = "ISO_IR 100"
        dataset.OperatorsName = "Grün^Käthe"
        other = pydicom.Dataset()
        other.PatientID = "OLD-1234"
        dataset.OtherPatientIDsSequence = [other]

    write_export(tmp_path, SMALL, change_ct=change)
    identifiers = only_patient(tmp_path).identifiers
    assert {*SMALL.identifiers.values()} <= identifiers
    assert {"Zwiebelfisch1", "Hannelore", "Quacksalber", "Ottokar", "Grün", "Käthe"} <= identifiers
    assert {"SECOND-77", "THIRD-78", "OLD-1234", "SN-4711", "LINAC-3", "ST-99", "20190524"} <= identifiers
    assert {SMALL.study_uid, SMALL.series_uid, SMALL.frame_uid, SMALL.sop_uid(3)} <= identifiers
    assert "" not in identifiers


def test_reading_is_silent_and_nothing_read_shows_a_patient(tmp_path, capfd, caplog):
    def change(dataset):
        dataset.SpecificCharacterSet = "ISO_IR 999"
        dataset.PatientBirthDate = "Zwiebelfisch born 1950"
        dataset["SeriesInstanceUID"].value = "Zwiebelfisch.1"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_series(tmp_path / "Zwiebelfisch", change, SMALL)  # pydicom warns of it here, and quotes
        caplog.clear()
        capfd.readouterr()
        warnings.simplefilter("error")
        export = scan_export(tmp_path)
        stack = stack_slices(export.patients[0].series[0])
    printed = "".join(capfd.readouterr()) + caplog.text + repr(export) + repr(stack)
    assert not [word for word in ("Zwiebelfisch", "PID77", "1.2.826", "19500217", str(tmp_path)) if word in printed]
