"""Small sites with real networks that learn from each other, for tests of the learner and its parts."""

from pathlib import Path

import numpy as np
import torch

from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from src.dataloader import HeadNeckCTLoader
from src.exchange.learner import PeerModel, Standing
from src.exchange.manifest import Manifest
from src.learning.peer_learner import PeerLearner
from src.learning.peer_settings import CompletionSettings, LearningSettings
from src.model.state import load_network_state, network_state, state_digest
from src.task_runner import SegmentationTaskRunner
from tests.conftest import SPHERE_STRUCTURES, sphere_case

ALL = tuple(SPHERE_STRUCTURES)
PAROTIDS = ALL[:2]
BRAINSTEM = 2
Tensors = dict[str, np.ndarray]

_UNET = {"channels": [4, 8], "strides": [2], "num_res_units": 1, "norm": ["instance", {"affine": True}]}


def learning_settings(**changes) -> LearningSettings:
    """Plain averaging, and co-training at full weight from the first exchange on."""
    settings = {
        "rule": ["average"],
        "survivor": "keep",
        "divergence_weight": 1.0,
        "ramp_rounds": 0,
        "region_dilation_mm": 8.0,
        "gate_width": 0.1,
        "gate_smoothing": 0.5,
        "peer_tolerance": 0.2,
        "opt_treatment": "CONTINUE_LOCAL",
    }
    return LearningSettings(**{**settings, **changes})


def completion_settings(**changes) -> CompletionSettings:
    """No completion, unless ``steps`` says otherwise."""
    return CompletionSettings(**{"steps": 0, "learning_rate": 0.005, "largest_loss": 0.005, **changes})


def of_a_network(learner: PeerLearner) -> str:
    """Digest of all weights, bit for bit."""
    return state_digest(network_state(learner.network))


class SmallSites:
    """Makes learners; data and prepared cases are shared by all of them, files are each one's own.

    Args:
        root: a folder that nothing else uses.
    """

    def __init__(self, root: Path) -> None:
        self.root, self._made = root, 0

    def dataset(self, structures: tuple[str, ...] = ALL, *, train: int = 2, valid: int = 1) -> Path:
        """Cases that contour ``structures``; the others are visible in the CTs all the same."""
        path = self.root / "data" / f"{len(structures)}_{structures[0]}_{train}_{valid}"
        if not path.exists():
            writer = DatasetWriter(path, anatomy="head_neck", site="site_a")
            for number, split in enumerate(["valid"] * valid + ["train"] * train):
                writer.add_case(f"case_{number}", *sphere_case(1000 + number, structures), split=split)
        return Dataset.open(path).path

    def learner(
        self,
        structures: tuple[str, ...] = ALL,
        *,
        site: str = "site_a",
        weights: Tensors | None = None,
        train: int = 2,
        valid: int = 1,
        steps: int = 2,
        dropout: float = 0.0,
        completion: dict | None = None,
        warm_up_rounds: int = 0,
        **learning,
    ) -> PeerLearner:
        """A learner that begins with the weights all sites begin with, and goes on with ``weights``."""
        self._made += 1
        folder = self.root / "runs" / str(self._made)
        loader = HeadNeckCTLoader(
            str(self.dataset(structures, train=train, valid=valid)),
            structures=list(ALL),
            spacing_mm=[4.0, 4.0, 5.0],
            window_hu=[-200, 300],
            body_margin_mm=4,
            patch_voxels=[16, 16, 16],
            batch_size=2,
            background_share=0.2,
            augmentation={},
            cache_path=str(self.root / "cache"),
            num_workers=0,
            random_seed=0,
        )
        runner = SegmentationTaskRunner(
            loader,
            network={"name": "UNet", "features": 4, "arguments": {**_UNET, "dropout": dropout}},
            optimisation={
                "learning_rate": 0.01,
                "weight_decay": 0.1,
                "warm_up_steps": 2,
                "decay_power": 0.9,
                "clip_norm": 5.0,
            },
            steps_per_round=steps,
            schedule_rounds=10,
            precision="float32",
            overlap=0.25,
            proximal_mu=0.0,
            random_seed=0,
            save_path=str(folder / "save"),
            log_path=str(folder / "logs"),
        )
        learner = PeerLearner(
            runner,
            site=site,
            learning=learning_settings(**learning),
            completion=completion_settings(**(completion or {})),
            warm_up_rounds=warm_up_rounds,
        )
        if weights is not None:
            load_network_state(learner.network, weights, origin="a test")
        return learner


def peer_model(tensors: Tensors, standing: Standing, *, site: str = "site_b", weight: float = 0.5, **facts) -> PeerModel:
    """A model as it comes out of the exchange, in memory instead of in a file.

    Args:
        tensors: its weights.
        standing: what its site says of it.
        site, weight: whose, and its share in an average.
        facts: entries of the manifest to change.
    """
    kept = {name: np.array(values) for name, values in tensors.items()}
    tables = {
        "train_cases": standing.train_cases,
        "valid_cases": standing.valid_cases,
        "valid_dice": standing.valid_dice,
        "row_cases": standing.row_cases,
    }
    manifest = Manifest(
        site=site,
        federation_id="federation",
        run_id="run",
        architecture_hash="architecture",
        epoch=1,
        sequence=1,
        code_version="0",
        **{"round": 1, "final": False, **tables, **facts},
    )
    return PeerModel(
        weight=weight,
        manifest=manifest,
        read=lambda: {name: torch.from_numpy(values.copy()) for name, values in kept.items()},
    )


def by_name(*values) -> dict:
    """One value per structure."""
    return dict(zip(ALL, values, strict=True))


def expert(tensors: Tensors, structures: tuple[str, ...] = ALL, *, cases: int = 8, dice: float = 0.8, **facts) -> PeerModel:
    """A peer of enough cases to be believed in what it contours."""
    counts = {name: cases if name in structures else 0 for name in ALL}
    standing = Standing(
        train_cases=counts,
        valid_cases={name: min(count, 3) for name, count in counts.items()},
        valid_dice={name: dice if count else None for name, count in counts.items()},
        row_cases={name: float(count) for name, count in counts.items()},
    )
    return peer_model(tensors, standing, **facts)


def noise_of_the_same_norm(tensors: Tensors) -> Tensors:
    """Random weights, each tensor with the norm of the one it replaces: nothing but patients tells them apart."""
    generator, noise = np.random.default_rng(0), {}
    for name, values in tensors.items():
        drawn = generator.normal(size=values.shape)
        noise[name] = (drawn * np.linalg.norm(values) / np.linalg.norm(drawn)).astype(np.float32)
    return noise


def with_permuted_channels(tensors: Tensors) -> Tensors:
    """A good network whose output channels stand in another order."""
    return {name: np.roll(values, 1, axis=0) if name.startswith("head.") else values for name, values in tensors.items()}
