"""One pull a caller, a few in all, none for ever."""

import threading
import time

import pytest

from src.exchange.pull_slots import Busy, PullSlots


class Call:
    """A call that knows when it was ended."""

    def __init__(self):
        self.cancelled = threading.Event()

    def cancel(self):
        self.cancelled.set()


@pytest.fixture
def slots():
    slots = PullSlots(2, stall_s=0.3, limit_s=1.0)
    yield slots
    slots.close()


def test_more_callers_than_slots_are_told_to_wait_until_one_is_free(slots):
    with slots.taken_by("site_a", Call()):
        with slots.taken_by("site_b", Call()), pytest.raises(Busy), slots.taken_by("site_c", Call()):
            raise AssertionError("a third slot of two")
        with slots.taken_by("site_c", Call()):
            pass


def test_a_callers_new_pull_ends_its_older_one_and_keeps_the_slot_when_that_leaves(slots):
    older, newer = Call(), Call()
    with slots.taken_by("site_b", Call()):
        first = slots.taken_by("site_a", older)
        first.__enter__()
        with slots.taken_by("site_a", newer):
            first.__exit__(None, None, None)
            assert older.cancelled.is_set() and not newer.cancelled.is_set()
            with pytest.raises(Busy), slots.taken_by("site_c", Call()):
                raise AssertionError("the older pull freed the newer one's slot")


def test_a_pull_that_does_not_move_is_ended_and_one_that_moves_is_not(slots):
    stalled, moving = Call(), Call()
    with slots.taken_by("site_a", stalled), slots.taken_by("site_b", moving) as pull:
        deadline = time.monotonic() + 0.8
        while time.monotonic() < deadline:
            pull.moved()
            time.sleep(0.02)
        assert stalled.cancelled.is_set() and not moving.cancelled.is_set()
        while not moving.cancelled.is_set() and time.monotonic() < deadline + 3:
            pull.moved()
            time.sleep(0.02)
        assert moving.cancelled.is_set()  # it moves, but for longer than any may


def test_closing_ends_the_thread():
    slots = PullSlots(1, stall_s=60, limit_s=60)
    assert "exchange-pulls" in {thread.name for thread in threading.enumerate()}
    slots.close()
    assert slots._watch not in threading.enumerate()
