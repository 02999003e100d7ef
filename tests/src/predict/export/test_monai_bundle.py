"""A bundle holds what MONAI asks for, code that needs nothing of ours beside it, and tells when it does not run."""

import json
import re

import pytest
import torch

from src.errors import ExportError
from src.model.network import build_network
from src.predict.export.model_facts import ExportedModel
from src.predict.export.monai_bundle import run_bundle, write_bundle
from tests.src.predict.export.small_model import CARD

# What the metadata schema of 2024-07-25 requires, at the top and of each input and output.
REQUIRED = {
    *("schema", "version", "monai_version", "pytorch_version", "numpy_version", "required_packages_version"),
    *("task", "description", "authors", "copyright", "network_data_format"),
}
REQUIRED_OF_TENSORS = {"type", "format", "num_channels", "spatial_shape", "dtype", "value_range"}


@pytest.fixture
def bundle(tmp_path):
    network = build_network(CARD.network, len(CARD.structures))
    write_bundle(tmp_path / "bundle", network, ExportedModel(card=CARD, sha256="0" * 64, overlap=0.5))
    return tmp_path / "bundle"


def test_metadata_have_what_the_schema_requires_and_name_every_channel(bundle):
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    assert set(metadata) >= REQUIRED
    formats = metadata["network_data_format"]
    for tensor in (formats["inputs"]["image"], formats["outputs"]["pred"]):
        assert set(tensor) >= REQUIRED_OF_TENSORS
        assert len(tensor["channel_def"]) == tensor["num_channels"]
    assert formats["outputs"]["pred"]["channel_def"]["1"] == "Parotid_R, not trained: do not use"
    assert metadata["eval_metrics"]["validation_dice"] == {"Parotid_L": 0.5}


def test_only_what_was_trained_is_drawn_with_the_settings_of_the_card(bundle):
    config = json.loads((bundle / "configs" / "inference.json").read_text())
    assert config["structures"] == {"0": "Parotid_L", "2": "Brainstem"}
    assert (config["predictor"]["patch_voxels"], config["predictor"]["overlap"]) == ([16, 16, 16], 0.5)
    assert config["preprocessing"]["spacing_mm"] == "$(4.0, 4.0, 4.0)"


def test_its_code_imports_nothing_that_it_does_not_bring(bundle):
    modules = {path.stem for path in (bundle / "scripts").iterdir()}
    code = "\n".join(path.read_text() for path in (bundle / "scripts").iterdir())
    assert set(re.findall(r"^from scripts\.(\w+) import", code, re.MULTILINE)) <= modules
    assert not re.search(r"^\s*(from|import) src\b", code, re.MULTILINE)


def test_its_network_takes_windows_and_gives_a_logit_per_structure(bundle):
    network = torch.jit.load(str(bundle / "models" / "model.ts"))
    assert network(torch.zeros(2, 1, 16, 16, 16)).shape == (2, 3, 16, 16, 16)


@pytest.mark.slow
def test_one_that_does_not_run_says_why(bundle, tmp_path):
    with pytest.raises(ExportError, match="CaseError"):
        run_bundle(bundle, tmp_path / "nothing.nii.gz", tmp_path / "masks")
