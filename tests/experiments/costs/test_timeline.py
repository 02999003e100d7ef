"""Clocks that only go forward, and what is drawn of them."""

import numpy as np

from experiments.costs.timeline import Timeline


def test_bars_follow_one_another_at_a_site():
    timeline = Timeline(["a", "b"], 2)
    timeline.spend(0, "train", np.array([3.0, 4.0]))
    timeline.spend(1, "train", np.array([5.0, 1.0]))
    timeline.wait_until(0, np.array([5.0, 1.0]))
    timeline.spend(0, "upload", np.array([2.0, 2.0]))
    assert timeline.now_s_DS.tolist() == [[7.0, 5.0], [6.0, 1.0]]
    assert timeline.gantt(0) == [
        {"site": "a", "kind": "train", "start_s": 0.0, "end_s": 3.0},
        {"site": "b", "kind": "train", "start_s": 0.0, "end_s": 5.0},
        {"site": "a", "kind": "wait", "start_s": 3.0, "end_s": 5.0},
        {"site": "a", "kind": "upload", "start_s": 5.0, "end_s": 7.0},
    ]


def test_who_need_not_wait_does_not():
    timeline = Timeline(["a", "b"], 2)
    timeline.spend(0, "train", np.array([3.0, 4.0]))
    timeline.wait_until(0, np.array([1.0, 4.0]))
    assert [bar["kind"] for bar in timeline.gantt(0)] == ["train"] and timeline.now_s_DS[:, 0].tolist() == [3.0, 4.0]
