"""The class-wise divergence against its formula, and the laws that make it safe to add to a loss."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.learning.divergence import class_divergence

SHAPE = (2, 3, 4, 3, 2)


def logits(seed: int, scale: float = 3.0) -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed)) * scale


def some_region(seed: int, share: float = 0.5) -> torch.Tensor:
    return torch.rand(SHAPE, generator=torch.Generator().manual_seed(seed)) < share


def formula(own, peer, region, trust=None):
    """The definition, in float64 and with probabilities as they are."""
    p, q = torch.sigmoid(own.double()), torch.sigmoid(peer.double())
    voxels = q * (q / p).log() + (1 - q) * ((1 - q) / (1 - p)).log()
    voxels = voxels if trust is None else voxels * trust
    return torch.stack([voxels[:, c][region[:, c]].mean() for c in range(SHAPE[1])])


def test_a_value_by_hand():
    own, peer = torch.zeros(1, 1, 1, 1, 1), torch.full((1, 1, 1, 1, 1), torch.logit(torch.tensor(0.8)).item())
    found = class_divergence(own, peer, torch.ones(1, 1, 1, 1, 1, dtype=torch.bool))
    # 0.8 ln(0.8 / 0.5) + 0.2 ln(0.2 / 0.5)
    assert found.item() == pytest.approx(0.192745, abs=1e-5)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.1, 8), trusted=st.booleans())
def test_value_and_gradient_are_those_of_the_formula(seed, scale, trusted):
    own, peer, region = logits(seed, scale).requires_grad_(), logits(seed + 1, scale), some_region(seed + 2)
    trust = torch.rand(SHAPE, generator=torch.Generator().manual_seed(seed)) if trusted else None
    factor_C = torch.tensor([0.5, 1.0, 2.0])
    found = class_divergence(own, peer, region, trust)
    (gradient,) = torch.autograd.grad((found * factor_C).sum(), own)
    exact = own.detach().double().requires_grad_()
    expected = formula(exact, peer, region, trust)
    (expected_gradient,) = torch.autograd.grad((expected * factor_C).sum(), exact)
    assert found.dtype == torch.float32 and (found >= 0).all()
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(gradient.double(), expected_gradient, rtol=1e-4, atol=1e-7)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.1, 60), dtype=st.sampled_from([torch.float32, torch.bfloat16]))
def test_identical_models_are_no_distance_apart_and_pull_at_nothing(seed, scale, dtype):
    own = logits(seed, scale).to(dtype).requires_grad_()
    divergence = class_divergence(own, own.detach().clone(), some_region(seed))
    divergence.sum().backward()
    assert torch.equal(divergence.detach(), torch.zeros(3))
    assert own.grad.dtype == dtype and not own.grad.any()


def test_the_peer_gets_no_gradient():
    own, peer = logits(0).requires_grad_(), logits(1).requires_grad_()
    class_divergence(own, peer, some_region(2)).sum().backward()
    assert peer.grad is None and own.grad.any()


def test_an_empty_region_gives_exactly_zero_and_no_gradient():
    own, region = logits(0).requires_grad_(), some_region(1)
    region[:, 1] = False
    divergence = class_divergence(own, logits(2), region)
    divergence.sum().backward()
    assert divergence[1] == 0 and divergence[0] > 0
    assert torch.equal(own.grad[:, 1], torch.zeros_like(own.grad[:, 1]))
    nothing = class_divergence(own, logits(2), torch.zeros_like(region))
    assert torch.equal(nothing, torch.zeros(3)) and nothing.requires_grad


def test_what_lies_outside_the_region_is_not_read():
    own, peer, region = logits(0), logits(1), some_region(2)
    expected = class_divergence(own, peer, region)
    peer[~region] = torch.nan
    own[~region] = torch.inf
    assert torch.equal(class_divergence(own, peer, region), expected)


def test_structures_are_averaged_before_they_meet():
    # A structure of one voxel and one of many, equally wrong everywhere, weigh the same.
    region = torch.zeros(SHAPE, dtype=torch.bool)
    region[:, 0], region[0, 1, 0, 0, 0] = True, True
    divergence = class_divergence(torch.zeros(SHAPE), torch.full(SHAPE, 2.0), region)
    assert divergence[0] == pytest.approx(divergence[1].item(), rel=1e-6)


@pytest.mark.parametrize("own, peer", [(200.0, -200.0), (-200.0, 200.0), (90.0, 80.0), (-1e30, 1e30), (0.0, 3e38)])
def test_extreme_logits_stay_finite(own, peer):
    own = torch.full(SHAPE, own, requires_grad=True)
    divergence = class_divergence(own, torch.full(SHAPE, peer), some_region(0))
    divergence.sum().backward()
    assert torch.isfinite(divergence).all() and torch.isfinite(own.grad).all()
