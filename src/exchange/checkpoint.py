"""A site's state between two rounds, on disk, whole or not at all.

One safetensors file: the tensors, and in its header plain facts as JSON and a digest of both. The one before is kept, so that a
file that a failing disk spoiled costs a round, not the run.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from src.errors import CheckpointError
from src.exchange.whole_file import to_disk
from src.machine_fault import writing
from src.stop_signal import finishes_first

logger = logging.getLogger(__name__)

CHECKPOINT_VERSION = 1
_NEWEST, _BEFORE = "checkpoint.safetensors", "checkpoint.before.safetensors"
_SPOILED = "checkpoint.spoiled.safetensors"


class Checkpoints:
    """The newest state of a site and the one before.

    Args:
        folder: made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def save(self, tensors: Mapping[str, torch.Tensor], facts: dict) -> None:
        """Writes a state; when this returns it outlives a power cut.

        Args:
            tensors: by name; any dtype, any device.
            facts: plain values that JSON can hold.

        Raises:
            DiskError: the disk is full or refuses; the state that was there still is.
        """
        content = json.dumps(facts, sort_keys=True)
        flat = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        header = {"checkpoint_version": str(CHECKPOINT_VERSION), "facts": content, "digest": _digest(flat, content)}
        partial, newest = self._folder / f".{_NEWEST}.partial", self._folder / _NEWEST
        # A stop between the two renamings would cost a round.
        with finishes_first(), writing(newest):
            try:
                # save_file refuses names that share a storage.
                save_file(_apart(flat), str(partial), metadata=header)
                to_disk(partial)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
            if newest.is_file():
                newest.replace(self._folder / _BEFORE)
            partial.replace(newest)
            to_disk(self._folder)

    def load(self) -> tuple[dict[str, torch.Tensor], dict] | None:
        """The newest state that can be read; None when there never was one.

        Raises:
            CheckpointError: there are files, and none can be read.
        """
        faults = []
        for name in (_NEWEST, _BEFORE):
            path = self._folder / name
            if not path.is_file():
                continue
            try:
                found = _read(path)
            except (OSError, SafetensorError, ValueError, KeyError) as error:
                faults.append(f"{name}: {error}")
                logger.warning("checkpoint %s cannot be used (%s); trying the one before", name, error)
                continue
            if faults:
                # Out of the way: the next one written would push it into the place of the good one.
                (self._folder / _NEWEST).replace(self._folder / _SPOILED)
            return found
        if faults:
            raise CheckpointError(
                f"expected a checkpoint that can be read, found {'; '.join(faults)}; restore the state folder from a backup, "
                "or move it away and raise 'epoch' in plan/peers.yaml to begin again"
            )
        return None


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict]:
    with safe_open(str(path), framework="pt") as file:
        header = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - safe_open is no mapping
    if header.get("checkpoint_version") != str(CHECKPOINT_VERSION):
        raise ValueError(f"version {header.get('checkpoint_version')}, expected {CHECKPOINT_VERSION}")
    if header["digest"] != _digest(tensors, header["facts"]):
        raise ValueError("its content is not what was written")
    return tensors, json.loads(header["facts"])


def _digest(tensors: Mapping[str, torch.Tensor], content: str) -> str:
    digest = hashlib.sha256(content.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def _apart(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Each in memory of its own; copied only where it is not."""
    apart, taken = {}, set()
    for name, tensor in tensors.items():
        storage = tensor.untyped_storage()
        is_alone = storage.nbytes() == tensor.nbytes and storage.data_ptr() not in taken
        taken.add(storage.data_ptr())
        apart[name] = tensor if is_alone else tensor.clone()
    return apart
