"""Precision follows the plan or the hardware, never a timing."""

import pytest
import torch

from src.errors import PlanSettingError
from src.model.precision import autocast, choose_precision

CPU = torch.device("cpu")


def test_what_the_plan_names_is_used():
    assert choose_precision("float32", CPU) is torch.float32
    assert choose_precision("bfloat16", CPU) is torch.bfloat16


@pytest.mark.parametrize(("avx512", "amx", "expected"), [(1, 0, torch.bfloat16), (0, 1, torch.bfloat16), (0, 0, torch.float32)])
def test_auto_asks_the_processor(monkeypatch, avx512, amx, expected):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bool(avx512))
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: bool(amx))
    assert choose_precision("auto", CPU) is expected


def test_convolutions_run_in_the_chosen_dtype():
    convolution = torch.nn.Conv3d(1, 1, 1)
    for dtype in (torch.float32, torch.bfloat16):
        with autocast(dtype, CPU):
            assert convolution(torch.zeros(1, 1, 2, 2, 2)).dtype is dtype


def test_another_word_is_refused():
    with pytest.raises(PlanSettingError, match="float16"):
        choose_precision("float16", CPU)
