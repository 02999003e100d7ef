"""Where mixed precision pays: bfloat16 on hardware that computes in it, float32 elsewhere.

The choice follows from what the processor can do, not from timing a few steps: a timing would make two runs on one machine
differ. bfloat16 needs no loss scaling, its range is that of float32.
"""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from src.errors import PlanSettingError

if TYPE_CHECKING:  # who predicts without PyTorch needs the names alone
    import torch

PRECISIONS = ("auto", "bfloat16", "float32")


def choose_precision(setting: str, device: "torch.device") -> "torch.dtype":
    """The dtype convolutions run in.

    Args:
        setting: one of ``PRECISIONS``; ``auto`` is bfloat16 where the processor has AMX or AVX512-BF16, or the GPU has it.
        device: where the network runs.

    Raises:
        PlanSettingError: another setting.
    """
    import torch

    if setting not in PRECISIONS:
        raise PlanSettingError(f"task_runner.precision: expected {', '.join(PRECISIONS)}, found '{setting}'")
    if setting != "auto":
        return torch.bfloat16 if setting == "bfloat16" else torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if fast else torch.float32


def autocast(dtype: "torch.dtype", device: "torch.device") -> AbstractContextManager:
    """The context in which the network is called."""
    import torch

    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype is torch.bfloat16)
