"""The sliding window without PyTorch gives what MONAI's gives."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.inferers import SlidingWindowInferer

from src.predict.sliding_window import SlidingWindow

PATCH = (8, 6, 4)
sizes = st.tuples(st.integers(1, 20), st.integers(1, 15), st.integers(1, 13))
overlaps = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9])


def _network(windows_B1XYZ: torch.Tensor) -> torch.Tensor:
    """Two channels that depend on the place within the window, so that blending matters."""
    place = torch.linspace(0, 1, windows_B1XYZ[0].numel()).reshape(1, *windows_B1XYZ.shape[1:])
    return torch.cat([windows_B1XYZ * place, windows_B1XYZ - place], dim=1)


@settings(max_examples=25, deadline=None)
@given(size=sizes, overlap=overlaps, seed=st.integers(0, 99))
def test_equals_monai(size, overlap, seed):
    image_XYZ = np.random.default_rng(seed).uniform(-1, 1, size).astype(np.float32)
    monai = SlidingWindowInferer(PATCH, sw_batch_size=2, overlap=overlap, mode="gaussian", cval=-1.0)
    expected_CXYZ = monai(torch.from_numpy(image_XYZ)[None, None], _network)[0].numpy()
    ours_CXYZ = SlidingWindow(PATCH, overlap).blended(
        image_XYZ,
        -1.0,
        lambda windows: (_network(torch.from_numpy(window.copy())[None, None])[0].numpy() for window in windows),
    )
    assert ours_CXYZ.dtype == np.float32
    np.testing.assert_allclose(ours_CXYZ, expected_CXYZ, rtol=1e-5, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(size=st.tuples(st.integers(8, 20), st.integers(6, 15), st.integers(4, 13)), overlap=overlaps)
def test_windows_cover_every_voxel_and_stay_inside(size, overlap):
    seen_XYZ = np.zeros(size, int)
    for place in SlidingWindow(PATCH, overlap).places(size):
        assert seen_XYZ[place].shape == PATCH
        seen_XYZ[place] += 1
    assert seen_XYZ.min() >= 1


def test_an_output_is_used_before_the_next_is_asked_for():
    """An engine may write every output into the same memory."""
    image_XYZ = np.random.default_rng(0).uniform(-1, 1, (20, 12, 9)).astype(np.float32)
    memory_CXYZ = np.empty((1, *PATCH), np.float32)

    def into_memory(windows):
        for window_XYZ in windows:
            memory_CXYZ[0] = window_XYZ
            yield memory_CXYZ

    np.testing.assert_allclose(
        SlidingWindow(PATCH, 0.5).blended(image_XYZ, -1.0, into_memory)[0], image_XYZ, rtol=1e-5, atol=1e-6
    )
