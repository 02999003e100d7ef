"""The average of networks of which not every site trained every row."""

import numpy as np
import pytest
from openfl.databases import TensorDB
from openfl.utilities import LocalTensor, TensorKey, change_tags

from src.learning.partial_label_average import PartialLabelAverage


def store(name: str, cases_SC: dict, previous: np.ndarray, round_number: int = 4) -> TensorDB:
    """OpenFL's own store, with the counts as sites send them, and noise of another round."""
    database = TensorDB()
    database.cache_tensor({TensorKey(name, "agg", round_number, False, ("model",)): previous})
    database.cache_tensor({TensorKey(name, "agg", round_number - 1, False, ("model",)): previous + 99})
    for site, cases_C in cases_SC.items():
        for channel, cases in enumerate(cases_C):
            key = f"train_cases/{channel:02d}/Structure{channel}"
            database.cache_tensor(
                {TensorKey(key, "agg", round_number, False, change_tags(("metric",), add_field=site)): np.float32(cases)}
            )
            database.cache_tensor(
                {TensorKey(key, "agg", round_number - 1, False, change_tags(("metric",), add_field=site)): np.float32(77)}
            )
    return database


def aggregate(name: str, values: dict, sizes: dict, cases_SC: dict, previous: np.ndarray) -> np.ndarray:
    local = [LocalTensor(col_name=site, tensor=values[site], weight=sizes[site]) for site in values]
    return PartialLabelAverage()(local, store(name, cases_SC, previous)._iterate(), name, 4, ("trained",))


def test_hand_computed_values():
    values = {"a": np.array([1, 10, 100], np.float32), "b": np.array([3, 30, 300], np.float32)}
    cases_SC = {"a": np.array([3.0, 0.0, 0.0]), "b": np.array([1.0, 5.0, 0.0])}
    previous = np.array([7, 8, np.float32(0.1)], np.float32)
    sizes = {"a": 0.75, "b": 0.25}
    assert aggregate("backbone.weight", values, sizes, cases_SC, previous).tolist() == [1.5, 15.0, 150.0]
    assert aggregate("head.bias", values, sizes, cases_SC, previous).tolist() == [1.5, 30.0, np.float32(0.1)]


def test_a_site_that_changed_a_row_it_does_not_contour_has_no_say_in_it():
    values = {"a": np.full(2, 5, np.float32), "b": np.full(2, 900, np.float32)}
    found = aggregate("head.bias", values, {"a": 0.5, "b": 0.5}, {"a": [2.0, 0.0], "b": [0.0, 0.0]}, np.zeros(2, np.float32))
    assert found.tolist() == [5.0, 0.0]


def test_a_site_that_sent_no_count_is_no_silent_zero():
    with pytest.raises(KeyError):
        aggregate("head.bias", {"a": np.zeros(2, np.float32)}, {"a": 1.0}, {"a": [1.0]}, np.zeros(2, np.float32))
