"""Where models learn from each other: dilated in millimetres, case by case, and only what is asked for."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.learning.region import dilate, dilation_voxels, teaching_region

SHAPE = (12, 10, 8)
NOWHERE = -5.0


def scene(num_structures: int = 3, batch_size: int = 2):
    """Logits that see nothing, nothing contoured in any voxel, everything contoured as a habit."""
    own = torch.full((batch_size, num_structures, *SHAPE), NOWHERE)
    bits = torch.zeros(batch_size, *SHAPE, dtype=torch.int32)
    return own, own.clone(), bits, torch.ones(batch_size, num_structures, dtype=torch.bool)


def region_of(own, peer, bits, contoured, taught=None, radius=(0, 0, 0), seed=0):
    taught_C = torch.ones(own.shape[1], dtype=torch.bool) if taught is None else torch.tensor(taught)
    return teaching_region(own, peer, bits, contoured, taught_C=taught_C, radius_XYZ=radius, seed=seed)


def voxels(mask_XYZ) -> set[tuple[int, ...]]:
    return set(map(tuple, mask_XYZ.nonzero().tolist()))


def test_millimetres_become_voxels_of_each_axis():
    assert dilation_voxels(12.0, (4.0, 4.0, 3.0)) == (3, 3, 4)
    assert dilation_voxels(0.0, (4.0, 4.0, 3.0)) == (0, 0, 0)
    assert dilation_voxels(3.0, (2.0, 4.0, 10.0)) == (2, 1, 0)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), radius=st.tuples(*[st.integers(0, 14)] * 3))
def test_dilation_is_the_maximum_over_a_box(seed, radius):
    generator = torch.Generator().manual_seed(seed)
    masks = torch.rand(2, 3, *SHAPE, generator=generator) < 0.01
    bits = sum(masks[:, c].to(torch.int32) << c for c in range(3))
    before = bits.clone()
    found = dilate(bits, radius)
    # Pooling with padding of at most half the window: pad by hand.
    padded = torch.nn.functional.pad(masks.float(), [r for radius_one in radius[::-1] for r in (radius_one, radius_one)])
    expected = torch.nn.functional.max_pool3d(padded, [2 * r + 1 for r in radius], stride=1) > 0
    assert torch.equal(bits, before)
    for channel in range(3):
        assert torch.equal((found & (1 << channel)) != 0, expected[:, channel])


def test_around_a_contour_and_where_either_model_sees_it():
    own, peer, bits, contoured = scene()
    bits[0, 5, 5, 4] = 1 << 1
    own[0, 1, 0, 0, 0] = peer[0, 1, 11, 9, 7] = 0.1
    peer[0, 1, 11, 9, 6] = 0.0  # a probability of one half is not more than one half
    region = region_of(own, peer, bits, contoured, radius=(1, 0, 2))
    box = {(x, 5, z) for x in (4, 5, 6) for z in (2, 3, 4, 5, 6)}
    assert voxels(region[0, 1]) == box | {(0, 0, 0), (11, 9, 7)}
    assert not region[1].any() and not region[0, [0, 2]].any()


def test_not_contoured_here_the_peer_is_dilated_and_background_sampled():
    own, peer, bits, contoured = scene()
    contoured[1, 2] = False
    bits[1, 0, 0, 0] = 1 << 2  # in a channel that is not contoured: never read
    peer[:, 2, 5, 5, 4] = 2.0
    own[:, 2, 9, 9, 0] = 2.0
    region = region_of(own, peer, bits, contoured, radius=(1, 1, 1))
    ball = {(x, y, z) for x in (4, 5, 6) for y in (4, 5, 6) for z in (3, 4, 5)}
    # The same structure is contoured in the other case: there the peer is not dilated, and nothing is sampled.
    assert voxels(region[0, 2]) == {(5, 5, 4), (9, 9, 0)}
    found = voxels(region[1, 2])
    assert ball | {(9, 9, 0)} <= found
    sample = found - ball - {(9, 9, 0)}
    assert 5 <= len(sample) <= 15  # 960 voxels, one in 64
    again = region_of(own, peer, bits, contoured, radius=(1, 1, 1))
    assert torch.equal(region, again)
    assert not torch.equal(region, region_of(own, peer, bits, contoured, radius=(1, 1, 1), seed=1))


def test_a_channel_that_is_not_taught_has_no_region():
    own, peer, bits, contoured = scene()
    bits[:] = 0b111
    contoured[:, 0] = False
    own[:], peer[:] = 4.0, 4.0
    region = region_of(own, peer, bits, contoured, taught=[False, True, False], radius=(2, 2, 2))
    assert region[:, 1].all() and not region[:, [0, 2]].any()
    assert not region_of(own, peer, bits, contoured, taught=[False] * 3).any()


def test_the_last_of_31_structures_has_its_bit():
    own, peer, bits, contoured = scene(num_structures=31, batch_size=1)
    bits[0, 1, 1, 1] = 1 << 30
    region = region_of(own, peer, bits, contoured, radius=(0, 0, 1))
    assert voxels(region[0, 30]) == {(1, 1, 0), (1, 1, 1), (1, 1, 2)} and not region[0, :30].any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_the_global_generator_is_left_alone(dtype):
    own, peer, bits, contoured = scene()
    contoured[:] = False
    before = torch.random.get_rng_state()
    assert region_of(own.to(dtype), peer.to(dtype), bits, contoured).any()
    assert torch.equal(before, torch.random.get_rng_state())
