"""Rule ``average``: a site's model becomes the weighted mean of its own and its peers'.

    w ← Σ_j W_j w_j                             j over ourselves and the peers of this exchange, Σ_j W_j = 1

(gossip averaging, Boyd et al. 2006, doi:10.1109/TIT.2006.874516; with local training in between D-PSGD, Lian et al. 2017,
arXiv:1705.09056.) A row of the head belongs to one structure, and not every model was trained on it. So row c is the mean over
those that were, weighted with the cases that stand behind it, as the partial-label average of FedAvg does it:

    row c ← Σ_j W_j n_jc w_jc / Σ_j W_j n_jc    and stays what it was when all n_jc are 0

n_jc is the row's mass, and travels with the row. A site that has none takes over, with the row, the (W-weighted) mean mass of
those it got it from, and thereby hands the row on to sites that meet only it, with the weight it had at its origin. A site that
has some keeps its number: added up at every meeting, the same patients would count again and again. The masses are weights, no
census: one patient can stand behind the row at several sites.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np

from src.model.network import HEAD_TENSORS

# What is left of our own share by rounding when the peers' make up one.
_ROUNDING = 1e-9


def average_with_peers(
    own: Mapping[str, np.ndarray],
    own_rows_C: np.ndarray,
    peers: Sequence[tuple[float, Mapping[str, np.ndarray], np.ndarray]],
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The mean of our model and the peers'; the same bits whatever the order of the peers.

    Args:
        own: our tensors by name, float32; those of ``HEAD_TENSORS`` have one row per structure.
        own_rows_C: cases behind each of our rows, (C,), at least 0.
        peers: share in the mean, tensors of our names and shapes, and cases behind each row, (C,). The shares are above 0 and
            sum up to at most 1; the rest is ours. No peers leave our model as it is.

    Returns:
        The mean, float32, summed in float64, in memory of its own; and the cases behind each of its rows, float64 (C,).
    """
    peers = sorted(peers, key=_fingerprint) if len(peers) > 1 else peers
    own_share = 1 - math.fsum(share for share, _, _ in peers)
    assert own_share > -_ROUNDING, f"expected shares that sum up to at most 1, found {1 - own_share}"
    shares = [own_share if own_share > _ROUNDING else 0.0, *(share for share, _, _ in peers)]
    models = [own, *(tensors for _, tensors, _ in peers)]
    cases_MC = np.stack([np.asarray(rows, dtype=np.float64) for rows in (own_rows_C, *(rows for _, _, rows in peers))])
    mean = {}
    for name in own:
        tensors = [model[name] for model in models]
        mean[name] = _mean_of_rows(tensors, shares, cases_MC) if name in HEAD_TENSORS else _mean(tensors, shares)
    return mean, np.array([_mass(shares, cases_M) for cases_M in cases_MC.T])


def _mean(tensors: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Those of weight 0 are not looked at: they would turn -0.0 into 0.0."""
    total, mean = math.fsum(weights), None
    for tensor, weight in zip(tensors, weights, strict=True):
        if weight > 0:
            part = tensor.astype(np.float64) * (weight / total)
            mean = part if mean is None else mean + part
    return mean.astype(np.float32)


def _mean_of_rows(tensors: Sequence[np.ndarray], shares: Sequence[float], cases_MC: np.ndarray) -> np.ndarray:
    rows = np.array(tensors[0], dtype=np.float32)
    assert cases_MC.shape == (len(tensors), len(rows)), f"expected cases for {len(rows)} rows, found {cases_MC.shape[1]}"
    for channel, cases_M in enumerate(cases_MC.T):
        weights = [share * cases for share, cases in zip(shares, cases_M.tolist(), strict=True)]
        if any(weights):
            rows[channel] = _mean([tensor[channel] for tensor in tensors], weights)
    return rows


def _mass(shares: Sequence[float], cases_M: np.ndarray) -> float:
    """The cases behind a row after the exchange; our own come first."""
    if cases_M[0] > 0:
        return float(cases_M[0])
    have = [(share, cases) for share, cases in zip(shares, cases_M.tolist(), strict=True) if share * cases > 0]
    total = math.fsum(share for share, _ in have)
    return min(math.fsum(share / total * cases for share, cases in have), max(cases_M.tolist()))


def _fingerprint(peer: tuple[float, Mapping[str, np.ndarray], np.ndarray]) -> bytes:
    """Of the content: sums of floats depend on their order, and peers carry no name here."""
    share, tensors, rows_C = peer
    digest = hashlib.sha256(np.array([share, *rows_C], dtype=np.float64).tobytes())
    for name in sorted(tensors):
        digest.update(np.ascontiguousarray(tensors[name]).reshape(-1).view(np.uint8))
    return digest.digest()
