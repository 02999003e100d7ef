"""The whole command: CTs and saved models in, masks, RTSTRUCT and prediction.json out."""

import json
import shutil
import stat

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from src.data.preprocessing import GridGeometry, array_XYZ, to_working_grid
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.errors import DiskError
from src.model.saved_model import load_saved_model
from src.predict.__main__ import main
from tests.conftest import SHARED_DATA, SPHERE_STRUCTURES, sphere_case
from tests.small_export import SmallPatient, write_ct
from tests.src.predict.small_models import write_small_model
from tests.src.tiny_disk import fill, tiny_disk

SETTINGS = ("--precision", "float32")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_small_model(tmp_path_factory.mktemp("save") / "site_a" / "best.safetensors")


def predict(*arguments) -> int:
    """The exit code, also of a refusal."""
    try:
        return main([str(argument) for argument in (*arguments, *SETTINGS)])
    except SystemExit as ending:
        return ending.code


def expected_masks(model, image: sitk.Image) -> dict[str, np.ndarray]:
    """As validation and scoring predict."""
    saved = load_saved_model(model, overlap=0.25, precision="float32")
    grid = to_working_grid(image, saved.preprocessing)
    masks = saved.predictor.masks(array_XYZ(grid), GridGeometry.of(grid), GridGeometry.of(image), range(3))
    return {SPHERE_STRUCTURES[channel]: mask_XYZ for channel, mask_XYZ in masks}


def read_masks(folder) -> dict[str, np.ndarray]:
    return {path.name.split(".")[0]: array_XYZ(sitk.ReadImage(str(path))) for path in folder.glob("*.nii.gz")}


def folders(output) -> list:
    return sorted(path for path in output.iterdir() if not path.name.startswith("."))


def everything_written(output) -> bytes:
    """Names and contents, but of RTSTRUCTs, which are the patient's, and of what lies in the private folder."""
    paths = [path for path in output.rglob("*") if path.is_file()]
    contents = [path.read_bytes() for path in paths if path.suffix != ".dcm"]
    return b"\n".join([*contents, *(str(path.relative_to(output)).encode() for path in paths)])


def test_a_dataset_is_drawn_on_as_scoring_would_on_each_cts_own_grid(tmp_path, model, sphere_dataset, capsys):
    assert predict("--model", model, "--input", sphere_dataset.path, "--output", tmp_path / "out", "--only", "site_a_05") == 0
    (folder,) = folders(tmp_path / "out")
    assert {path.name for path in folder.iterdir()} == {*(f"{name}.nii.gz" for name in SPHERE_STRUCTURES), "prediction.json"}
    image = sphere_dataset.read_ct("site_a_05")
    expected = expected_masks(model, image)
    for name in SPHERE_STRUCTURES:
        mask = sitk.ReadImage(str(folder / f"{name}.nii.gz"))
        assert mask.GetPixelID() == sitk.sitkUInt8
        assert GridGeometry.of(mask) == GridGeometry.of(image)
        assert np.array_equal(array_XYZ(mask), expected[name])
    content = json.loads((folder / "prediction.json").read_text())
    voxel_cm3 = 4 * 4 * 5 / 1000
    assert content["volumes_cm3"] == {
        name: pytest.approx(mask_XYZ.sum() * voxel_cm3, abs=1e-3) for name, mask_XYZ in expected.items()
    }
    assert content["models"][0]["card"]["structures"] == SPHERE_STRUCTURES
    assert content["made_with"]["settings"] == {"overlap": 0.25, "precision": "float32", "formats": ["nifti"]}
    assert "Not a medical device" in content["notice"]
    assert any(mask_XYZ.any() for mask_XYZ in expected.values())
    printed = capsys.readouterr().out
    assert "site_a_05" in printed and "Parotid_L" in printed


def test_dicom_gives_the_masks_of_the_same_ct_in_a_dataset(tmp_path, model):
    ct, _ = sphere_case(3)
    patient = SmallPatient(
        size=ct.GetSize(), spacing_mm=ct.GetSpacing(), origin_mm=ct.GetOrigin(), hu_ZYX=sitk.GetArrayFromImage(ct)
    )
    write_ct(tmp_path / "export", patient)
    writer = DatasetWriter(tmp_path / "dataset", anatomy="head_neck", site="site_a")
    writer.add_case("same", ct, {})
    assert predict("--model", model, "--input", tmp_path / "export", "--output", tmp_path / "out") == 0
    assert predict("--model", model, "--input", tmp_path / "dataset", "--output", tmp_path / "from_dataset") == 0
    (folder,) = folders(tmp_path / "out")
    masks, expected = read_masks(folder), read_masks(tmp_path / "from_dataset" / "same")
    assert masks.keys() == expected.keys() == set(SPHERE_STRUCTURES)
    assert all(np.array_equal(masks[name], expected[name]) for name in masks)
    drawn = pydicom.dcmread(folder / "rtstruct.dcm")
    assert {roi.ROIName for roi in drawn.StructureSetROISequence} == {name for name in masks if masks[name].any()}
    assert drawn.PatientID == patient.identifiers["PatientID"]


def test_a_broken_patient_stops_no_other_and_nothing_names_anybody(tmp_path, model, capsys):
    good, broken = SmallPatient(number=1, size=(32, 32, 12)), SmallPatient(number=2, size=(32, 32, 12))
    write_ct(tmp_path / "export" / good.identifiers["PatientName"], good)
    write_ct(tmp_path / "export" / broken.identifiers["PatientName"], broken, slices=[0, 1, 2, 5, 6, 7, 8])
    output = tmp_path / "out"
    assert predict("--model", model, "--input", tmp_path / "export", "--output", output) == 1
    (folder,) = folders(output)
    assert {path.name for path in folder.iterdir()} >= {"rtstruct.dcm", "prediction.json"}
    printed = "".join(capsys.readouterr())
    private = tmp_path / "out_private"
    listing = (private / "pseudonyms.csv").read_text()
    (failed,) = (line.split(",")[0] for line in listing.splitlines() if broken.identifiers["PatientID"] in line)
    assert f"{failed} failed: series_1" in printed and folder.name in printed
    assert stat.S_IMODE((private / "pseudonyms.csv").stat().st_mode) == 0o600
    told = printed.encode() + everything_written(output)
    for patient in (good, broken):
        words = [word for value in patient.identifiers.values() for word in value.split("^")]
        for secret in (*words, patient.series_uid, patient.study_uid, patient.frame_uid):
            assert secret.encode() not in told
        assert patient.identifiers["PatientID"] in listing


def test_a_second_run_makes_what_is_missing_and_replaces_only_when_told(tmp_path, model, sphere_dataset, capsys):
    output = tmp_path / "out"
    run = ("--model", model, "--input", sphere_dataset.path, "--output", output, "--structures", "Brainstem", "--only")
    assert predict(*run, "site_a_00") == 0
    before = (output / "site_a_00" / "prediction.json").stat().st_mtime_ns
    assert predict(*run, "site_a_00", "site_a_01") == 0
    assert (output / "site_a_00" / "prediction.json").stat().st_mtime_ns == before
    assert (output / "site_a_01" / "Brainstem.nii.gz").is_file()
    assert "there already" in capsys.readouterr().out
    other = write_small_model(tmp_path / "other.safetensors", draw=7)
    run = ("--model", other, *run[2:])
    assert predict(*run, "site_a_00") == 1
    assert "--overwrite" in capsys.readouterr().out
    assert (output / "site_a_00" / "prediction.json").stat().st_mtime_ns == before
    assert predict(*run, "site_a_00", "--overwrite") == 0
    assert (output / "site_a_00" / "prediction.json").stat().st_mtime_ns > before
    assert {path.name for path in output.iterdir()} == {"site_a_00", "site_a_01"}


def test_of_several_ct_series_none_is_guessed(tmp_path, model, capsys):
    planning, other = SmallPatient(size=(32, 32, 12)), SmallPatient(size=(32, 32, 16))
    write_ct(tmp_path / "export" / "a", planning)

    def second(dataset) -> None:
        dataset.SeriesInstanceUID += ".9"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID + ".9"

    write_ct(tmp_path / "export" / "b", other, change=second)
    run = ("--model", model, "--input", tmp_path / "export", "--format", "nifti", "--output")
    assert predict(*run, tmp_path / "none") == 1
    said = capsys.readouterr().out
    assert "expected one CT series, found 2" in said and "12 slices of 32 × 32" in said and "--series all" in said
    assert predict(*run, tmp_path / "all", "--series", "all") == 0
    assert len(folders(tmp_path / "all")) == 2
    assert predict(*run, tmp_path / "one", "--series", "series_1") == 0
    (folder,) = folders(tmp_path / "one")
    assert "another CT of this patient" in (folder / "prediction.json").read_text()
    assert predict(*run, tmp_path / "absent", "--series", "series_3") == 1


def test_a_nifti_files_name_is_told_to_nobody(tmp_path, model, capsys):
    image, _ = sphere_case(5)
    folder = tmp_path / "cts"
    folder.mkdir()
    sitk.WriteImage(image, str(folder / "Zwiebelfisch_Hannelore.nii.gz"))
    (folder / "Quacksalber.nii").write_bytes(b"no CT")
    assert predict("--model", model, "--input", folder, "--output", tmp_path / "out") == 1
    told = "".join(capsys.readouterr()).encode() + everything_written(tmp_path / "out")
    assert b"Zwiebelfisch" not in told and b"Quacksalber" not in told
    assert "Zwiebelfisch" in (tmp_path / "out_private" / "pseudonyms.csv").read_text()
    (written,) = folders(tmp_path / "out")
    expected = expected_masks(model, image)
    assert all(np.array_equal(mask_XYZ, expected[name]) for name, mask_XYZ in read_masks(written).items())


def test_several_models_are_averaged_and_one_is_itself(tmp_path, model, sphere_dataset):
    other = write_small_model(tmp_path / "other.safetensors", draw=5)
    run = ("--input", sphere_dataset.path, "--only", "site_a_00", "--output")
    assert predict("--model", model, other, *run, tmp_path / "both") == 0
    assert predict("--model", other, "--model", model, *run, tmp_path / "turned") == 0
    both, turned = (read_masks(tmp_path / name / "site_a_00") for name in ("both", "turned"))
    assert all(np.array_equal(both[name], turned[name]) for name in SPHERE_STRUCTURES)
    content = json.loads((tmp_path / "both/site_a_00/prediction.json").read_text())
    assert len(content["models"]) == 2 and len(content["made_with"]["drawn_by"]["Brainstem"]) == 2
    assert "mean of the probabilities of 2 models" in content["chosen_because"]["Brainstem"]


def test_a_ct_without_hu_is_refused_and_leaves_nothing(tmp_path, model, capsys):
    ct, _ = sphere_case(4)
    lost = SmallPatient(size=ct.GetSize(), spacing_mm=ct.GetSpacing(), hu_ZYX=sitk.GetArrayFromImage(ct) + 1024)
    write_ct(tmp_path / "export", lost)
    assert predict("--model", model, "--input", tmp_path / "export", "--output", tmp_path / "out") == 1
    assert "1024 too high" in capsys.readouterr().out
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def test_a_dataset_of_another_anatomy_is_refused(tmp_path, sphere_dataset, capsys):
    liver = write_small_model(tmp_path / "liver.safetensors", anatomy="liver")
    assert predict("--model", liver, "--input", sphere_dataset.path, "--output", tmp_path / "out") == 1
    assert "expected a dataset of liver" in capsys.readouterr().err


def test_a_model_that_finds_nothing_says_so(tmp_path, sphere_dataset):
    nothing = write_small_model(tmp_path / "nothing.safetensors", bias=-100.0)
    assert predict("--model", nothing, "--input", sphere_dataset.path, "--only", "site_a_00", "--output", tmp_path / "out") == 0
    content = json.loads((tmp_path / "out/site_a_00/prediction.json").read_text())
    assert set(content["volumes_cm3"].values()) == {0.0}
    assert "Brainstem was not found: is it in the CT?" in content["warnings"]
    assert not any(mask_XYZ.any() for mask_XYZ in read_masks(tmp_path / "out/site_a_00").values())


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--model", "{model}", "--input", "{data}/no_such"), "found nothing there"),
        (("--model", "{folder}", "--input", "{data}"), "give one of best.safetensors"),
        (("--input", "{data}"), "either --model or --advice"),
        (("--model", "{model}", "--input", "{data}", "--overlap", "1"), "--overlap"),
        (("--model", "{model}", "--input", "{data}", "--format", "stl"), "found 'stl'"),
        (("--model", "{model}", "--input", "{data}", "--format", "rtstruct"), "a DICOM export"),
        (("--model", "{model}", "--input", "{data}", "--only", "nobody"), "found 'nobody'"),
        (("--model", "{model}", "--input", "{data}", "--series", "all"), "--series"),
        (("--model", "{model}", "--input", "{data}", "--structures", "Liver"), "found 'Liver'"),
        (("--model", "{model}", "--input", "{data}", "--advice", "r.json"), "found both"),
        (("--advice", "r.json", "--input", "{data}"), "together"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    tmp_path, model, sphere_dataset: Dataset, capsys, arguments, what
):
    places = {"model": model, "folder": model.parent, "data": sphere_dataset.path}
    given = [argument.format(**places) for argument in arguments]
    assert predict(*given, "--output", tmp_path / "out") == 1
    assert what in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_full_disk_ends_the_run_and_leaves_no_half_folder(tmp_path, model, sphere_dataset, capsys):
    with tiny_disk(tmp_path / "disk") as disk:
        run = ("--model", model, "--input", sphere_dataset.path, "--output", disk / "out", "--only")
        assert predict(*run, "site_a_00") == 0
        ballast = fill(disk, leave_bytes=3000)
        assert predict(*run, "site_a_01") == DiskError.exit_code
        assert "make room" in capsys.readouterr().err
        assert [path.name for path in (disk / "out").iterdir()] == ["site_a_00"]
        ballast.unlink()
        assert predict(*run, "site_a_01") == 0


@pytest.mark.slow
def test_a_real_export_is_drawn_on(tmp_path):
    source = SHARED_DATA / "lung1_002_xio"
    if not source.is_dir():
        pytest.skip("the public files are not here")
    (patient,) = scan_export(source).patients
    (tmp_path / "export").mkdir()
    for number, image in enumerate(stack_slices(patient.series[0]).slices[40:52]):  # an untrained network draws noise, slowly
        shutil.copy(image.file.path, tmp_path / "export" / f"image_{number}")
    half = write_small_model(tmp_path / "half.safetensors", bias=0.0)
    given = ("--structures", "Brainstem", "--output", tmp_path / "out")
    assert predict("--model", half, "--input", tmp_path / "export", *given) == 0
    (written,) = folders(tmp_path / "out")
    content = json.loads((written / "prediction.json").read_text())
    assert content["size"] == [512, 512, 12]
    assert read_masks(written)["Brainstem"].shape == (512, 512, 12)
    assert content["volumes_cm3"]["Brainstem"] > 0
    drawn = pydicom.dcmread(written / "rtstruct.dcm")
    assert [roi.ROIName for roi in drawn.StructureSetROISequence] == ["Brainstem"]
