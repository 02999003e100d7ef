"""Every kind of file a site writes, on a disk without room: told as such, nothing half-written stays, old files are whole."""

import hashlib

import numpy as np
import pytest
import torch

from src.data.cache import CaseCache
from src.data.dataset import Dataset
from src.data.preprocessing import Preprocessing
from src.errors import DiskError
from src.exchange.checkpoint import Checkpoints
from src.exchange.spool import Spool
from src.exchange.whole_file import write_whole
from src.model.card import ModelCard, read_model, write_model
from src.run_log import RunLog
from tests.src.tiny_disk import fill, tiny_disk

VALUES = 200_000
CARD = ModelCard(
    anatomy="head_neck",
    structures=("Brainstem",),
    preprocessing={},
    patch_voxels=(16, 16, 16),
    network={},
    structures_digest="0" * 64,
    code_version="test",
    validation_dice={},
)


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != "ballast")


def test_what_was_there_is_still_there(tmp_path):
    with tiny_disk(tmp_path / "disk") as disk:
        checkpoints, model = Checkpoints(disk / "checkpoint"), disk / "save" / "last.safetensors"
        checkpoints.save({"a": torch.ones(VALUES)}, {"round": 1})
        write_model(model, CARD, {"a": np.ones(VALUES, np.float32)})
        write_whole(disk / "ledger.json", [b"before"])
        before = files_below(disk)
        fill(disk, leave_bytes=100_000)
        with pytest.raises(DiskError, match="full disk"):
            checkpoints.save({"a": torch.zeros(VALUES)}, {"round": 2})
        with pytest.raises(DiskError, match="full disk"):
            write_model(model, CARD, {"a": np.zeros(VALUES, np.float32)})
        with pytest.raises(DiskError, match="full disk"):
            write_whole(disk / "ledger.json", [bytes(VALUES)])
        assert files_below(disk) == before
        assert checkpoints.load()[1] == {"round": 1}
        assert read_model(model)[1]["a"].min() == 1
        assert (disk / "ledger.json").read_bytes() == b"before"


def test_what_had_come_of_a_model_is_continued_when_there_is_room(tmp_path):
    content = bytes(range(256)) * 2000
    sha256 = hashlib.sha256(content).hexdigest()
    with tiny_disk(tmp_path / "disk") as disk:
        ballast = fill(disk, leave_bytes=100_000)
        with pytest.raises(DiskError, match="full disk"), Spool(disk / "model", sha256, len(content)) as spool:
            for begin in range(0, len(content), 10_000):
                spool.append(content[begin : begin + 10_000])
        ballast.unlink()
        with Spool(disk / "model", sha256, len(content)) as spool:
            assert 0 < spool.resumed_bytes < len(content)
            spool.append(content[spool.offset :])
            spool.finish()
        assert (disk / "model").read_bytes() == content


def test_a_log_and_a_cache_without_room_are_told_too(tmp_path, sphere_dataset):
    dataset: Dataset = sphere_dataset
    with tiny_disk(tmp_path / "disk") as disk:
        log = RunLog(disk / "logs")
        ballast = fill(disk)
        with pytest.raises(DiskError, match=r"write in '.*/logs', found a full disk"):
            for number in range(1000):
                log.event(round_number=number, phase="train", loss=0.5)
        preprocessing = Preprocessing(spacing_mm=(4.0, 4.0, 4.0), window_hu=(-200, 300), body_margin_mm=12)
        cache = CaseCache(disk / "cache", preprocessing, ["Brainstem"])
        record = next(iter(dataset.cases.values()))
        with pytest.raises(DiskError, match=r"found a full disk"):
            cache.prepare(dataset, record)
        assert not any((disk / "cache").glob("*")) and not any((disk / "cache").glob(".*"))
        ballast.unlink()
        assert cache.prepare(dataset, record).name == record.name
