"""A line as arithmetic: order, delay, rate, a full queue, and the share that is lost."""

import random

from hypothesis import given
from hypothesis import strategies as st

from experiments.soak.line import QUEUE_S, LineCondition, OneWay

CONDITION = st.builds(
    LineCondition,
    latency_s=st.floats(0, 1),
    loss=st.just(0.0),
    rate_bits_per_s=st.one_of(st.none(), st.floats(1e5, 1e8)),
)


@given(CONDITION, st.lists(st.tuples(st.floats(0, 0.1), st.integers(40, 1500)), max_size=50))
def test_nothing_overtakes_comes_early_or_waits_longer_than_the_queue(condition, packets):
    way, entered_s, last_s = OneWay(random.Random(0)), 0.0, 0.0
    for pause_s, num_bytes in packets:
        entered_s += pause_s
        there_s = way.arrival_s(entered_s, num_bytes, condition)
        if there_s is None:
            assert condition.rate_bits_per_s is not None, "only a slow line has a full queue"
            continue
        own_s = 8 * num_bytes / condition.rate_bits_per_s if condition.rate_bits_per_s else 0.0
        assert entered_s + condition.latency_s <= there_s <= entered_s + condition.latency_s + QUEUE_S + own_s + 1e-9
        assert there_s >= last_s
        last_s = there_s


def test_the_rate_is_what_comes_out():
    way, condition = OneWay(random.Random(0)), LineCondition(latency_s=0.0, rate_bits_per_s=1e6)
    times = [way.arrival_s(0.0, 1250, condition) for _ in range(100)]  # a hundredth of a second each
    passed = [there_s for there_s in times if there_s is not None]
    assert passed[-1] <= QUEUE_S + 0.011 and way.overflowed == 100 - len(passed) > 0
    assert abs(1e6 * passed[-1] - len(passed) * 1250 * 8) < 1.0


def test_the_share_is_lost_and_the_seed_says_which():
    condition = LineCondition(loss=0.05)
    lost = [[OneWay.arrival_s(way, 0.0, 100, condition) is None for _ in range(4000)] for way in _ways(1, 1, 2)]
    assert lost[0] == lost[1] != lost[2]
    assert 0.04 < sum(lost[0]) / 4000 < 0.06


def _ways(*seeds):
    return [OneWay(random.Random(seed)) for seed in seeds]
