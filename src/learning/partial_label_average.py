"""Averages the sites' networks; a structure's output row only over the sites that contour it.

FedAvg weights every tensor with the sites' numbers of training cases n_s,

    w = Σ_s n_s w_s / Σ_s n_s

(McMahan et al. 2017, arXiv:1602.05629, algorithm 1). A site that has no contour of structure c sends row c of the head as
it got it; averaging it in would pull the row back towards where the round began. So row c is weighted with n_sc, the cases of
site s in which c is contoured, and stays what it was, bit for bit, when all of them are 0.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from openfl.interface.aggregation_functions.core import AggregationFunction
from openfl.utilities import LocalTensor

from src.learning.row_average import average, average_rows
from src.model.network import HEAD_TENSORS

CASES = "train_cases"


class PartialLabelAverage(AggregationFunction):
    """The aggregation of the ``train`` task; OpenFL keeps one instance, which holds no state."""

    def call(
        self,
        local_tensors: list[LocalTensor],
        db_iterator: Iterable[Mapping],
        tensor_name: str,
        fl_round: int,
        tags: tuple[str, ...],
    ) -> np.ndarray:
        """Averages one tensor over the sites.

        Args:
            local_tensors: per site its name, its tensor and its share of all training cases.
            db_iterator: rows of OpenFL's tensor store with ``tensor_name``, ``round``, ``tags`` and ``nparray``; read only for
                the head's tensors, whose case counts (``train_cases/<channel>/<structure>``) and previous value it holds.
            tensor_name: name of the tensor.
            fl_round: round it was trained in.
            tags: tags of the tensor.

        Returns:
            float32 array of the tensors' shape.
        """
        sites = [tensor.col_name for tensor in local_tensors]
        tensors = {tensor.col_name: np.asarray(tensor.tensor) for tensor in local_tensors}
        if tensor_name not in HEAD_TENSORS:
            return average(tensors, {tensor.col_name: float(tensor.weight) for tensor in local_tensors})
        previous, cases_SC = _read_store(db_iterator, tensor_name, fl_round, sites)
        return average_rows(tensors, cases_SC, previous)


def _read_store(
    rows: Iterable[Mapping], tensor_name: str, round_number: int, sites: list[str]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The head tensor all sites began with, and each site's cases per channel."""
    previous = None
    counts: dict[str, dict[int, float]] = {site: {} for site in sites}
    for row in rows:
        if row["round"] != round_number:
            continue
        if row["tensor_name"] == tensor_name and tuple(row["tags"]) == ("model",):
            previous = np.asarray(row["nparray"])
        elif row["tensor_name"].startswith(f"{CASES}/"):
            channel = int(row["tensor_name"].split("/")[1])
            for site in set(sites) & set(row["tags"]):
                counts[site][channel] = float(row["nparray"])
    assert previous is not None, f"the store has no {tensor_name} of round {round_number}"
    cases_SC = {site: np.array([counts[site][channel] for channel in range(len(previous))]) for site in sites}
    return previous, cases_SC
