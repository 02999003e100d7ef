"""Which CT an RTSTRUCT was drawn on: by its references, the strongest first; never by guessing."""

from dataclasses import replace

import pytest

from src.dicom.export import scan_export
from src.dicom.frames import check_frames
from src.dicom.pairing import find_series
from src.dicom.structure_set import read_structure_set
from src.errors import DicomError
from tests.conftest import SHARED_DATA
from tests.small_export import SmallPatient, write_ct, write_export, write_rtstruct
from tests.src.dicom.structure_set_files import LABEL, SQUARE, a_header, a_patient, a_series, images_of

ONE, TWO, THREE = a_series(1), a_series(2), a_series(3, frame="1.2.4", study="1.8")
STALE = "1.99.1"
CUT_OFF = "expected the 5 images that it refers to in series_1, found 2: the CT seems to be cut off; export it again, complete"


def paired(header, *series, **options):
    pairing = find_series(header, a_patient(*series), **options)
    assert pairing.structure_set is header
    return pairing.series.label, pairing.notes


def refusal(header, *series, **options) -> str:
    with pytest.raises(DicomError) as refused:
        find_series(header, a_patient(*series), **options)
    message = str(refused.value)
    assert message.startswith(f"{LABEL}: expected")
    uids = {uid for one in series for uid in (one.series_uid, one.frame_uid, one.study_uid, STALE) if uid}
    assert not any(uid in message for uid in uids)
    return message


@pytest.mark.parametrize("series", [(ONE, TWO, THREE), (THREE, TWO, ONE)])
def test_the_series_that_it_refers_to(series):
    assert paired(a_header(series_uids=(TWO.series_uid,), frame_uids=("1.2.4",)), *series) == ("series_2", ())


def test_a_stale_reference_beside_a_right_one():
    assert paired(a_header(series_uids=(STALE, TWO.series_uid)), ONE, TWO) == ("series_2", ())


def test_of_several_the_one_with_most_referenced_images():
    images = images_of(TWO) | frozenset(list(images_of(ONE))[:1])
    header = a_header(series_uids=(ONE.series_uid, TWO.series_uid), image_uids=images)
    assert paired(header, ONE, TWO) == ("series_2", ())


def test_of_several_with_as_many_images_the_one_of_its_study():
    header = a_header(series_uids=(ONE.series_uid, THREE.series_uid), study_uid="1.8")
    assert paired(header, ONE, THREE) == ("series_3", ())


def test_several_that_fit_equally():
    message = refusal(a_header(series_uids=(ONE.series_uid, TWO.series_uid), study_uid="1.9"), ONE, TWO)
    assert "found series_1 and series_2, which fit it equally" in message


def test_stale_series_but_images_that_exist():
    label, notes = paired(a_header(series_uids=(STALE,), image_uids=images_of(TWO)), ONE, TWO)
    assert label == "series_2"
    assert notes == (f"{LABEL} refers to a series that is no CT of this patient; matched by the images that it refers to",)


@pytest.mark.parametrize(("uids", "what"), [((STALE,), "a series that is no CT of this patient"), ((), "no series")])
def test_stale_or_missing_references_but_one_series_in_its_frame(uids, what):
    label, notes = paired(a_header(series_uids=uids, frame_uids=("1.2.4",)), ONE, TWO, THREE)
    assert label == "series_3"
    assert notes == (f"{LABEL} refers to {what}; matched by its frame of reference",)


def test_whether_the_rtstruct_refers_to_the_ct_is_known_of_each_pair():
    patient = a_patient(ONE)
    for header, refers_to_it in (
        (a_header(series_uids=(ONE.series_uid,)), True),
        (a_header(series_uids=(STALE,), image_uids=images_of(ONE)), True),
        (a_header(series_uids=(STALE,), frame_uids=("1.2.3",)), False),
        (a_header(series_uids=(STALE,), frame_uids=("1.98",)), False),
    ):
        assert find_series(header, patient, allow_frame_mismatch=True).refers_to_it is refers_to_it


def test_several_series_in_its_frame():
    assert "series_1 and series_2, which fit it equally" in refusal(a_header(frame_uids=("1.2.3",)), ONE, TWO, THREE)
    in_study = a_series(4, study="1.7")
    assert paired(a_header(frame_uids=("1.2.3",), study_uid="1.7"), ONE, in_study)[0] == "series_4"


def test_series_and_images_that_contradict_each_other():
    message = refusal(a_header(series_uids=(ONE.series_uid,), image_uids=images_of(TWO)), ONE, TWO)
    assert "in series_1, the series that it refers to, found them in series_2" in message


def test_nothing_fits():
    header = a_header(series_uids=(STALE,), frame_uids=("1.98",), image_uids=frozenset({"1.97", "1.96"}))
    message = refusal(header, ONE, TWO)
    assert "(1 series, 2 images, 1 frames of reference), found none of them in series_1 and series_2" in message
    assert "--allow-frame-mismatch" not in message  # it would not help with two
    assert refusal(header, ONE, TWO, allow_frame_mismatch=True) == message


@pytest.mark.parametrize("header", [a_header(), a_header(series_uids=("",), frame_uids=("",)), a_header(series_uids=(STALE,))])
def test_the_only_ct_is_not_taken_for_that_alone(header):
    nameless = a_series(1, frame="", uid="")
    for series in (ONE, nameless):
        message = refusal(header, series)
        assert "export the CT that it was drawn on" in message and "--allow-frame-mismatch" in message
        label, (note,) = paired(header, series, allow_frame_mismatch=True)
        assert label == "series_1" and "one CT series only" in note


def test_no_ct():
    assert "found no CT series of this patient" in refusal(a_header())


def test_of_an_export(tmp_path):
    write_export(tmp_path, SmallPatient(rois={"Liver": [SQUARE]}), SmallPatient(number=2, rois={"Liver": [SQUARE]}))
    for patient in scan_export(tmp_path).patients:
        pairing = find_series(patient.structure_sets[0], patient)
        assert pairing.series is patient.series[0] and not pairing.notes
        assert check_frames(read_structure_set(pairing.structure_set), pairing.series, allow_mismatch=False) == ()


def test_of_an_export_with_stale_series_and_image_uids(tmp_path):
    def change(dataset):
        series = dataset.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
        series.SeriesInstanceUID = STALE
        for number, image in enumerate(series.ContourImageSequence):
            image.ReferencedSOPInstanceUID = f"{STALE}.{number}"

    write_export(tmp_path, SmallPatient(rois={"Liver": [SQUARE]}), change_rtstruct=change)
    (patient,) = scan_export(tmp_path).patients
    pairing = find_series(patient.structure_sets[0], patient)
    assert pairing.series.label == "series_1"
    assert "matched by its frame of reference" in pairing.notes[0]


def test_slices_lost_at_an_end_leave_no_hole_but_the_rtstruct_tells(tmp_path):
    patient = SmallPatient(rois={"Liver": [SQUARE]})
    write_ct(tmp_path, patient, slices=range(7))
    write_rtstruct(tmp_path / "RS.dcm", patient)
    (found,) = scan_export(tmp_path).patients
    (note,) = find_series(found.structure_sets[0], found).notes
    assert "expected the 10 images that it refers to in series_1, found 7: the CT seems to be cut off" in note


def test_slices_that_lie_in_another_series_are_no_volume_of_their_own(tmp_path):
    def change(dataset):
        if dataset.InstanceNumber > 7:
            dataset.SeriesInstanceUID += ".9"

    write_export(tmp_path, SmallPatient(rois={"Liver": [SQUARE]}), change_ct=change)
    (found,) = scan_export(tmp_path).patients
    with pytest.raises(DicomError, match="in series_1, found 7 there and others in series_2: one CT in several series"):
        find_series(found.structure_sets[0], found)


def test_images_of_another_series_that_it_refers_to_are_not_missed(tmp_path):
    """Of a PET that was drawn on too, for example."""
    header = a_header(series_uids=(ONE.series_uid, STALE), image_uids=images_of(ONE) | {"1.97"})
    header = replace(header, image_groups=(images_of(ONE), frozenset({"1.97"})))
    assert paired(header, ONE, TWO) == ("series_1", ())


def test_two_rtstructs_of_one_ct(tmp_path):
    patient = SmallPatient(rois={"Liver": [SQUARE]})
    write_export(tmp_path, patient)
    write_rtstruct(tmp_path / "other.dcm", patient, change=lambda dataset: setattr(dataset, "SOPInstanceUID", "1.2.3.4"))
    (found,) = scan_export(tmp_path).patients
    assert [find_series(header, found).series.label for header in found.structure_sets] == ["series_1", "series_1"]


@pytest.fixture(scope="module")
def rt_utils_patients():
    folder = SHARED_DATA / "rtstruct_only" / "rt-utils"
    if not folder.is_dir():
        pytest.skip("rtstruct_only/rt-utils of the shared data is absent")
    return scan_export(folder).patients


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("empty_dummy_rt.dcm", CUT_OFF),
        ("mock_data_invalid_reference_rt.dcm", CUT_OFF),
        ("mock_data_rt.dcm", ""),
        ("mock_data_non_existent_reference_rt.dcm", "refers to no series; matched by its frame of reference"),
    ],
)
def test_rt_utils(rt_utils_patients, name, note):
    """Three name the series, two of them with images that are not there; their contours' own references do not count."""
    patient, header = _find(rt_utils_patients, name)
    pairing = find_series(header, patient)
    assert {"mock_data_ct_1.dcm", "mock_data_ct_2.dcm"} == {image.file.path.name for image in pairing.series.slices}
    assert [note] == [text.removeprefix(header.file.label).lstrip(": ") for text in pairing.notes or ("",)]


def test_rt_utils_with_another_frame_of_reference(rt_utils_patients):
    patient, header = _find(rt_utils_patients, "mock_data_rt.dcm")
    series = find_series(header, patient).series
    with pytest.raises(DicomError, match=f"^{header.file.label}: .* found another for its contours; .*--allow-frame-mismatch"):
        check_frames(read_structure_set(header), series, allow_mismatch=False)


def _find(patients, name):
    return next((one, header) for one in patients for header in one.structure_sets if header.file.path.name == name)


@pytest.mark.parametrize("name", ["lung1_002_xio", "ibsi1_lung_phantom/dicom"])
def test_real_exports(name):
    """LUNG1's contours refer to 784 images of which none exists; its series, images and frame at the top are right."""
    if not (SHARED_DATA / name).is_dir():
        pytest.skip(f"{name} of the shared data is absent")
    (patient,) = scan_export(SHARED_DATA / name).patients
    (header,) = patient.structure_sets
    pairing = find_series(header, patient)
    assert pairing.series is patient.series[0] and not pairing.notes
    assert header.image_uids == images_of(pairing.series)
    assert check_frames(read_structure_set(header), pairing.series, allow_mismatch=False) == ()
