"""Exports draw what the saved model draws, say what they are, and are there verified or not at all."""

import json
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
import torch

import src.predict.export.every_format as every_format
from src.data.preprocessing import GridGeometry, array_XYZ, to_working_grid
from src.errors import ExportError, ModelCardError, PlanSettingError
from src.model.saved_model import load_saved_model
from src.predict.export.command import main
from src.predict.export.licence import write_licence
from src.predict.export.torchscript import read_torchscript
from tests.conftest import REPOSITORY, sphere_case
from tests.src.predict.export.small_model import CARD, write_small_model

STRUCTURES = {0: "Parotid_L", 2: "Brainstem"}


@pytest.fixture
def model(tmp_path):
    return write_small_model(tmp_path / "best.safetensors")


@pytest.fixture
def ct_path(tmp_path):
    """Its name is a patient's."""
    path = tmp_path / "doe^jane.nii.gz"
    sitk.WriteImage(sphere_case(1)[0], str(path))
    return path


def export(model, output, *options) -> int:
    return main(["--model", str(model), "--output", str(output), *map(str, options)])


def masks_of_saved(model, ct_path) -> dict[str, np.ndarray]:
    """As validation draws them: straight from the predictor, on the CT's own grid."""
    saved, ct = load_saved_model(model, overlap=0.25, precision="float32"), sitk.ReadImage(str(ct_path))
    working = to_working_grid(ct, saved.preprocessing)
    drawn = saved.predictor.masks(array_XYZ(working), GridGeometry.of(working), GridGeometry.of(ct), list(STRUCTURES))
    return {STRUCTURES[channel]: mask for channel, mask in drawn}


def test_torchscript_is_the_network_and_says_what_it_is(tmp_path, model, ct_path, capsys):
    output = tmp_path / "out"
    assert export(model, output, "--format", "torchscript", "--verify-on", ct_path, "--data-licence", "CC BY 4.0") == 0
    assert {path.name for path in (output / "torchscript").iterdir()} == {"model.ts", "model.json", "LICENSE"}
    assert (output / "torchscript" / "LICENSE").read_text() == (REPOSITORY / "LICENSE").read_text()
    facts = json.loads((output / "torchscript" / "model.json").read_text())
    assert facts["card"] == CARD.to_json() and facts["data_licence"] == "CC BY 4.0"
    assert [row["trained"] for row in facts["channels"]] == [True, False, True]
    windows = torch.rand(3, 1, 16, 16, 16) * 2 - 1
    network = load_saved_model(model, overlap=0, precision="float32").predictor.network.cpu().eval()
    with torch.no_grad():
        assert torch.equal(read_torchscript(output / "torchscript" / "model.ts")(windows), network(windows))
    report = json.loads((output / "export.json").read_text())
    found = report["agreement"]["torchscript"]
    expected = masks_of_saved(model, ct_path)
    assert {name: row["voxels"] for name, row in found.items()} == {name: mask.sum() for name, mask in expected.items()}
    assert all(row["differing_voxels"] == 0 for row in found.values()) and any(mask.any() for mask in expected.values())
    told = capsys.readouterr().out + (output / "export.json").read_text() + json.dumps(facts)
    assert "doe" not in told


def test_openvino_draws_the_same_to_a_thousandth(tmp_path, model):
    pytest.importorskip("openvino")
    output = tmp_path / "out"
    assert export(model, output, "--format", "openvino") == 0
    assert {"model.xml", "model.bin", "card.json", "model.json", "LICENSE"} == {p.name for p in (output / "openvino").iterdir()}
    found = json.loads((output / "export.json").read_text())["agreement"]["openvino"]
    assert all(row["dice"] > 0.999 for row in found.values()) and any(row["voxels"] > 100 for row in found.values())


@pytest.mark.slow
def test_monai_runs_the_bundle_and_draws_the_same(tmp_path, model, ct_path):
    pytest.importorskip("fire", reason="the command line of monai.bundle needs fire")
    output = tmp_path / "out"
    assert export(model, output, "--format", "monai_bundle", "--verify-on", ct_path) == 0
    bundle = output / "monai_bundle"
    told = (bundle / "docs" / "data_license.txt").read_text()
    assert "must find it out" in told and (bundle / "LICENSE").is_file()
    assert json.loads((bundle / "docs" / "card.json").read_text())["card"] == CARD.to_json()
    configs = ["--config_file", "configs/inference.json", "--meta_file", "configs/metadata.json"]
    call = [sys.executable, "-m", "monai.bundle"]
    subprocess.run(
        [*call, "run", *configs, "--ct", ct_path, "--output_dir", tmp_path / "masks"], cwd=bundle, check=True, timeout=900
    )
    found = {path.name: array_XYZ(sitk.ReadImage(str(path))) for path in (tmp_path / "masks").iterdir()}
    expected = masks_of_saved(model, ct_path)
    assert set(found) == {f"{name}.nii.gz" for name in expected}
    assert all(np.array_equal(found[f"{name}.nii.gz"], mask) for name, mask in expected.items())
    subprocess.run(
        [*call, "verify_net_in_out", "network_def", *configs, "--device", "cpu"], cwd=bundle, check=True, timeout=900
    )


def test_without_a_ct_it_is_verified_on_a_made_up_one(tmp_path, model, capsys):
    assert export(model, tmp_path / "out", "--format", "torchscript") == 0
    assert "made-up" in capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "export.json").read_text())["agreement"]["torchscript"]
    assert any(row["voxels"] for row in found.values())


def test_what_draws_otherwise_is_not_left(tmp_path, model, ct_path, monkeypatch):
    other = load_saved_model(write_small_model(tmp_path / "other.safetensors", bias=0.5), overlap=0, precision="float32")
    written = every_format.write_torchscript

    def write_other(path, network, patch_voxels):
        written(path, other.predictor.network.cpu(), patch_voxels)

    monkeypatch.setattr(every_format, "write_torchscript", write_other)
    with pytest.raises(ExportError, match="as the saved model does"):
        export(model, tmp_path / "out", "--format", "torchscript", "--verify-on", ct_path)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


def test_a_ct_that_shows_nothing_verifies_nothing(tmp_path, ct_path):
    blind = write_small_model(tmp_path / "blind.safetensors", bias=-50)
    with pytest.raises(ExportError, match="found none at all"):
        export(blind, tmp_path / "out", "--verify-on", ct_path)
    assert not (tmp_path / "out").exists()


def test_mistakes_are_refused_and_leave_what_is_there(tmp_path, model):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(ExportError, match="not to be there"):
        export(model, tmp_path / "out", "--format", "torchscript")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
    with pytest.raises(PlanSettingError, match="found 'onnx'"):
        export(model, tmp_path / "new", "--format", "torchscript,onnx")
    with pytest.raises(PlanSettingError, match="--overlap"):
        export(model, tmp_path / "new", "--overlap", "1")
    with pytest.raises(ModelCardError, match="missing"):
        export(tmp_path / "missing.safetensors", tmp_path / "new")


def test_the_licence_is_the_projects(tmp_path):
    write_licence(tmp_path)
    assert (tmp_path / "LICENSE").read_bytes() == (REPOSITORY / "LICENSE").read_bytes()
