"""What a run takes, estimated from plan, network and the headers of the CTs; rather a little too much than too little."""

import math
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

from src.doctor.workplace import Workplace

if TYPE_CHECKING:
    from src.task_runner import SegmentationTaskRunner

GIB = 1 << 30
_CACHED_BYTES_PER_VOXEL = 2 + 4  # HU in int16, structures in int32; see src/data/cache.py
_FLOAT_BYTES = 4
# Newest, before, and the one being written, each with weights and AdamW's two moments.
_CHECKPOINTS = 3 * 3
# Last, best and consensus, and one being written.
_SAVED_MODELS = 4
# What is kept for those in the middle of a pull (src/exchange/gossip.py), and one being written.
_SNAPSHOTS = 4
# PyTorch, MONAI and OpenFL, loaded.
_PROGRAM_BYTES = 1.2 * GIB
# Weights, gradients, two moments, a copy to publish, a peer's model, and what is judged against each other.
_MODELS_IN_MEMORY = 8


def model_bytes(place: Workplace) -> int:
    """Of the weights in float32."""
    return _FLOAT_BYTES * sum(tensor.numel() for tensor in place.runner.network.state_dict().values())


def disk_bytes(place: Workplace) -> dict[Path, float]:
    """What each folder of a run will still grow by, at most."""
    size_bytes = model_bytes(place)
    cache = Path(place.setting("data_loader.settings.cache_path", str))
    save = Path(place.setting("task_runner.settings.save_path", str))
    needs = {cache: max(0.0, _prepared_bytes(place) - _present_bytes(cache)), save: float(_SAVED_MODELS * size_bytes)}
    if place.has_peers:
        peers = len(place.roster) - 1
        alone = place.setting("collaborator.settings.exchange.local_rounds_at_end", int) if place.exchanges else 0
        needs[place.state_folder.parent] = float((_CHECKPOINTS + _SNAPSHOTS + alone + 2 * peers) * size_bytes)
    return needs


def training_bytes(place: Workplace) -> float:
    """Memory of a training step: the models, and every layer's output for a batch, where the network runs."""
    batch_size = place.setting("data_loader.settings.batch_size", int)
    # A step holds outputs and, for a while, their gradients.
    return _MODELS_IN_MEMORY * model_bytes(place) + 2 * batch_size * activation_bytes(place.runner)


def process_bytes(place: Workplace) -> float:
    """Memory of the site's process when it trains on the processor."""
    return _PROGRAM_BYTES + training_bytes(place)


def shared_bytes(place: Workplace) -> int:
    """What the processes that cut patches keep in shared memory: four batches each (see ``CTLoader``) and one in use."""
    workers = place.setting("data_loader.settings.num_workers", int)
    voxels = math.prod(place.setting("data_loader.settings.patch_voxels", list[int]))
    # Image in float32, structures in int32.
    batch_bytes = place.setting("data_loader.settings.batch_size", int) * voxels * 2 * _FLOAT_BYTES
    return (4 * workers + 1) * batch_bytes if workers else 0


def activation_bytes(runner: "SegmentationTaskRunner") -> int:
    """The outputs of all layers for one patch, in float32; on the meta device, which computes shapes alone."""
    import torch

    network, found = deepcopy(runner.network).to("meta"), []
    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda _module, _inputs, output: found.append(output.numel()))
    with torch.no_grad():
        network(torch.zeros(1, 1, *runner.data_loader.patch_voxels, device="meta"))
    return _FLOAT_BYTES * sum(found)


def _prepared_bytes(place: Workplace) -> float:
    """Of the prepared cases, uncut: what lies outside the body is counted too."""
    spacing_mm = place.setting("data_loader.settings.spacing_mm", list[float])
    dataset = place.dataset
    voxels = 0.0
    for record in [*dataset.cases_of("train"), *dataset.cases_of("valid")]:
        header = dataset.read_geometry(record.name)
        extent_mm = [size * spacing for size, spacing in zip(header.GetSize(), header.GetSpacing(), strict=True)]
        voxels += math.prod(extent / wanted for extent, wanted in zip(extent_mm, spacing_mm, strict=True))
    return _CACHED_BYTES_PER_VOXEL * voxels


def _present_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*/*.npy"))
