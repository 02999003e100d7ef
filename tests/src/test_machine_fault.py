"""Faults of the machine as the libraries really report them: what becomes of them, and of those that are something else."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from src.errors import CaseError, DeviceError, DiskError
from src.machine_fault import machine_fault, writing
from src.process_edge import process_edge, run_edge
from tests.src.tiny_disk import fill, tiny_disk

# Takes no byte, with the error of a full disk. Only ever opened: what renames a file into place would replace it.
FULL = Path("/dev/full")


def end_of(error: BaseException) -> int:
    with pytest.raises(SystemExit) as ended, process_edge():
        raise error
    return ended.value.code


def test_a_full_disk_ends_with_9_and_says_where_and_what_to_free(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended, process_edge(), writing(tmp_path / "checkpoint.safetensors"):
        FULL.write_bytes(b"x")
    said = capsys.readouterr().err
    assert ended.value.code == 9
    assert said.startswith(f"DiskError: expected room to write in '{tmp_path}', found a full disk (")
    assert "MB free there" in said and "cache/" in said and "Traceback" not in said and said.count("\n") == 1


def test_a_full_disk_under_libraries_that_give_no_number(tmp_path):
    with tiny_disk(tmp_path / "disk") as disk:
        fill(disk, leave_bytes=8192)
        with pytest.raises(DiskError, match=r"found a full disk \(.*os error 28"), writing(disk):
            save_file({"a": torch.zeros(100_000)}, str(disk / "model"))
        with pytest.raises(DiskError, match=r"found a full disk \(.* written"), writing(disk):
            np.save(disk / "array.npy", np.zeros(100_000))


def test_a_full_disk_that_nobody_expected_ends_with_9_too(capsys):
    with pytest.raises(SystemExit) as ended, process_edge():
        FULL.write_bytes(b"x")
    assert ended.value.code == 9
    assert "found a full disk" in capsys.readouterr().err


def test_a_folder_that_may_not_be_written_to_is_no_full_disk(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    below, message = tmp_path / "file" / "below", r"found that it cannot be \(.*\); make the disk work and the folder writable"
    with pytest.raises(DiskError, match=message), writing(below):
        below.mkdir()


def test_whoever_deals_with_a_refusing_folder_may_catch_an_os_error(tmp_path):
    with pytest.raises(OSError), writing(tmp_path):
        FULL.write_bytes(b"x")


def test_an_error_of_ours_stays_what_it_is(tmp_path):
    with pytest.raises(CaseError, match="case 1: broken"), writing(tmp_path):
        raise CaseError("1", "broken")


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "cert/client/col_a.key"),
        PermissionError(errno.EACCES, os.strerror(errno.EACCES), "cert/client/col_a.key"),
        RuntimeError("expected all tensors on the same device, found cuda:0 and cpu"),
        ValueError("CUDA error"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_about_something_else_is_left_alone(error):
    assert machine_fault(error) is None
    with pytest.raises(type(error)), process_edge():
        raise error


def test_a_run_tells_a_refusal_a_fault_of_the_machine_and_what_nobody_foresaw_apart(capsys):
    endings = {}
    for error in (CaseError("1", "broken"), OSError(errno.ENOSPC, "no space"), RuntimeError("CUDA error"), ValueError("odd")):
        with pytest.raises(SystemExit) as ended, run_edge():
            raise error
        endings[ended.value.code] = capsys.readouterr().err
    assert list(endings) == [1, 9, 10, 13]
    assert ["Traceback" in said for said in endings.values()] == [False, False, False, True]
    assert endings[13].splitlines()[-1].startswith("UnforeseenFault: ") and "(ValueError, above)" in endings[13]


# The classes are PyTorch's own; on a GPU none of this was run.
GONE = "CUDA error: unspecified launch failure\nCUDA kernel errors might be asynchronously reported at some other API call"
LOST = [RuntimeError(GONE), RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED")]
if hasattr(torch, "AcceleratorError"):
    LOST.append(torch.AcceleratorError("the device is gone"))


@pytest.mark.parametrize("error", LOST, ids=lambda error: str(error).split(":")[0])
def test_a_gpu_that_is_gone_ends_with_10(capsys, error):
    assert isinstance(machine_fault(error), DeviceError)
    assert end_of(error) == 10
    said = capsys.readouterr().err
    assert said.startswith("DeviceError: expected the GPU to compute") and "nvidia-smi" in said and said.count("\n") == 1


def test_a_gpu_without_memory_ends_with_10_and_another_remedy(capsys):
    assert end_of(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")) == 10
    assert "end what else uses it" in capsys.readouterr().err


def test_a_full_disk_does_not_stop_the_log_half_way(tmp_path):
    script = (
        "import resource, signal, sys, pathlib\n"
        "from src.process_edge import process_edge\n"
        "from src.run_log import RunLog\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with process_edge():\n"
        "    log = RunLog(pathlib.Path(sys.argv[1]))\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "    for number in range(1000):\n"
        "        log.event(round_number=number, phase='train', name='x' * 40)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 9 and "Traceback" not in done.stderr, done.stderr
    content = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8")
    assert content.endswith("}\n") and 900 < len(content) <= 1000, "whole lines alone, as many as there was room for"
