"""One model for the whole federation: a last full average of the final models of those present.

    w = (1/S) Σ_s w_s;  output row c:  Σ_s n_sc w_sc / Σ_s n_sc,  n_sc the training cases of c at site s

For sites that had no part in the training. Computed from what was on the wire, ours included, in the order of names: each site
that saw the same models comes to the same bits.

Source: the final global average of decentralised SGD, Lian et al. 2017, arXiv:1705.09056; rows as in ``row_average``.
"""

from collections.abc import Sequence

import numpy as np

from src.exchange.learner import PeerModel
from src.model.network import HEAD_TENSORS


def consensus(finals: Sequence[PeerModel], structures: Sequence[str]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The average of final models, summed in float64; memory holds the sum and one model.

    Args:
        finals: at least one.
        structures: in channel order.

    Returns:
        Tensors by name, float32, and the cases behind each output row, (C,). A row that no site trained is the plain mean.
    """
    cases_SC = np.array([[float(model.manifest.train_cases[name]) for name in structures] for model in finals])
    total_C = cases_SC.sum(axis=0)
    share_SC = np.where(total_C > 0, cases_SC / np.maximum(total_C, 1), 1 / len(finals))
    order = sorted(range(len(finals)), key=lambda index: finals[index].manifest.site)
    sums: dict[str, np.ndarray] = {}
    for index in order:
        for name, tensor in finals[index].read().items():
            values = tensor.numpy().astype(np.float64)
            row_shape = (-1, *[1] * (values.ndim - 1))
            share = share_SC[index].reshape(row_shape) if name in HEAD_TENSORS else 1 / len(finals)
            sums[name] = sums.get(name, 0.0) + share * values
    return {name: values.astype(np.float32) for name, values in sums.items()}, total_C
