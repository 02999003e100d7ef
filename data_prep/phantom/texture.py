"""What a scanner adds: correlated grain, blur, quantum noise that grows behind thick bodies, streaks from metal."""

import numpy as np
from scipy import ndimage

from data_prep.phantom.patient import Grid
from data_prep.phantom.shapes import Points

GRAIN_MM = (14.0, 6.0)


def correlated_noise(grid: Grid, width_mm: tuple[float, float, float], rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise of mean about 0 and standard deviation 1, smooth over ``width_mm`` in x, y, z: float32 (X, Y, Z)."""
    white = rng.standard_normal(grid.size, dtype=np.float32)
    sigma = np.divide(width_mm, grid.spacing_mm)
    smooth = ndimage.gaussian_filter(white, sigma, mode="wrap", truncate=3)
    return smooth / np.maximum(smooth.std(), np.float32(1e-6))


def grain(grid: Grid, rng: np.random.Generator) -> np.ndarray:
    """The texture that tissues share, coarse and fine, standard deviation about 1: float32 (X, Y, Z)."""
    octaves = [correlated_noise(grid, (width_mm,) * 3, rng) for width_mm in GRAIN_MM]
    return sum(octaves) / np.float32(np.sqrt(len(octaves)))


def quantum_noise_hu(hu: np.ndarray, grid: Grid, noise_hu: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of one scan: fine, plus streaks along the patient's width where the rays cross most tissue, as at the shoulders.

    Args:
        hu: the noiseless CT, float32 (X, Y, Z).
        grid: its grid.
        noise_hu: standard deviation behind 320 mm of water.
        rng: the scan's own.

    Returns:
        float32 (X, Y, Z), HU to add.
    """
    water_mm = np.clip(hu / 1000 + 1, 0, 2).sum(axis=0, keepdims=True, dtype=np.float32) * np.float32(grid.spacing_mm[0])
    level = np.exp(np.clip((water_mm - 320) / 300, -1.2, 0.8), dtype=np.float32) * np.float32(noise_hu)
    fine_mm = [0.5 * step for step in grid.spacing_mm]
    streak_mm = (45.0, 0.45 * grid.spacing_mm[1], 0.3 * grid.spacing_mm[2])
    streaks = np.clip((water_mm - 300) / 150, 0, 1.2)
    return level * (correlated_noise(grid, fine_mm, rng) + streaks * correlated_noise(grid, streak_mm, rng))


def metal_streaks_hu(points: Points, centre_mm: tuple, strength_hu: float, rng: np.random.Generator) -> np.ndarray:
    """Bright and dark rays from one metal filling, fading over 40 mm and confined to the slices near it.

    Returns:
        float32 of the points' shape, HU to add.
    """
    x, y, z = (axis - np.float32(at) for axis, at in zip(points, centre_mm, strict=True))
    angle = np.arctan2(y, x)
    orders, turns, weights = rng.integers(1, 9, 5) * 2, rng.uniform(0, 2 * np.pi, 5), rng.normal(0, 1, 5)
    rays = sum(
        np.float32(weight) * np.cos(np.float32(order) * angle + np.float32(turn))
        for order, turn, weight in zip(orders, turns, weights, strict=True)
    )
    fading = np.exp(-np.hypot(x, y) / np.float32(40) - np.square(z / np.float32(5)))
    return (np.float32(strength_hu / 2) * rays * fading).astype(np.float32)
