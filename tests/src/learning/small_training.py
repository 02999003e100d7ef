"""A tiny network and its training on the sphere dataset, for tests of what learns with it."""

from pathlib import Path

import torch

from src.dataloader import HeadNeckCTLoader
from src.learning.optimisation import Optimisation
from src.learning.training import LocalTraining
from src.model.network import SegmentationNetwork, build_network
from src.model.state import network_state, state_digest
from tests.conftest import write_sphere_dataset

NUM_STRUCTURES = 3


def small_network(seed: int, dropout: float = 0.0) -> SegmentationNetwork:
    """A UNet of two levels for the three structures of the sphere dataset."""
    arguments = {"channels": [8, 16], "strides": [2], "num_res_units": 1, "norm": ["instance", {"affine": True}]}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_network({"name": "UNet", "features": 8, "arguments": {**arguments, "dropout": dropout}}, NUM_STRUCTURES)


def small_training(
    loader: HeadNeckCTLoader, seed: int = 0, *, dropout: float = 0.0, steps_per_round: int = 4, schedule_rounds: int = 3
) -> LocalTraining:
    """Training of a ``small_network``, in float32."""
    return LocalTraining(
        small_network(seed, dropout),
        loader,
        optimisation=Optimisation(learning_rate=0.01, weight_decay=0.1, warm_up_steps=2, decay_power=0.9, clip_norm=5.0),
        steps_per_round=steps_per_round,
        schedule_rounds=schedule_rounds,
        precision=torch.float32,
        device=torch.device("cpu"),
        proximal_mu=0.0,
        random_seed=0,
    )


def sphere_loader(folder: Path, loader_settings: dict, structures: tuple[str, ...]) -> HeadNeckCTLoader:
    """A loader of a site that contours only ``structures`` of the three."""
    dataset = write_sphere_dataset(folder, structures=structures)
    return HeadNeckCTLoader(dataset.path, **loader_settings)


def digest(network: torch.nn.Module) -> str:
    """Of all weights, bit for bit."""
    return state_digest(network_state(network))
