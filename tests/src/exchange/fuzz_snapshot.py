"""Coverage-guided fuzzing of the decoder: ``python -m tests.src.exchange.fuzz_snapshot -runs=100000 [a folder of seeds]``.

The arguments are libFuzzer's. Whatever bytes come, either a model of exactly our layout comes out, or a ``SnapshotFault``. Most
inputs get a digest and lengths that fit: no fuzzer guesses a SHA-256, and what lies behind it would never be reached.
"""

import hashlib
import random
import sys
import tempfile
from pathlib import Path

import atheris
import safetensors.torch
import torch

DECODER = ["manifest", "snapshot", "snapshot_envelope", "strict_json", "tensor_layout"]
with atheris.instrument_imports(include=[f"src.exchange.{name}" for name in DECODER]):
    from src.exchange.manifest import Manifest
    from src.exchange.settings import WIRE_DTYPES
    from src.exchange.snapshot import SnapshotFault, read_snapshot, write_snapshot
    from src.exchange.snapshot_envelope import MAGIC
    from src.exchange.tensor_layout import TensorLayout
    from tests.fuzz.json_twist import twist
    from tests.src.exchange.small_snapshots import MANIFEST, STRUCTURES

TENSORS = {
    "weight": torch.arange(6.0).reshape(2, 3),
    "half": torch.ones(2, dtype=torch.float16),
    "mask": torch.tensor([True, False]),
    "steps": torch.tensor(7),
    "nothing": torch.zeros(0, 4),
}
LAYOUT = TensorLayout.of(TENSORS)
DIGEST_BEGIN, DIGEST_END = b'{"content_sha256":"', b'",'
SCRATCH = Path(tempfile.mkdtemp(prefix="fuzz-snapshot-"))
SEEDS = [write_snapshot(SCRATCH / "seed", MANIFEST, TENSORS, name).path.read_bytes() for name in WIRE_DTYPES]


def decode(content: bytes) -> None:
    """The target: anything raised here but a refusal is a finding."""
    path = SCRATCH / "snapshot"
    path.write_bytes(content)
    try:
        manifest, tensors = read_snapshot(path, LAYOUT, STRUCTURES)
    except SnapshotFault as fault:
        assert fault.reason.isidentifier() and len(str(fault)) < 1000 and str(fault).isprintable(), "an unfit message"
        return
    assert type(manifest) is Manifest and 1 <= manifest.sequence < 2**31 and set(manifest.valid_dice) == set(STRUCTURES)
    assert TensorLayout.of(tensors) == LAYOUT, "a model of another layout"
    _, _, payload_begin = bounds(content)
    by_library = safetensors.torch.load(content[payload_begin:])
    for name, tensor in tensors.items():
        assert not tensor.is_floating_point() or torch.isfinite(tensor).all(), f"{name} is not finite"
        assert tensor.dtype != torch.bool or tensor.view(torch.uint8).max() <= 1, f"{name} has bools of other bytes"
        assert torch.equal(tensor, by_library[name].to(tensor.dtype)), f"{name} is not what the safetensors library reads"


def mutate(content: bytes, largest_bytes: int, seed: int) -> bytes:
    """libFuzzer's own mutation of the whole; or bytes of one part or a value in its JSON, and the rest made to fit."""
    draw = random.Random(seed)
    # What is found last is what lies behind all other checks: one fault in a snapshot that is otherwise valid.
    if draw.random() < 0.5:
        content = draw.choice(SEEDS)
    if draw.random() < 0.2 or (parts := split(content)) is None:
        return atheris.Mutate(content, largest_bytes)
    chosen = draw.randrange(len(parts))
    twisted = twist(parts[chosen], draw) if draw.random() < 0.7 else None
    parts[chosen] = twisted or atheris.Mutate(parts[chosen], largest_bytes)
    return joined(*parts)[:largest_bytes]


def bounds(content: bytes) -> tuple[int, int, int]:
    """Where the envelope begins, its first entry (the digest) ends, and the payload begins."""
    begin = len(MAGIC) + 4
    end = begin + int.from_bytes(content[len(MAGIC) : begin], "little")
    return begin, begin + len(DIGEST_BEGIN) + 64 + len(DIGEST_END), end


def split(content: bytes) -> list[bytes] | None:
    """Envelope without digest, the payload's header, and the tensors' bytes; None of what has no digest in its place."""
    begin, digest_end, end = bounds(content)
    if not content[begin:].startswith(DIGEST_BEGIN) or end < digest_end:
        return None
    header_end = end + 8 + int.from_bytes(content[end : end + 8], "little")
    return [b"{" + content[digest_end:end], content[end + 8 : header_end], content[header_end:]]


def joined(envelope: bytes, header: bytes, data: bytes) -> bytes:
    """A snapshot of these parts, in whatever spelling they are; lengths and digest fit."""
    payload = len(header).to_bytes(8, "little") + header + data
    digest = hashlib.sha256(envelope + payload).hexdigest().encode()
    envelope = DIGEST_BEGIN + digest + DIGEST_END + envelope[1:]
    return MAGIC + len(envelope).to_bytes(4, "little") + envelope + payload


def main() -> None:
    torch.set_num_threads(1)
    corpus = SCRATCH / "corpus"
    corpus.mkdir()
    for number, content in enumerate(SEEDS):
        assert joined(*split(content)) == content, "the fuzzer's own idea of the format is outdated"
        decode(content)
        (corpus / str(number)).write_bytes(content)
    atheris.Setup(
        [*sys.argv, str(corpus), "-max_len=8192", "-mutate_depth=2", f"-artifact_prefix={SCRATCH}/"],
        decode,
        custom_mutator=mutate,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
