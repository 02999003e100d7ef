"""Windows that the ranges of a network's numbers are learned from: of training CTs, as they come when it predicts."""

from collections.abc import Iterator, Sequence

import numpy as np

from src.data.cache import PreparedCase
from src.model.card import ModelCard
from src.predict.openvino_model import scaled_hu
from src.predict.sliding_window import SlidingWindow


def calibration_windows(
    cases: Sequence[PreparedCase], card: ModelCard, *, overlap: float, num_windows: int
) -> Iterator[np.ndarray]:
    """Windows from all cases in turn, from each in an order of its own.

    Args:
        cases: at least one.
        card: of the network.
        overlap: as it will predict.
        num_windows: how many; fewer when the cases have no more.

    Yields:
        float32 (1, 1, X, Y, Z), what the network is fed with.
    """
    given, turns = 0, [_windows_of(case, card, overlap, number) for number, case in enumerate(cases)]
    while turns and given < num_windows:
        turn = turns.pop(0)
        window_XYZ = next(turn, None)
        if window_XYZ is not None:
            yield window_XYZ[None, None]
            given += 1
            turns.append(turn)


def _windows_of(case: PreparedCase, card: ModelCard, overlap: float, seed: int) -> Iterator[np.ndarray]:
    window = SlidingWindow(card.patch_voxels, overlap)
    image_XYZ, _ = window.padded(scaled_hu(case.hu_XYZ, card.preprocessing["window_hu"]), -1.0)
    places = window.places(image_XYZ.shape)
    for number in np.random.default_rng(seed).permutation(len(places)):
        yield np.ascontiguousarray(image_XYZ[places[number]])
