"""Looks and labels of figures."""

import matplotlib
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from experiments.report.drawing import new_figure, spread, style, svg_bytes
from experiments.report.palette import looks_of


@given(wanted=st.lists(st.floats(0, 1), min_size=1, max_size=12), least=st.floats(0.01, 0.3))
def test_labels_are_moved_apart_in_order_and_about_where_they_belong(wanted, least):
    placed = spread(wanted, least)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(placed[order]) >= least - 1e-9).all()
    assert np.isclose(placed.mean(), np.mean(wanted))


@given(start=st.floats(0, 1), number=st.integers(1, 8))
def test_labels_far_apart_stay(start, number):
    wanted = start + 0.5 * np.arange(number)
    assert np.allclose(spread(wanted, 0.4), wanted)


def test_a_figure_is_the_same_twice_and_leaves_no_settings_behind():
    before, pictures = dict(matplotlib.rcParams), []
    for _ in range(2):
        with style():
            figure = new_figure(1)
            figure.subplots().set_title("cost in $ <b> and $x_{")
            pictures.append(svg_bytes(figure))
    assert dict(matplotlib.rcParams) == before
    assert pictures[0] == pictures[1] and b"cost in $ &lt;b&gt; and $x_{" in pictures[0]


def test_every_arm_has_a_look_of_its_own_which_others_do_not_change(results):
    looks = looks_of(results)
    assert len(set(looks.values())) == len(looks) == len(results["arms"])
    shorter = {**results, "arms": [arm for arm in results["arms"] if arm["name"] in ("gossip", "fedavg_local")]}
    assert looks_of(shorter) == {arm["name"]: looks[arm["name"]] for arm in shorter["arms"]}
