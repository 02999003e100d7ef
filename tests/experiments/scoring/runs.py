"""Training runs as the scoring finds them: real files with networks of a few hundred weights that nobody trained."""

import json
from pathlib import Path

import torch
import yaml

from src.data.structures import load_structures
from src.model.card import ModelCard, write_model
from src.model.network import build_network
from src.model.state import network_state
from tests.conftest import SPHERE_STRUCTURES, write_sphere_dataset

SITES = ("site_a", "site_b")
NETWORK = {
    "name": "UNet",
    "features": 2,
    "arguments": {"channels": [2, 4], "strides": [2], "num_res_units": 1, "norm": ["instance", {"affine": True}]},
}


def make_data(root: Path) -> Path:
    """Two sites with one patient in each of valid and test; the second never contours the brainstem."""
    write_sphere_dataset(root / "site_a", cases=3)
    write_sphere_dataset(root / "site_b", site="site_b", structures=("Parotid_L", "Parotid_R"), cases=3)
    return root


def write_tiny_model(path: Path, *, draw: int, trained=tuple(SPHERE_STRUCTURES), bias: float = 0.0, digest: str = "") -> None:
    """A model whose weights come from the number ``draw``; a bias of -100 draws nothing."""
    torch.manual_seed(draw)
    network = build_network(NETWORK, len(SPHERE_STRUCTURES))
    torch.nn.init.constant_(network.head.bias, bias)
    card = ModelCard(
        anatomy="head_neck",
        structures=tuple(SPHERE_STRUCTURES),
        preprocessing={"spacing_mm": [4.0, 4.0, 5.0], "window_hu": [-200, 300], "body_margin_mm": 4},
        patch_voxels=(32, 32, 16),
        network=NETWORK,
        structures_digest=digest or load_structures().digest,
        trained_structures=trained,
        validation_dice={},
        code_version="test",
    )
    write_model(path, card, network_state(network))


def tiny_plan(seed: int = 0) -> dict:
    """Of a plan, what scoring and registration read."""
    return {
        "collaborator": {"settings": {"exchange": {"schedule": "ring", "seed": seed}}},
        "data_loader": {"settings": {"random_seed": seed, "batch_size": 2}},
        "task_runner": {"settings": {"random_seed": seed, "overlap": 0.25, "precision": "float32"}},
        "network": {"settings": {"agg_addr": "localhost", "agg_port": 50000 + seed}},
    }


def write_run(run: Path, models: list[dict], *, seed: int = 0, plan: dict | None = None, sites=SITES) -> Path:
    """The folder of a finished run whose models are already there."""
    (run / "config").mkdir(parents=True, exist_ok=True)
    (run / "config" / "plan.yaml").write_text(yaml.safe_dump(plan or tiny_plan(seed)))
    (run / "config" / "run.json").write_text(json.dumps({"sites": {site: {} for site in sites}}))
    (run / "models.json").write_text(json.dumps(models))
    (run / "done.json").write_text(json.dumps({"seconds": 1.0, "git_commit": None}))
    return run


def entry(arm: str, site: str | None, which: str = "last", path: str | None = None) -> dict:
    """A row of ``models.json``."""
    return {"arm": arm, "model_site": site, "which": which, "path": path or f"save/{site}/{which}.safetensors"}


def individual_run(run: Path, seed: int = 0, which=("last", "best"), **changes) -> Path:
    """Each site's models, all with other weights."""
    models = [entry("individual", site, one) for site in SITES for one in which]
    for number, model in enumerate(models):
        write_tiny_model(run / model["path"], draw=10 * seed + number)
    return write_run(run, models, seed=seed, **changes)


def write_study(folder: Path, schemes=("individual",), **content) -> Path:
    """A study folder without runs."""
    folder.mkdir(parents=True, exist_ok=True)
    study = {"hypothesis": {"text": "t", "scheme": "individual"}, "comparisons": [], "local_finish_rounds": 2, **content}
    (folder / "study.yaml").write_text(yaml.safe_dump({**study, "schemes": {name: {"plan": name} for name in schemes}}))
    return folder
