"""The sliding window without PyTorch: the windows, weights and blending of MONAI's ``SlidingWindowInferer`` in NumPy.

An engine that needs no PyTorch should not load it for this: it takes seconds, and more memory than the network.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

# Of MONAI (monai.data.utils.compute_importance_map): width of the Gaussian as a share of the window, and its least weight.
_SIGMA_SHARE = 0.125
_LEAST_WEIGHT = 1e-3
Windows = Iterator[np.ndarray]


class SlidingWindow:
    """Windows that cover an image with some overlap, blended with a Gaussian.

    Args:
        patch_voxels: size of a window in X, Y, Z.
        overlap: share of a window that its neighbour repeats, 0 to below 1.
    """

    def __init__(self, patch_voxels: Sequence[int], overlap: float) -> None:
        self.patch, self.overlap = tuple(patch_voxels), overlap
        gaussian_XYZ = _outer([_gaussian(length) for length in self.patch])
        self._weight_XYZ = np.maximum(gaussian_XYZ, max(float(gaussian_XYZ.min()), _LEAST_WEIGHT))

    def places(self, size_XYZ: Sequence[int]) -> list[tuple[slice, slice, slice]]:
        """Where the windows lie in an image at least as large as one; in the order of X, Y, Z."""
        starts = [self._starts(size, patch) for size, patch in zip(size_XYZ, self.patch, strict=True)]
        return [
            tuple(slice(start, start + length) for start, length in zip(place, self.patch, strict=True))
            for place in product(*starts)
        ]

    def _starts(self, size: int, patch: int) -> list[int]:
        interval = max(1, int(patch * (1 - self.overlap)))
        return [min(number * interval, size - patch) for number in range(math.ceil((size - patch) / interval) + 1)]

    def blended(self, image_XYZ: np.ndarray, outside: float, apply: Callable[[Windows], Windows]) -> np.ndarray:
        """What a network says of a whole image.

        Args:
            image_XYZ: of any dtype.
            outside: what is put around it where it is smaller than a window.
            apply: maps windows (X, Y, Z) to their outputs (C, X, Y, Z), in the same order; an output is used
                before the next is asked for.

        Returns:
            float32 (C, X, Y, Z): the mean of the outputs, weighted by how near the middle of its window a voxel is.
        """
        padded_XYZ, inner = self.padded(image_XYZ, outside)
        places = self.places(padded_XYZ.shape)
        total_CXYZ = self._summed(padded_XYZ.shape, places, apply(padded_XYZ[place] for place in places))
        self._divide(total_CXYZ, places)
        return total_CXYZ[(slice(None), *inner)]

    def padded(self, image_XYZ: np.ndarray, outside: float) -> tuple[np.ndarray, tuple[slice, slice, slice]]:
        """An image with something around it where it is smaller than a window, and where it lies in that."""
        missing = [max(0, patch - size) for patch, size in zip(self.patch, image_XYZ.shape, strict=True)]
        inner = tuple(slice(gap // 2, gap // 2 + size) for gap, size in zip(missing, image_XYZ.shape, strict=True))
        if any(missing):
            image_XYZ = np.pad(image_XYZ, [(gap // 2, gap - gap // 2) for gap in missing], constant_values=outside)
        return image_XYZ, inner

    def _summed(self, size_XYZ: Sequence[int], places: Sequence[tuple], outputs: Windows) -> np.ndarray:
        total_CXYZ = weighted_XYZ = None
        for place, output_CXYZ in zip(places, outputs, strict=True):
            if total_CXYZ is None:
                total_CXYZ = np.zeros((len(output_CXYZ), *size_XYZ), np.float32)
                weighted_XYZ = np.empty(self.patch, np.float32)
            for total_XYZ, output_XYZ in zip(total_CXYZ, output_CXYZ, strict=True):
                np.multiply(output_XYZ, self._weight_XYZ, out=weighted_XYZ)
                total_XYZ[place] += weighted_XYZ
        return total_CXYZ

    def _divide(self, total_CXYZ: np.ndarray, places: Sequence[tuple]) -> None:
        """Divides by the weights, block by block along X: all of them at once are as large as a channel."""
        for first in range(0, total_CXYZ.shape[1], self.patch[0]):
            block_CXYZ = total_CXYZ[:, first : first + self.patch[0]]
            weights_XYZ = np.zeros(block_CXYZ.shape[1:], np.float32)
            for x, y, z in places:
                low, high = max(x.start, first), min(x.stop, first + self.patch[0])
                if low < high:
                    weights_XYZ[low - first : high - first, y, z] += self._weight_XYZ[low - x.start : high - x.start]
            block_CXYZ /= weights_XYZ


def _gaussian(length: int) -> np.ndarray:
    distance = np.arange(length, dtype=np.float32) - np.float32((length - 1) / 2)
    return np.exp(distance**2 / np.float32(-2 * (_SIGMA_SHARE * length) ** 2))


def _outer(factors: Sequence[np.ndarray]) -> np.ndarray:
    x, y, z = factors
    return x[:, None, None] * y[None, :, None] * z[None, None, :]
