"""What many tests share: a small dataset of spheres, and the settings of a loader and a task runner that fit it."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
# Tiny networks gain nothing from a second thread, and two test processes on two cores lose a lot by it.
torch.set_num_threads(1)

SPHERE_STRUCTURES = ["Parotid_L", "Parotid_R", "Brainstem"]
# Centres in voxels of the LPS grid below: the patient's left is at high x.
_CENTRES = {"Parotid_L": (24, 16, 10), "Parotid_R": (8, 16, 10), "Brainstem": (16, 20, 14)}


def sphere_case(seed: int, structures=tuple(SPHERE_STRUCTURES)) -> tuple[sitk.Image, dict[str, sitk.Image]]:
    """A CT of 32×32×20 voxels at 4×4×5 mm (LPS) with a bright sphere per structure, and their masks."""
    generator = np.random.default_rng(seed)
    hu_ZYX = np.full((20, 32, 32), -1000, dtype=np.int16)
    hu_ZYX[:, 2:30, 2:30] = generator.normal(0, 10, (20, 28, 28)).astype(np.int16)
    z, y, x = np.ogrid[:20, :32, :32]
    masks = {}
    for number, (name, centre) in enumerate(_CENTRES.items()):
        shifted = np.array(centre) + generator.integers(-1, 2, 3)
        inside = (x - shifted[0]) ** 2 + (y - shifted[1]) ** 2 + (1.25 * (z - shifted[2])) ** 2 < 14
        hu_ZYX[inside] = 60 + 50 * number
        if name in structures:
            masks[name] = _image(inside.astype(np.uint8))
    return _image(hu_ZYX), masks


def _image(array_ZYX: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array_ZYX)
    image.SetSpacing((4.0, 4.0, 5.0))
    image.SetOrigin((-62.0, -62.0, 30.0))
    return image


def write_sphere_dataset(path: Path, *, site: str = "site_a", structures=tuple(SPHERE_STRUCTURES), cases: int = 6) -> Dataset:
    """A dataset of sphere cases: the last but one for validation, the last for test."""
    writer = DatasetWriter(path, anatomy="head_neck", site=site)
    splits = ["train"] * (cases - 2) + ["valid", "test"]
    for number, split in enumerate(splits):
        ct, masks = sphere_case(1000 + number, structures)
        writer.add_case(f"{site}_{number:02d}", ct, masks, split=split)
    return Dataset.open(path)


@pytest.fixture(scope="session")
def sphere_dataset(tmp_path_factory) -> Dataset:
    """Six cases of one site, all structures contoured; read only."""
    return write_sphere_dataset(tmp_path_factory.mktemp("spheres") / "site_a")


@pytest.fixture
def loader_settings(tmp_path) -> dict:
    """Settings of a ``HeadNeckCTLoader`` for the sphere dataset."""
    return {
        "structures": list(SPHERE_STRUCTURES),
        "spacing_mm": [4.0, 4.0, 5.0],
        "window_hu": [-200, 300],
        "body_margin_mm": 4,
        "patch_voxels": [16, 16, 16],
        "batch_size": 2,
        "background_share": 0.2,
        "augmentation": {},
        "cache_path": str(tmp_path / "cache"),
        "num_workers": 0,
        "random_seed": 0,
    }


@pytest.fixture
def runner_settings(tmp_path) -> dict:
    """Settings of a ``SegmentationTaskRunner`` small enough to train in seconds."""
    return {
        "network": {
            "name": "UNet",
            "features": 4,
            "arguments": {"channels": [4, 8], "strides": [2], "num_res_units": 1, "norm": ["instance", {"affine": True}]},
        },
        "optimisation": {
            "learning_rate": 0.01,
            "weight_decay": 0.1,
            "warm_up_steps": 2,
            "decay_power": 0.9,
            "clip_norm": 5.0,
        },
        "steps_per_round": 4,
        "schedule_rounds": 3,
        "precision": "float32",
        "overlap": 0.25,
        "proximal_mu": 0.0,
        "random_seed": 0,
        "save_path": str(tmp_path / "save"),
        "log_path": str(tmp_path / "logs"),
    }
