"""A snapshot under its key: what went in comes out, no chunk is cut, doubled or moved, and no model is ever in memory."""

import hashlib
import os
import tracemalloc

import pytest

from src.exchange.folder.sealed_model import CHUNK_BYTES, TAG_BYTES, seal, sealed_bytes, unseal
from src.exchange.folder.shared_file import FileFault
from src.exchange.spool import Spool


def sealed(folder, content, name="a model"):
    (folder / "plain").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    made = seal(folder / "plain", folder / "sealed", sha256=digest, size_bytes=len(content), name=name)
    assert hashlib.sha256((folder / "sealed").read_bytes()).hexdigest() == made.sealed_sha256
    return made, digest


def opened(folder, made, digest, size_bytes, name="a model"):
    with Spool(folder / "opened", digest, size_bytes) as spool:
        unseal(folder / "sealed", spool, made, size_bytes=size_bytes, name=name, check=lambda: None)
        spool.finish()
    return (folder / "opened").read_bytes()


@pytest.mark.parametrize("size_bytes", [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])
def test_what_was_sealed_is_opened_and_has_the_size_that_was_said(tmp_path, size_bytes):
    content = os.urandom(size_bytes)
    made, digest = sealed(tmp_path, content)
    assert (tmp_path / "sealed").stat().st_size == sealed_bytes(size_bytes)
    assert opened(tmp_path, made, digest, size_bytes) == content


def test_chunks_that_are_swapped_doubled_or_from_a_shorter_model_are_refused(tmp_path):
    content, long = os.urandom(3 * CHUNK_BYTES), CHUNK_BYTES + TAG_BYTES
    made, digest = sealed(tmp_path, content)
    first, second, third = ((tmp_path / "sealed").read_bytes()[start : start + long] for start in range(0, 3 * long, long))
    for chunks in [(second, first, third), (first, first, third), (first, third, second)]:
        (tmp_path / "sealed").write_bytes(b"".join(chunks))
        with pytest.raises(FileFault):
            opened(tmp_path, made, digest, len(content))
    # The end of a whole model is not where somebody cuts it, even for whoever believes the shorter size.
    (tmp_path / "sealed").write_bytes(first + second)
    with pytest.raises(FileFault):
        opened(tmp_path, made, digest, 2 * CHUNK_BYTES)


def test_the_name_under_which_it_was_sealed_opens_it_alone(tmp_path):
    content = b"a model"
    made, digest = sealed(tmp_path, content, "openfl-oar model site_a 1 1")
    with pytest.raises(FileFault):
        opened(tmp_path, made, digest, len(content), "openfl-oar model site_b 1 1")


def test_a_large_model_is_never_in_memory(tmp_path):
    size_bytes = 40 * CHUNK_BYTES
    with (tmp_path / "plain").open("wb") as file:
        file.truncate(size_bytes)
    digest = hashlib.sha256(bytes(size_bytes)).hexdigest()
    tracemalloc.start()
    made = seal(tmp_path / "plain", tmp_path / "sealed", sha256=digest, size_bytes=size_bytes, name="large")
    with Spool(tmp_path / "opened", digest, size_bytes) as spool:
        unseal(tmp_path / "sealed", spool, made, size_bytes=size_bytes, name="large", check=lambda: None)
        spool.finish()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8 * CHUNK_BYTES
