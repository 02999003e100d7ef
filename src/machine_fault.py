"""Faults of the machine under a site, told in its own words: a full disk, a disk that refuses, a GPU that is gone.

Libraries report them in many ways: safetensors with an error of its own, NumPy without an error number, PyTorch by class in one
version and by message in the next.
"""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from src.errors import DeviceError, DiskError, OarError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
# What an OSError that nobody expected says of a disk; one without a right to read says nothing of it.
_OF_A_DISK = {*_NO_ROOM, errno.EROFS, errno.EFBIG}
_BYTES_PER_MB = 1e6
_HARDLY_ANY_BYTES = 2**20


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within, a file or folder of this site is written; that it cannot be is told as a ``DiskError``.

    Raises:
        DiskError: it is full, may not be written to, or is damaged.
    """
    try:
        yield
    except OarError:
        raise
    except (OSError, SafetensorError) as error:
        raise DiskError(_cannot_write(path, error)) from error


def machine_fault(error: BaseException) -> OarError | None:
    """What an exception that nobody dealt with says of disk or GPU; None when it is about something else.

    Args:
        error: of any library.
    """
    if isinstance(error, OSError) and error.errno in _OF_A_DISK:
        return DiskError(_cannot_write(Path(error.filename or "."), error))
    if isinstance(error, RuntimeError) and _is_of_gpu(error):
        return DeviceError(_gpu_failed(error))
    return None


def _cannot_write(path: Path, error: Exception) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    folder = path if path.is_dir() else path.parent
    free_bytes = _free_bytes(folder)
    if not _is_full(error, reason, free_bytes):
        return (
            f"expected to write in '{folder}', found that it cannot be ({reason}); make the disk work and the folder writable "
            "for the user who runs this, and start again"
        )
    free = "" if free_bytes is None else f", {free_bytes / _BYTES_PER_MB:.0f} MB free there"
    return (
        f"expected room to write in '{folder}', found a full disk ({reason}{free}); make room on it and start again. While "
        "nothing runs, cache/ and logs/<site>/tensorboard/ may be deleted; never delete local_state/"
    )


def _is_full(error: Exception, reason: str, free_bytes: int | None) -> bool:
    number = getattr(error, "errno", None)
    if number is not None:
        return number in _NO_ROOM
    # safetensors tells it in words, NumPy only that not all was written.
    return f"os error {errno.ENOSPC}" in reason or (free_bytes is not None and free_bytes < _HARDLY_ANY_BYTES)


def _free_bytes(folder: Path) -> int | None:
    with suppress(OSError):
        return shutil.disk_usage(folder).free
    return None


def _is_of_gpu(error: RuntimeError) -> bool:
    # torch.AcceleratorError is new in PyTorch 2.8; before, and from cuDNN and cuBLAS still, only the message tells.
    names = {kind.__name__ for kind in type(error).__mro__}
    is_named = bool(names & {"AcceleratorError", "OutOfMemoryError"})
    return is_named or any(
        sign in str(error)
        for sign in ("CUDA error", "CUDA out of memory", "CUDA driver", "CUDA unknown error", "cuDNN error", "NVML")
    )


def _gpu_failed(error: RuntimeError) -> str:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    if "out of memory" in reason:
        return (
            f"expected room on the GPU, found none ({reason}); end what else uses it (nvidia-smi names it) and start again; "
            "where the GPU is too small for the plan, put CUDA_VISIBLE_DEVICES= in front to compute on the processor"
        )
    return (
        f"expected the GPU to compute, found that it does not any more ({reason}); look at nvidia-smi, restart the driver or "
        "the machine, and start again: the site goes on after its last finished round"
    )
