"""Rule ``adopt``: the peer's model takes the place of ours.

    w ← w_peer

With nothing before it and a chain as schedule, this is cyclic weight transfer (Chang et al. 2018, doi:10.1093/jamia/ocy017);
after ``mutual``, when both models have learnt from each other here, it is Def-KT (Li et al. 2022, arXiv:2012.13063): the
incoming model, now taught by ours, stays, and ours goes.
"""

from collections.abc import Mapping

import numpy as np


def adopt(
    own: Mapping[str, np.ndarray],
    own_rows_C: np.ndarray,
    peer: Mapping[str, np.ndarray],
    peer_rows_C: np.ndarray,
    head: tuple[str, ...],
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The peer's tensors, but for output rows that it has not trained: those stay ours.

    Also where we have not trained them either: the wire rounds, and a row that has moved counts as trained.

    Args:
        own, peer: tensors by name.
        own_rows_C, peer_rows_C: cases behind each output row, (C,); 0 where nobody has trained it.
        head: names of the tensors with one row per structure.

    Returns:
        Tensors in memory of their own, and the cases behind each row.
    """
    tensors = {name: np.array(values) for name, values in peer.items()}
    ours_C = np.asarray(peer_rows_C) == 0
    for name in head:
        tensors[name][ours_C] = own[name][ours_C]
    return tensors, np.where(ours_C, own_rows_C, peer_rows_C)
