"""The parts of ``make bench PART=predict``: the CT it makes, and that every way draws the same structures."""

import io

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from rich.console import Console

from experiments.bench import predict
from experiments.bench.predict_ct import choose_case, resample, write_series
from experiments.bench.predict_engines import PLAIN, open_engine
from experiments.bench.predict_worker import peak_resident_bytes
from experiments.bench.predict_worker import predict as predict_ct
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from src.data.preprocessing import array_XYZ
from src.data.structures import load_structures
from src.dicom.ct_pixels import read_ct
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.model.card import ModelCard, write_model
from src.model.network import build_network
from src.model.state import network_state
from tests.conftest import sphere_case

NETWORK = {
    "name": "UNet",
    "features": 4,
    "arguments": {"channels": [4, 8], "strides": [2], "num_res_units": 1, "norm": ["instance", {"affine": True}]},
}


@pytest.fixture(scope="module")
def ct() -> sitk.Image:
    return resample(sphere_case(0)[0], (48, 40, 24))


@pytest.fixture(scope="module")
def series(ct, tmp_path_factory):
    folder = tmp_path_factory.mktemp("series") / "ct"
    write_series(ct, folder)
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Random weights, with a bias that makes about half of all voxels belong to a structure."""
    torch.manual_seed(0)
    made = build_network(NETWORK, 2)
    torch.nn.init.zeros_(made.head.bias)
    card = ModelCard(
        anatomy="head_neck",
        structures=("Parotid_L", "Parotid_R"),
        preprocessing={"spacing_mm": [4.0, 4.0, 5.0], "window_hu": [-200, 300], "body_margin_mm": 8.0},
        patch_voxels=(16, 16, 8),
        network=NETWORK,
        structures_digest=load_structures().digest,
        trained_structures=("Parotid_L", "Parotid_R"),
        validation_dice={},
        code_version="test",
    )
    path = tmp_path_factory.mktemp("network") / "network.safetensors"
    write_model(path, card, network_state(made))
    return path


def test_resampling_keeps_field_of_view_and_hu(ct):
    original = sphere_case(0)[0]
    for axis in range(3):
        assert ct.GetSize()[axis] * ct.GetSpacing()[axis] == pytest.approx(
            original.GetSize()[axis] * original.GetSpacing()[axis]
        )
    back = sitk.Resample(ct, original, sitk.Transform(), sitk.sitkLinear, -1000)
    inner = (slice(6, -6), slice(6, -6), slice(3, -3))
    assert np.median(np.abs(array_XYZ(back)[inner].astype(float) - array_XYZ(original)[inner])) < 10


def test_the_series_is_read_back_as_it_was(ct, series):
    (patient,) = scan_export(series).patients
    read = read_ct(stack_slices(patient.series[0]))
    assert np.array_equal(array_XYZ(read), array_XYZ(ct))
    assert read.GetSpacing() == pytest.approx(ct.GetSpacing(), rel=1e-4)
    assert read.GetOrigin() == pytest.approx(ct.GetOrigin(), abs=1e-3)


def test_the_longest_ct_of_a_scanners_width_is_chosen(tmp_path):
    writer = DatasetWriter(tmp_path / "data", anatomy="head_neck", site="site_a")
    for number, (slices, pixel_mm) in enumerate([(20, 4.0), (30, 4.0), (60, 20.0)]):
        ct = sitk.Image((32, 32, slices), sitk.sitkInt16) - 1000
        ct[8:24, 8:24, :] = 40
        ct.SetSpacing((pixel_mm, pixel_mm, 5.0))
        mask = sitk.Image(ct.GetSize(), sitk.sitkUInt8)
        mask.CopyInformation(ct)
        mask[10:14, 10:14, 4:8] = 1
        writer.add_case(f"site_a_{number}", ct, {"Parotid_L": mask}, split="valid")
    assert choose_case(Dataset.open(tmp_path / "data")).name == "site_a_1"


def test_box_and_crop_draw_what_the_plain_way_draws(series, network, tmp_path):
    """The box changes no voxel; the crop changes where windows lie, so it is only asked to draw something."""
    paths, drawn = {"network": str(network)}, {}
    for name, box, crop in (("plain", False, False), ("box", True, False), ("crop", True, True)):
        job = {"paths": paths, "ct": str(series), "crop": crop, "box": box, "output": str(tmp_path / f"{name}.dcm")}
        seconds, fields = predict_ct(job, open_engine(PLAIN, paths, 0.25))
        assert list(seconds) == list(predict.STEPS) and min(seconds.values()) > 0
        assert (tmp_path / f"{name}.dcm").stat().st_size > 1000
        drawn[name] = {field.name: field.whole_mask_XYZ for field in fields}
    for structure, mask_XYZ in drawn["plain"].items():
        assert mask_XYZ.any() and (drawn["box"][structure] != mask_XYZ).mean() < 1e-4
        assert drawn["crop"][structure].any()


def test_peak_memory_is_the_greatest_there_was():
    held = np.ones(500_000_000, np.uint8)
    held_bytes = peak_resident_bytes()
    del held
    # The kernel counts by core and sums up now and then.
    assert held_bytes > 500_000_000 and peak_resident_bytes() > held_bytes - 10_000_000


def _measured(seconds: float, peak_bytes: int, mask: list[int]) -> predict.Measured:
    steps = {name: seconds / len(predict.STEPS) for name in predict.STEPS}
    masks = {"Parotid_L": np.packbits(np.array(mask, bool))}
    return predict.Measured(open_s=[1.0], seconds=[steps], peak_bytes=[peak_bytes], masks=masks)


def test_table_says_how_many_times_less():
    console = Console(file=io.StringIO(), width=200)
    plain, ours = _measured(20.0, 2_000_000_000, [1, 1, 0, 0]), _measured(4.0, 500_000_000, [1, 0, 0, 0])
    predict.print_chain(console, {"plain": plain, "ours": ours}, 3, "case_1")
    row = next(line for line in console.file.getvalue().splitlines() if "ours" in line)
    assert "5.00" in row and "4.00" in row and "0.6667" in row


def test_without_its_network_it_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "NETWORK", tmp_path / "none.safetensors")
    console = Console(file=io.StringIO(), width=200)
    predict.show(console)
    assert "experiments.bench.predict_network" in console.file.getvalue()
