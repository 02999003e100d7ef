"""The GPU: there, usable by PyTorch, and with memory for a training step; or none, and nobody asked for one."""

import os
from collections.abc import Iterator
from pathlib import Path

from src.doctor.finding import Finding, failed, ok, warning
from src.doctor.needs import GIB, training_bytes
from src.doctor.state_folder import is_running
from src.doctor.workplace import Workplace

_DRIVER = Path("/proc/driver/nvidia/version")
# Set by people, by container runtimes and by cluster schedulers; what asks for none.
_ASKING, _NONE = ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"), ("", "-1", "void", "none", "NoDevFiles")


def check_gpu(place: Workplace) -> Iterator[Finding]:
    """Computes something on it; its free memory against a training step."""
    place.runner  # noqa: B018 - also sees to it that one thread alone imports PyTorch
    import torch

    if not torch.cuda.is_available():
        yield _absent(torch.version.cuda)
        return
    try:
        free, total = torch.cuda.mem_get_info()
        usable = float(torch.ones(8, device="cuda").sum()) == 8.0
    except RuntimeError as error:
        yield failed("GPU", f"PyTorch finds one and cannot use it ({str(error).splitlines()[0]})", "nvidia-smi")
        return
    needed = training_bytes(place)
    cause = f"{torch.cuda.get_device_name()}, {free / GIB:.1f} of {total / GIB:.1f} GiB free, about {needed / GIB:.1f} needed"
    if not usable:
        yield failed("GPU", f"{cause}; it computes wrongly", "nvidia-smi -q -d ECC")
    elif free < needed and not (place.has_peers and is_running(place.state_folder)):
        yield warning("GPU", cause, "nvidia-smi; end what else uses it")
    else:
        yield ok("GPU", cause)


def _absent(built_for: str | None) -> Finding:
    asked = [f"{name}={os.environ[name]}" for name in _ASKING if os.environ.get(name, "") not in _NONE]
    if not asked and not _DRIVER.exists():
        return ok("GPU", "none here; the site trains on the processor")
    why = f"{' and '.join(asked)} asks for one" if asked else "the NVIDIA driver is loaded"
    if built_for is None:
        cause = f"{why}, and this PyTorch is built for the processor alone"
        return failed(
            "GPU", cause, "nvidia-smi; pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu128"
        )
    return failed("GPU", f"{why}, and PyTorch (CUDA {built_for}) finds none", "nvidia-smi; or unset CUDA_VISIBLE_DEVICES")
