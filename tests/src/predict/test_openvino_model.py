"""An OpenVINO model says what its PyTorch network says, and its folder is whole, checked and quiet."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from src.errors import DiskError, ModelCardError
from src.model.card import ModelCard
from src.model.inference import Predictor
from src.model.network import build_network
from src.predict.openvino_model import CARD_FILE, convert, is_optimised, read_optimised, write_optimised
from tests.conftest import REPOSITORY

pytest.importorskip("openvino", reason="the extra 'fast' is not installed")

PATCH = (16, 16, 8)
NETWORK = {
    "name": "UNet",
    "features": 4,
    "arguments": {"channels": [4, 8], "strides": [2], "num_res_units": 1, "norm": ["instance", {"affine": True}]},
}


def card() -> ModelCard:
    return ModelCard(
        anatomy="head_neck",
        structures=("Parotid_L", "Parotid_R"),
        preprocessing={"spacing_mm": [4.0, 4.0, 5.0], "window_hu": [-200, 300], "body_margin_mm": 12.0},
        patch_voxels=PATCH,
        network=NETWORK,
        structures_digest="0" * 64,
        trained_structures=("Parotid_L", "Parotid_R"),
        validation_dice={"Parotid_L": 0.8, "Parotid_R": None},
        code_version="test",
    )


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build_network(NETWORK, 2).eval()


@pytest.fixture(scope="module")
def model(network):
    network.train()
    converted = convert(network, PATCH)
    assert network.training, "converting must leave the network as it was"
    network.eval()
    return converted


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("optimised") / "model"
    write_optimised(path, model, card(), source={"sha256": "1" * 64})
    return path


def _hu(size=(30, 20, 9)) -> np.ndarray:
    return np.random.default_rng(1).integers(-1000, 1000, size).astype(np.int16)


def _predictor(network) -> Predictor:
    return Predictor(
        network,
        patch_voxels=PATCH,
        window_hu=(-200, 300),
        overlap=0.25,
        precision=torch.float32,
        device=torch.device("cpu"),
    )


@pytest.mark.parametrize("size", [(30, 20, 9), (16, 16, 8), (5, 40, 3)])
def test_logits_are_those_of_pytorch(network, folder, size):
    engine = read_optimised(folder, overlap=0.25, precision="float32").engine
    np.testing.assert_allclose(engine.logits(_hu(size)), _predictor(network).logits(_hu(size)), atol=2e-3)


def test_logits_are_the_same_each_time(folder):
    engine = read_optimised(folder, overlap=0.25).engine
    assert np.array_equal(engine.logits(_hu()), engine.logits(_hu()))


def test_card_and_source_come_back(folder):
    read = read_optimised(folder, overlap=0.25)
    assert read.card == card()
    assert read.source == {"sha256": "1" * 64}
    assert read.sha256 == read_optimised(folder, overlap=0.0).sha256
    assert is_optimised(folder)
    assert not is_optimised(folder.parent)


def _copy(folder: Path, path: Path) -> Path:
    path.mkdir()
    for file in folder.iterdir():
        (path / file.name).write_bytes(file.read_bytes())
    return path


@pytest.mark.parametrize("name", ["model.xml", "model.bin"])
def test_a_changed_file_is_refused(folder, tmp_path, name):
    changed = _copy(folder, tmp_path / "changed")
    content = bytearray((changed / name).read_bytes())
    content[len(content) // 2] ^= 1
    (changed / name).write_bytes(content)
    with pytest.raises(ModelCardError, match=name):
        read_optimised(changed, overlap=0.25)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.unlink(), "found no card.json"),
        (lambda path: path.write_text("{"), "found no card.json"),
        (lambda path: path.write_text("[]"), "format_version"),
        (lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 2})), "format_version"),
        (lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), "sha256": {}})), "sha256"),
    ],
)
def test_a_damaged_card_is_refused(folder, tmp_path, change, said):
    damaged = _copy(folder, tmp_path / "damaged")
    change(damaged / CARD_FILE)
    with pytest.raises(ModelCardError, match=said):
        read_optimised(damaged, overlap=0.25)


def test_what_is_there_is_not_overwritten(model, folder):
    before = (folder / CARD_FILE).read_bytes()
    with pytest.raises(DiskError, match="not to be there yet"):
        write_optimised(folder, model, card(), source={})
    assert (folder / CARD_FILE).read_bytes() == before


def test_a_folder_that_cannot_be_written_leaves_nothing(model, tmp_path):
    with pytest.raises(TypeError):
        write_optimised(tmp_path / "model", model, card(), source={"not": {"json"}})
    assert list(tmp_path.iterdir()) == []


def _python(code: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_ct_is_predicted_without_pytorch_and_without_a_call_to_anybody(folder):
    """In a process of its own: neither library is loaded, and no host is looked up."""
    done = _python(
        """
import sys, socket
from pathlib import Path
calls, outward = [], {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"}
sys.addaudithook(lambda event, given: calls.append(event) if event in outward else None)
import numpy as np
import src.predict.command
from src.predict.open_model import open_model
model = open_model(Path(sys.argv[1]), overlap=0.25, precision="float32")
assert model.computes == "OpenVINO f32 on cpu" and model.preprocessing.window_hu == (-200, 300), model
assert model.engine.logits(np.zeros((16, 16, 8), np.int16)).shape == (2, 16, 16, 8)
print(sorted({"torch", "monai", "openvino_telemetry.main"} & set(sys.modules)), calls)
""",
        str(folder),
    )
    assert done.stdout.strip() == "[] []", done.stderr


def test_without_openvino_it_says_what_to_install(folder):
    done = _python(
        """
import sys
sys.modules["openvino"] = None
from pathlib import Path
from src.predict.openvino_model import read_optimised
from src.errors import LibraryMissing
try:
    read_optimised(Path(sys.argv[1]), overlap=0.25)
except LibraryMissing as error:
    print(error)
""",
        str(folder),
    )
    assert "openfl-oar[fast]" in done.stdout, done.stderr
