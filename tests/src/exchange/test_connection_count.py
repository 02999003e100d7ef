"""Connections that came to nothing are those opened, less those with a call, less those announced as a mere look."""

import pytest

from src.exchange import connection_count
from src.exchange.connection_count import ConnectionCount


@pytest.fixture
def settled_at_once(monkeypatch):
    monkeypatch.setattr(connection_count, "_SETTLED_AFTER_S", -1.0)


def opened(times):
    count = ConnectionCount()
    for _ in range(times):
        count.opened()
    return count


def test_a_connection_is_not_given_up_before_it_had_time_for_a_call():
    assert opened(5).without_a_call() == 0


def test_each_connection_with_a_call_counts_once_however_many_calls_it_has(settled_at_once):
    count = opened(5)
    for _ in range(10):
        count.called("ipv4:192.0.2.1:40001", 0)
    count.called("ipv4:192.0.2.1:40002", 0)
    assert count.without_a_call() == 3


def test_looks_that_a_caller_announces_are_accounted_for_up_to_a_bound(settled_at_once):
    count = opened(500)
    count.called("ipv4:192.0.2.1:40001", 3)
    assert count.without_a_call() == 500 - 1 - 3
    count.called("ipv4:192.0.2.1:40001", 10**9)
    count.called("ipv4:192.0.2.1:40001", -5)
    assert count.without_a_call() == 500 - 1 - 3 - 100


def test_it_never_falls_below_nothing_and_its_memory_is_bounded(settled_at_once):
    count = opened(1)
    for port in range(10_000):
        count.called(f"ipv4:192.0.2.1:{port}", 0)
    assert count.without_a_call() == 0
    assert len(count._known) <= 4096
