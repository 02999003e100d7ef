"""A liver model on real CTs: pictures of a sphere by an untrained network, and the real contours where they are."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from PIL import Image

from experiments.liver_picture import LIVERS, NO_CLAIM, RealLiver, picture_livers
from src.data.structures import load_structures
from src.errors import DatasetError, ModelCardError
from src.model.card import ModelCard, write_model
from src.model.network import build_network
from src.model.state import network_state
from tests.conftest import SHARED_DATA, sphere_case
from tests.experiments.scoring.runs import NETWORK


def write_liver_model(path: Path, *, anatomy="liver", trained=("Liver",), bias: float = 0.0) -> Path:
    """Nobody trained it; a bias of -100 draws nothing, one of 100 everything."""
    torch.manual_seed(0)
    network = build_network(NETWORK, 2)
    torch.nn.init.constant_(network.head.bias, bias)
    card = ModelCard(
        anatomy=anatomy,
        structures=("Spleen", "Liver"),
        preprocessing={"spacing_mm": [4.0, 4.0, 5.0], "window_hu": [-160, 240], "body_margin_mm": 4},
        patch_voxels=(32, 32, 16),
        network=NETWORK,
        structures_digest=load_structures().digest,
        trained_structures=trained,
        site="site_a",
        round=2,
        validation_dice={},
        code_version="test",
    )
    write_model(path, card, network_state(network))
    return path


def sphere(_: Path) -> tuple[sitk.Image, sitk.Image]:
    ct, masks = sphere_case(0, ("Brainstem",))
    return ct, masks["Brainstem"]


@pytest.fixture
def data(tmp_path) -> Path:
    (tmp_path / "data" / "one").mkdir(parents=True)
    return tmp_path / "data"


HERE = RealLiver(name="sphere", folder="one", contour="drawn", source="A sphere", read=sphere)
AWAY = RealLiver(name="away", folder="two", contour="drawn", source="Not here", read=sphere)


@pytest.mark.parametrize(("bias", "has_prediction"), [(-100.0, False), (100.0, True)])
def test_what_is_there_becomes_a_picture_with_a_caption_that_claims_nothing(tmp_path, data, bias, has_prediction):
    model = write_liver_model(tmp_path / "model.safetensors", bias=bias)
    (picture,) = picture_livers(model, tmp_path / "out", data, [HERE, AWAY])
    image = np.asarray(Image.open(BytesIO(picture.path.read_bytes())).convert("RGB")).astype(int)
    assert picture.path == tmp_path / "out" / "sphere.png" and image.shape[1] > 800
    _, mask = sphere(data)
    drawn_cm3 = sitk.GetArrayViewFromImage(mask).sum() * np.prod(mask.GetSpacing()) / 1000
    assert NO_CLAIM in picture.caption and f"Contour {drawn_cm3:.0f} cm³" in picture.caption
    assert ("predicted 0 cm³" in picture.caption) is not has_prediction
    assert (0 < picture.dice < 1) if has_prediction else picture.dice == 0
    assert picture.caption in (tmp_path / "out" / "captions.md").read_text(encoding="utf-8")
    assert str(tmp_path) not in picture.caption


def test_a_model_without_a_liver_or_of_another_anatomy_is_refused(tmp_path, data):
    for changes, said in (({"trained": ("Spleen",)}, "trained for Liver"), ({"anatomy": "head_neck"}, "made for head_neck")):
        with pytest.raises(ModelCardError, match=said):
            picture_livers(write_liver_model(tmp_path / "model.safetensors", **changes), tmp_path / "out", data, [HERE])
    assert not (tmp_path / "out").exists()


def test_without_any_real_ct_it_says_what_it_looked_for(tmp_path, data):
    with pytest.raises(DatasetError, match=r"real CTs \(two\) in 'data'"):
        picture_livers(write_liver_model(tmp_path / "model.safetensors"), tmp_path / "out", data, [AWAY])


@pytest.mark.parametrize("liver", LIVERS, ids=lambda liver: liver.name)
def test_a_real_contour_lies_on_tissue_of_a_liver(liver):
    """Turned or shifted it would hold air, fat and bone; a liver has 40 to 160 HU, with contrast more than without."""
    folder = SHARED_DATA / liver.folder
    if not folder.is_dir():
        pytest.skip(f"../shared/data/{liver.folder} is not here")
    ct, mask = liver.read(folder)
    hu = sitk.GetArrayViewFromImage(ct)[sitk.GetArrayViewFromImage(mask) > 0]
    assert 40 < hu.mean() < 160 and hu.std() < 40
    assert 800 < hu.size * np.prod(ct.GetSpacing()) / 1000 < 2500
