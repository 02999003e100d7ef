"""Snapshots: what is written comes back bit for bit; whatever else comes is refused with one error, and nothing is changed."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from safetensors.torch import load
from torch import nn

from src.exchange.settings import WIRE_DTYPES
from src.exchange.snapshot import SnapshotFault, describe_file, read_snapshot, write_snapshot
from src.exchange.snapshot_envelope import MAGIC
from src.exchange.tensor_layout import TensorLayout
from src.model.state import unique_tensors
from tests.src.exchange.small_snapshots import (
    MANIFEST,
    STRUCTURES,
    bits_of,
    every_kind_of_tensor,
    facts,
    framed,
    in_wire_dtype,
    manifest,
    payload,
    same_bits,
    sealed,
    spelled,
)

OWN = {
    "weight": torch.arange(6.0).reshape(2, 3),
    "half": torch.tensor([1.0, -2.0], dtype=torch.float16),
    "mask": torch.tensor([True, False]),
    "steps": torch.tensor(7),
}
LAYOUT = TensorLayout.of(OWN)
SENT = {**OWN, "half": OWN["half"].float()}  # as float32 travels
LARGEST_BYTES = LAYOUT.largest_snapshot_bytes


def refused(path: Path, content: bytes, layout: TensorLayout = LAYOUT) -> SnapshotFault:
    path.write_bytes(content)
    with pytest.raises(SnapshotFault) as caught:
        read_snapshot(path, layout, STRUCTURES)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1000
    return caught.value


@pytest.fixture(scope="module")
def scratch(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("snapshots") / "file"


@pytest.fixture(scope="module")
def valid(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("valid") / "snapshot"
    return write_snapshot(path, MANIFEST, OWN, "float32").path.read_bytes()


# What is written comes back.


@pytest.mark.parametrize("wire_dtype", WIRE_DTYPES)
def test_every_kind_of_tensor_comes_back_rounded_once_and_otherwise_bit_for_bit(tmp_path, wire_dtype):
    tensors = every_kind_of_tensor()
    if wire_dtype == "bfloat16":
        tensors["smallest"] = tensors["smallest"][:2]
    before = {name: bits_of(tensor).clone() for name, tensor in tensors.items()}
    file = write_snapshot(tmp_path / "snapshot", MANIFEST, tensors, wire_dtype)
    found_manifest, found = read_snapshot(file.path, TensorLayout.of(tensors), STRUCTURES)
    assert found_manifest == MANIFEST
    assert same_bits(found, in_wire_dtype(tensors, getattr(torch, wire_dtype)))
    if wire_dtype != "bfloat16":  # all values were drawn to fit into float16
        assert same_bits(found, {name: tensor.contiguous() for name, tensor in tensors.items()})
    assert all(torch.equal(bits_of(tensor), before[name]) for name, tensor in tensors.items())
    assert all(tensor.is_contiguous() for tensor in found.values())


def test_the_returned_tensors_are_nobody_elses_memory(tmp_path):
    file = write_snapshot(tmp_path / "snapshot", MANIFEST, OWN, "float32")
    _, found = read_snapshot(file.path, LAYOUT, STRUCTURES)
    found["weight"].zero_()
    assert OWN["weight"].sum() == 15
    assert same_bits(read_snapshot(file.path, LAYOUT, STRUCTURES)[1], OWN)


def test_tied_storages_travel_once(tmp_path):
    network = nn.Sequential(nn.Linear(16, 16), nn.Linear(16, 16))
    network[1].weight = network[0].weight
    tensors = unique_tensors(network)
    file = write_snapshot(tmp_path / "snapshot", MANIFEST, tensors, "float32")
    assert list(tensors) == ["0.weight", "0.bias", "1.bias"]
    assert TensorLayout.of(tensors).data_bytes("float32") == (256 + 32) * 4
    assert same_bits(read_snapshot(file.path, TensorLayout.of(tensors), STRUCTURES)[1], tensors)


def test_views_into_one_storage_arrive_apart(tmp_path):
    whole = torch.arange(12.0).reshape(3, 4)
    tensors = {"rows": whole[1:], "columns": whole[:, ::2], "one": whole[0, 0]}
    file = write_snapshot(tmp_path / "snapshot", MANIFEST, tensors, "float32")
    found = read_snapshot(file.path, TensorLayout.of(tensors), STRUCTURES)[1]
    assert same_bits(found, {name: tensor.contiguous() for name, tensor in tensors.items()})
    assert len({tensor.untyped_storage().data_ptr() for tensor in found.values()}) == 3


def test_a_model_without_tensors_travels(tmp_path):
    file = write_snapshot(tmp_path / "snapshot", MANIFEST, {}, "float16")
    assert read_snapshot(file.path, TensorLayout.of({}), STRUCTURES) == (MANIFEST, {})


@pytest.mark.parametrize("wire_dtype", WIRE_DTYPES)
def test_the_safetensors_library_reads_our_payload(tmp_path, wire_dtype):
    tensors = {name: tensor for name, tensor in every_kind_of_tensor().items() if name != "smallest"}
    content = write_snapshot(tmp_path / "snapshot", MANIFEST, tensors, wire_dtype).path.read_bytes()
    begin = len(MAGIC) + 4 + int.from_bytes(content[len(MAGIC) : len(MAGIC) + 4], "little")
    found = load(content[begin:])
    expected = in_wire_dtype(tensors, getattr(torch, wire_dtype))
    assert same_bits({name: found[name].to(tensor.dtype) for name, tensor in tensors.items()}, expected)


def test_we_read_a_payload_of_the_safetensors_library_though_its_order_is_another(scratch):
    tensors = in_wire_dtype(every_kind_of_tensor(), torch.float32)
    sent = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    scratch.write_bytes(sealed(facts(), payload(sent)))
    assert same_bits(read_snapshot(scratch, TensorLayout.of(tensors), STRUCTURES)[1], tensors)


def test_the_same_model_makes_the_same_bytes_and_the_file_is_what_is_said(tmp_path):
    one = write_snapshot(tmp_path / "one", MANIFEST, OWN, "float16")
    shuffled = {name: dict(reversed(table.items())) for name, table in vars(MANIFEST).items() if isinstance(table, dict)}
    two = write_snapshot(tmp_path / "two", manifest(**shuffled), OWN, "float16")
    assert one.path.read_bytes() == two.path.read_bytes()
    assert (one.sha256, one.size_bytes) == (two.sha256, two.size_bytes)
    assert one == describe_file(one.path)
    assert one.size_bytes == one.path.stat().st_size <= LARGEST_BYTES


# Nobody publishes rubbish.


@pytest.mark.parametrize(
    ("value", "wire_dtype"),
    [
        (float("nan"), "float32"),
        (float("inf"), "bfloat16"),
        (-float("inf"), "float16"),
        (65520.0, "float16"),
        (3.4e38, "bfloat16"),
    ],
)
def test_a_value_that_the_wire_cannot_hold_is_not_written(tmp_path, value, wire_dtype):
    before = write_snapshot(tmp_path / "snapshot", MANIFEST, OWN, wire_dtype)
    with pytest.raises(SnapshotFault, match=f"tensor weight .* not finite in {wire_dtype}") as caught:
        write_snapshot(tmp_path / "snapshot", MANIFEST, {"weight": torch.tensor([0.0, value, -value])}, wire_dtype)
    assert caught.value.reason == "not_finite"
    assert describe_file(tmp_path / "snapshot") == before
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot"]


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 100) | st.integers(30_000, 80_000),
    place=st.integers(0, 2**20),
    value=st.sampled_from([float("nan"), float("inf"), -float("inf")]),
    wire_dtype=st.sampled_from(WIRE_DTYPES),
    own_dtype=st.sampled_from([torch.float64, torch.float32, torch.float16, torch.bfloat16]),
)
def test_no_place_in_a_tensor_hides_a_value_that_is_not_finite(scratch, size, place, value, wire_dtype, own_dtype):
    weight = torch.linspace(-1, 1, size).to(own_dtype)
    write_snapshot(scratch, MANIFEST, {"weight": weight}, wire_dtype)
    weight[place % size] = value
    with pytest.raises(SnapshotFault, match="not finite"):
        write_snapshot(scratch, MANIFEST, {"weight": weight}, wire_dtype)
    content = sealed(facts(wire_dtype), payload({"weight": weight.to(getattr(torch, wire_dtype))}))
    assert refused(scratch, content, TensorLayout.of({"weight": weight})).reason == "not_finite"


def test_finite_values_whose_sum_is_not_are_written(tmp_path):
    tensors = {"weight": torch.full((9,), 3e38), "half": torch.full((9,), 65504.0, dtype=torch.float16)}
    file = write_snapshot(tmp_path / "snapshot", MANIFEST, tensors, "float32")
    assert same_bits(read_snapshot(file.path, TensorLayout.of(tensors), STRUCTURES)[1], tensors)


@pytest.mark.parametrize(
    "change", [{"sequence": 0}, {"valid_dice": {"Brainstem": float("nan"), "Parotid_L": None}}, {"code_version": "\n"}]
)
def test_a_manifest_that_nobody_could_read_is_not_written(tmp_path, change):
    with pytest.raises(SnapshotFault) as caught:
        write_snapshot(tmp_path / "snapshot", manifest(**change), OWN, "float32")
    assert caught.value.reason == "manifest"
    assert not list(tmp_path.iterdir())


def test_an_unknown_wire_dtype_is_refused(tmp_path):
    with pytest.raises(SnapshotFault, match="expected one of float32, bfloat16, float16"):
        write_snapshot(tmp_path / "snapshot", MANIFEST, OWN, "float64")


# What else comes is refused.


@pytest.mark.parametrize(
    ("reason", "content"),
    [
        ("format", payload({**SENT, "more": torch.zeros(1)})),  # its header is longer than any of ours
        ("name", payload({name: tensor for name, tensor in SENT.items() if name != "steps"})),
        ("name", payload({("Weight" if name == "weight" else name): tensor for name, tensor in SENT.items()})),
        ("shape", payload({**SENT, "weight": torch.zeros(3, 2)})),
        ("shape", payload({**SENT, "steps": torch.zeros(1, dtype=torch.int64)})),
        ("dtype", payload({**SENT, "steps": torch.tensor(7.0, dtype=torch.float64)})),
        ("dtype", payload({**SENT, "weight": torch.zeros(2, 3, dtype=torch.int32)})),
        ("not_finite", payload({**SENT, "weight": torch.tensor([[1.0, float("nan"), 1.0], [1.0, 1.0, 1.0]])})),
        ("not_finite", payload({**SENT, "weight": torch.tensor([[1.0, float("inf"), 1.0], [1.0, 1.0, -float("inf")]])})),
        ("not_finite", payload({**SENT, "half": torch.tensor([1e6, 0.0])})),  # finite in float32, not in our float16
        ("truncated", payload(SENT)[:-1]),
        ("truncated", b""),
        ("truncated", b"1234"),
        ("oversized", payload(SENT) + b"\0"),
        ("format", (2**63).to_bytes(8, "little") + payload(SENT)[8:]),
        ("format", framed(b"[" * 200, bytes(LAYOUT.data_bytes("float32")))),
    ],
)
def test_a_payload_that_is_not_our_model_is_refused_though_its_digest_fits(scratch, reason, content):
    if reason in ("shape", "dtype", "name"):  # whatever the sizes say, the header does
        header = content[8 : 8 + int.from_bytes(content[:8], "little")]
        content = framed(header, bytes(LAYOUT.data_bytes("float32")))
    assert refused(scratch, sealed(facts(), content)).reason == reason


def test_a_bool_that_is_neither_true_nor_false_is_refused(scratch):
    header = json.dumps({"mask": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}).encode()
    layout = TensorLayout.of({"mask": torch.zeros(2, dtype=torch.bool)})
    scratch.write_bytes(sealed(facts(), framed(header.replace(b" ", b""), b"\1\0")))
    assert read_snapshot(scratch, layout, STRUCTURES)[1]["mask"].tolist() == [True, False]
    assert refused(scratch, sealed(facts(), framed(header.replace(b" ", b""), b"\1\2")), layout).reason == "value"


@pytest.mark.parametrize(
    ("reason", "content"),
    [
        ("format", b"PK\3\4" + bytes(100)),
        ("format", MAGIC[:-1] + b"\2" + bytes(100)),
        ("truncated", b""),
        ("truncated", MAGIC[:3]),
        ("truncated", MAGIC + b"\0\0"),
        ("truncated", MAGIC + (2**20).to_bytes(4, "little") + b"{}"),
        ("format", MAGIC + (2**20 + 1).to_bytes(4, "little") + b"{}"),
        ("format", MAGIC + (2).to_bytes(4, "little") + b"[]"),
        ("format", MAGIC + (2**16).to_bytes(4, "little") + b"[" * 2**16),
        ("format", sealed({**facts(), "more": 1}, payload(SENT))),
        ("format", sealed(facts(), payload(SENT)).replace(b'"epoch":1', b'"epoch":1,"epoch":1').replace(MAGIC, MAGIC)),
        ("dtype", sealed(facts("float64"), payload(SENT))),
        ("dtype", sealed({**facts(), "wire_dtype": ["float32"]}, payload(SENT))),
        ("manifest", sealed(facts(sequence=0), payload(SENT))),
        ("manifest", sealed(facts(final=1), payload(SENT))),
        ("manifest", sealed(facts(row_cases={"Brainstem": 10**400, "Parotid_L": 0}), payload(SENT))),
        ("manifest", sealed(facts(train_cases={"Brainstem": 1}), payload(SENT))),
        ("manifest", sealed(facts(site="a\x1b[2Jb"), payload(SENT))),
        ("format", sealed(facts(site="\ud800"), payload(SENT))),
        ("manifest", sealed({**facts(), "manifest": None}, payload(SENT))),
        ("digest", sealed(facts(), payload(SENT))[:-1] + b"\1"),
        ("oversized", MAGIC + bytes(LARGEST_BYTES)),
    ],
)
def test_what_is_no_snapshot_is_refused_by_reason(scratch, reason, content):
    assert refused(scratch, content).reason == reason


def test_a_dictionary_that_is_spelled_otherwise_is_refused(scratch, valid):
    """Else a byte could be changed that means nothing, and no digest covers."""
    begin = len(MAGIC) + 4
    end = begin + int.from_bytes(valid[len(MAGIC) : begin], "little")
    envelope = json.dumps(json.loads(valid[begin:end])).encode()
    assert refused(scratch, MAGIC + len(envelope).to_bytes(4, "little") + envelope + valid[end:]).reason == "format"
    assert spelled(json.loads(envelope)) == valid[begin:end]


def test_a_snapshot_of_other_structures_is_refused(scratch, valid):
    scratch.write_bytes(valid)
    with pytest.raises(SnapshotFault, match="other structures than the plan's"):
        read_snapshot(scratch, LAYOUT, ("Brainstem", "Parotid_R"))


def test_a_file_that_is_not_there_is_a_fault_like_any_other(tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(SnapshotFault) as caught:
            read_snapshot(path, LAYOUT, STRUCTURES)
        assert caught.value.reason == "unreadable"
        assert str(tmp_path) not in str(caught.value)


def test_every_byte_counts(scratch, valid):
    """Each byte of a snapshot, changed alone, makes it another one that is refused; each shorter one is too."""
    for place in range(len(valid)):
        for change in (0x01, 0x20, 0x80):
            refused(scratch, valid[:place] + bytes([valid[place] ^ change]) + valid[place + 1 :])
        refused(scratch, valid[:place])


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_several_changes_at_once_are_refused(scratch, valid, data):
    content = bytearray(valid)
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(begin, min(len(content), begin + 40)))
        content[begin:end] = data.draw(st.binary(max_size=40))
    if bytes(content) != valid:
        refused(scratch, bytes(content))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.sampled_from(sorted(MANIFEST.to_json()))


@settings(max_examples=300, deadline=None)
@given(changes=st.dictionaries(ENTRIES, JSON, min_size=1, max_size=3))
@example(changes={"valid_dice": {"Brainstem": 10**400, "Parotid_L": None}})
@example(changes={"valid_dice": {"Brainstem": 1, "Parotid_L": 0.5}})
def test_manifests_with_any_json_in_them_are_believed_only_if_they_could_be_written(scratch, changes):
    try:
        scratch.write_bytes(sealed(facts(**changes), payload(SENT)))
        found, tensors = read_snapshot(scratch, LAYOUT, STRUCTURES)
    except SnapshotFault as fault:
        assert fault.reason in ("manifest", "format")
        return
    assert same_bits(tensors, OWN)
    assert {name: value for name, value in found.to_json().items() if name in changes} == changes
    write_snapshot(scratch, found, OWN, "float32")


@settings(max_examples=200, deadline=None)
@given(envelope=JSON)
def test_envelopes_of_any_json_are_refused(scratch, envelope):
    content = json.dumps(envelope).encode()
    refused(scratch, MAGIC + len(content).to_bytes(4, "little") + content + payload(SENT))


# What it costs.

# Not getrusage: what it calls the peak is inherited from the process that started this one.
_MEMORY = """
import re, sys
from pathlib import Path
import torch
from src.exchange.snapshot import read_snapshot, write_snapshot
from src.exchange.tensor_layout import TensorLayout
from tests.src.exchange.small_snapshots import MANIFEST, STRUCTURES

def peak_mb():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

path, wire_dtype = Path(sys.argv[1]), sys.argv[2]
small = {"a": torch.ones(2**20)}
for _ in range(2):
    write_snapshot(path, MANIFEST, small, wire_dtype)
    read_snapshot(path, TensorLayout.of(small), STRUCTURES)
tensors = {str(number): torch.full((2**20,), 0.5) for number in range(32)}
before = peak_mb()
write_snapshot(path, MANIFEST, tensors, wire_dtype)
written = peak_mb()
found = read_snapshot(path, TensorLayout.of(tensors), STRUCTURES)
print(written - before, peak_mb() - written)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
@pytest.mark.parametrize("wire_dtype", ["float32", "float16"])
def test_writing_takes_one_tensors_memory_and_reading_one_models(tmp_path, wire_dtype):
    """A model of 128 MB in 32 tensors of 4 MB."""
    command = [sys.executable, "-c", _MEMORY, str(tmp_path / "snapshot"), wire_dtype]
    writing_mb, reading_mb = map(float, subprocess.check_output(command, text=True).split())
    assert writing_mb < 2 * 4
    assert 100 < reading_mb < 128 + 2 * 4


# Coverage-guided fuzzing.

needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris, the fuzzer, has wheels for Linux on x86-64 with Python 3.11 and newer alone",
)


def fuzz(folder: Path, runs: int) -> str:
    command = [sys.executable, "-m", "tests.src.exchange.fuzz_snapshot", f"-runs={runs}", "-seed=1"]
    environment = {**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", timeout=1800)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    return done.stderr


@needs_atheris
def test_the_fuzzer_finds_nothing(tmp_path):
    assert "Done 8000 runs" in fuzz(tmp_path, 8_000)


@needs_atheris
@pytest.mark.slow
def test_the_fuzzer_finds_nothing_in_ten_minutes(tmp_path):
    assert "Done 600000 runs" in fuzz(tmp_path, 600_000)
