"""What the doctor reads of a state folder: whether its site runs, and what a restart would go on from."""

from pathlib import Path

import pytest
import torch

from src.doctor.finding import Level
from src.doctor.state_folder import check_state_folder, is_running
from src.exchange.checkpoint import Checkpoints
from src.exchange.state_lock import state_lock


def test_only_a_held_lock_is_a_running_site(tmp_path):
    folder = tmp_path / "site_a"
    assert not is_running(folder)
    assert not folder.exists(), "looking makes nothing"
    with state_lock(folder):
        assert is_running(folder)
    assert not is_running(folder)
    with state_lock(folder):
        pass  # looking took nothing from whoever comes next


@pytest.fixture
def saved(workspace):
    """Two checkpoints of this run."""
    checkpoints = Checkpoints(Path("local_state/site_a/checkpoint"))
    run = {"federation_id": workspace.place().federation_id, "run_id": "run_1"}
    for number in (3, 4):
        facts = {"round": number, "sequence": number, "closed": False, "learner": {}, "run": run}
        checkpoints.save({"weights": torch.zeros(3)}, facts)
    return workspace


def test_the_newest_checkpoint_counts(saved):
    (found,) = check_state_folder(saved.place())
    assert (found.level, "4 rounds done" in found.cause) == (Level.OK, True)


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"spoiled"), lambda path: path.unlink()])
def test_the_one_before_is_taken_when_the_newest_cannot_be_read(saved, spoil):
    newest = Path("local_state/site_a/checkpoint/checkpoint.safetensors")
    spoil(newest)
    (found,) = check_state_folder(saved.place())
    if newest.exists():
        assert (found.level, "the one before will be used" in found.cause) == (Level.WARNING, True)
    else:
        assert (found.level, "3 rounds done" in found.cause) == (Level.OK, True)
