"""What the doctor says of noise: the promise at the end of the run, what is missing for it, and nothing where there is none."""

import sys

import pytest

from src.doctor.finding import Level
from src.doctor.noise import check_noise

NOISE = {"clip_norm": 5.0, "noise_multiplier": 2.0, "delta": 1e-5}


def with_noise(workspace, noise):
    plan = workspace.plan()
    plan["collaborator"]["settings"]["exchange"]["noise"] = noise
    workspace.write_plan(plan)
    return list(check_noise(workspace.place()))


def test_a_plan_without_noise_has_no_line(workspace):
    assert with_noise(workspace, None) == [] == list(check_noise(workspace.place()))


def test_the_promise_is_that_of_all_rounds_and_of_epochs_before(workspace):
    pytest.importorskip("dp_accounting")
    rounds = workspace.plan()["collaborator"]["settings"]["rounds"]
    (found,) = with_noise(workspace, NOISE)
    assert found.level is Level.OK and f"{rounds} models leave" in found.cause and "delta 1e-05" in found.cause
    workspace.write_peers({**workspace.peers(), "epoch": 3})
    (found,) = check_noise(workspace.place())
    assert f"{3 * rounds} models leave" in found.cause


def test_clipping_alone_is_warned_of_and_a_missing_library_is_a_failure(workspace, monkeypatch):
    pytest.importorskip("dp_accounting")
    (found,) = with_noise(workspace, {**NOISE, "noise_multiplier": 0.0})
    assert found.level is Level.WARNING and "promises nothing" in found.cause
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    (found,) = with_noise(workspace, NOISE)
    assert found.level is Level.FAILED and "pip install" in found.fix
