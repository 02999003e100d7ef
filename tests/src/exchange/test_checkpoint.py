"""A site's state on disk: bit for bit, whole or not at all, and never lost to one spoiled file."""

import json
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src.errors import CheckpointError
from src.exchange.checkpoint import Checkpoints
from src.process_edge import process_edge
from tests.src.exchange.killed_save import STATE
from tests.src.exchange.small_snapshots import bits_of, every_kind_of_tensor

REPOSITORY = Path(__file__).resolve().parents[3]
NEWEST, BEFORE = "checkpoint.safetensors", "checkpoint.before.safetensors"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def model(value: float) -> dict[str, torch.Tensor]:
    return {"weight": torch.full((40,), value)}


def saved_twice(folder: Path) -> Checkpoints:
    """States of rounds 1 and 2."""
    checkpoints = Checkpoints(folder)
    for number in (1, 2):
        checkpoints.save(model(number), {"round": number})
    return checkpoints


def round_of(folder: Path) -> int:
    """The round of the state that is found; its tensors are looked at too."""
    tensors, facts = Checkpoints(folder).load()
    expected = STATE if facts["round"] == 3 else model(facts["round"])
    assert all(torch.equal(tensors[name], expected[name]) for name in expected)
    return facts["round"]


def spoil(path: Path, place: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_site_that_never_saved_has_no_state(tmp_path):
    assert Checkpoints(tmp_path / "new").load() is None


def test_every_kind_of_tensor_comes_back_bit_for_bit(tmp_path):
    tensors = every_kind_of_tensor()
    tensors["tied"] = tensors["conv.weight"]
    tensors["part of another"] = tensors["transposed"][1:3]
    tensors["expanded"] = torch.tensor([1.5]).expand(4, 3)
    tensors["trained"] = torch.nn.Parameter(torch.tensor([0.1, float("nan"), float("-inf")]))
    Checkpoints(tmp_path).save(tensors, {})
    found, _ = Checkpoints(tmp_path).load()
    assert set(found) == set(tensors)
    for name, tensor in tensors.items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape), name
        assert torch.equal(bits_of(found[name]), bits_of(tensor.detach())), name
    found["conv.weight"].zero_()
    assert found["tied"].any(), "each in memory of its own"
    assert round_trips(tmp_path), "and what is changed in memory does not change the file"


def round_trips(folder: Path) -> bool:
    return bool(Checkpoints(folder).load()[0]["conv.weight"].any())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=st.dictionaries(st.text(), JSON, max_size=4))
def test_facts_come_back_as_they_were(tmp_path, facts):
    Checkpoints(tmp_path).save({}, facts)
    found, again = Checkpoints(tmp_path).load()
    assert found == {} and json.dumps(again, sort_keys=True) == json.dumps(facts, sort_keys=True)


def test_the_newest_counts_and_the_one_before_is_kept(tmp_path):
    saved_twice(tmp_path).save(STATE, {"round": 3})
    assert round_of(tmp_path) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [BEFORE, NEWEST]
    (tmp_path / NEWEST).unlink()
    assert round_of(tmp_path) == 2


def moments(tmp_path: Path) -> list[Path]:
    """Folders as kills left them, each a line later than the one before."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.src.exchange.killed_save", str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return sorted(path for path in tmp_path.iterdir() if path.name.isdigit())


def test_killed_between_any_two_operations_it_has_the_old_state_or_the_new(tmp_path):
    saved_twice(tmp_path / "before")
    left = moments(tmp_path)
    rounds = [round_of(folder) for folder in left]
    assert rounds == sorted(rounds) and set(rounds) == {2, 3}, rounds
    files = {tuple(sorted(path.name for path in folder.iterdir())) for folder in left}
    assert (f".{NEWEST}.partial", BEFORE) in files, "one of the kills fell between the two renamings"
    for folder in left:
        Checkpoints(folder).save(model(4), {"round": 4})
        assert round_of(folder) == 4
        assert sorted(path.name for path in folder.iterdir()) == [BEFORE, NEWEST], "and nothing half-written stays"


def test_after_a_fallback_no_kill_can_take_the_good_state_away(tmp_path):
    saved_twice(tmp_path / "before")
    spoil(tmp_path / "before" / NEWEST)
    assert round_of(tmp_path / "before") == 1
    rounds = [round_of(folder) for folder in moments(tmp_path)]
    assert rounds == sorted(rounds) and set(rounds) == {1, 3}, rounds


def test_a_full_disk_leaves_the_state_as_it_was(tmp_path):
    saved_twice(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(Exception, match=r"(?i)file too large|os error 27"):
            Checkpoints(tmp_path).save(STATE, {"round": 3})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert round_of(tmp_path) == 2
    Checkpoints(tmp_path).save(STATE, {"round": 3})
    assert round_of(tmp_path) == 3


def test_whichever_byte_is_changed_the_one_before_is_used_or_nothing_has_changed(tmp_path):
    saved_twice(tmp_path / "whole")
    size_bytes = (tmp_path / "whole" / NEWEST).stat().st_size
    used = []
    # A prime step: header and tensors are met at all offsets of their entries, in a third of the time.
    for place in range(0, size_bytes, 3):
        shutil.copytree(tmp_path / "whole", tmp_path / "spoiled", dirs_exist_ok=True)
        spoil(tmp_path / "spoiled" / NEWEST, place)
        used.append(round_of(tmp_path / "spoiled"))
    assert used.count(1) > 0.9 * len(used), "but for blanks, every byte counts"
    assert set(used[-50:]) == {1}, "of the tensor's own, every one"


@pytest.mark.parametrize("size_bytes", [0, 7, 8, 100, -1])
def test_a_truncated_file_costs_a_round(tmp_path, size_bytes):
    saved_twice(tmp_path)
    content = (tmp_path / NEWEST).read_bytes()
    (tmp_path / NEWEST).write_bytes(content[:size_bytes])
    assert round_of(tmp_path) == 1


def test_a_safetensors_file_of_somebody_else_is_no_state(tmp_path):
    from safetensors.torch import save_file

    saved_twice(tmp_path)
    save_file(model(9), str(tmp_path / NEWEST))
    assert round_of(tmp_path) == 1
    save_file(model(9), str(tmp_path / NEWEST), metadata={"checkpoint_version": "2"})
    assert round_of(tmp_path) == 1


def test_when_none_can_be_read_the_process_ends_with_7_and_says_what_to_do(tmp_path, capsys):
    checkpoints = saved_twice(tmp_path)
    for name in (NEWEST, BEFORE):
        spoil(tmp_path / name)
    with pytest.raises(CheckpointError, match=rf"found {NEWEST}: .*{BEFORE}: .*raise 'epoch' in plan/peers.yaml"):
        checkpoints.load()
    with pytest.raises(SystemExit) as ended, process_edge():
        checkpoints.load()
    assert ended.value.code == 7
    assert str(tmp_path) not in capsys.readouterr().err
    assert {NEWEST, BEFORE} <= {path.name for path in tmp_path.iterdir()}, "nothing is thrown away"
