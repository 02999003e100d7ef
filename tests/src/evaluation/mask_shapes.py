"""Masks to measure: balls, slabs, random blobs and pairs of them, with voxels of several sizes."""

import numpy as np
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

SPACINGS_MM = [(1.0, 1.0, 1.0), (0.98, 0.98, 2.5), (3.0, 0.7, 1.3), (0.7265625, 2.0, 0.7265625)]
SMALL = (5, 4, 3)


def ball(shape, centre, radius_mm: float, spacing_mm=(1.0, 1.0, 1.0)) -> np.ndarray:
    """A ball round a voxel, bool (X, Y, Z)."""
    offsets = [(np.arange(size) - middle) * step for size, middle, step in zip(shape, centre, spacing_mm, strict=True)]
    x, y, z = np.meshgrid(*offsets, indexing="ij")
    return x**2 + y**2 + z**2 <= radius_mm**2


def plane(shape, axis: int, position: int) -> np.ndarray:
    """One layer of voxels across an axis, bool (X, Y, Z)."""
    mask = np.zeros(shape, bool)
    np.moveaxis(mask, axis, 0)[position] = True
    return mask


def blob(seed: int, shape=(24, 20, 10)) -> np.ndarray:
    """A random lump with holes and islands; the same for the same seed."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.5)
    return noise > np.quantile(noise, 0.8)


def small_masks() -> st.SearchStrategy[np.ndarray]:
    """Any mask of 5 × 4 × 3 voxels, empty and full ones too."""
    return st.integers(0, 2**60 - 1).map(
        lambda bits: np.array([(bits >> voxel) & 1 for voxel in range(60)], dtype=bool).reshape(SMALL)
    )


def small_pairs() -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    """Two masks of 5 × 4 × 3 voxels with something in each."""
    some = small_masks().filter(np.any)
    return st.tuples(some, some)


def spacings() -> st.SearchStrategy[tuple[float, float, float]]:
    return st.sampled_from(SPACINGS_MM)
