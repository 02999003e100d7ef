import math
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.compare.estimate import Measured, time_left
from experiments.compare.jobs import Job


def job(name: str, kind: str = "train", scheme: str = "gossip", steps: int = 100, needs: tuple = ()) -> Job:
    return Job(name=name, kind=kind, scheme=scheme, steps=steps, needs=needs, done=Path(name))


TRAININGS = {name: job(name) for name in "abcd"}
MEASURED = [Measured(kind="train", scheme="gossip", seconds=50, steps=100)]


def test_nothing_measured_is_nothing_known():
    left = time_left(TRAININGS, dict.fromkeys(TRAININGS, 1.0), [], 2)
    assert left.seconds is None and left.unknown == ("train",)
    assert time_left(TRAININGS, {}, [], 2).seconds == 0


def test_what_is_left_divided_by_the_processes():
    assert time_left(TRAININGS, {"a": 0.5, "b": 1.0, "c": 1.0}, MEASURED, 2).seconds == 125 / 2


def test_jobs_that_need_each_other_come_one_after_the_other():
    jobs = {"a": job("a"), "b": job("b", needs=("a",)), "c": job("c", needs=("b",))}
    assert time_left(jobs, dict.fromkeys(jobs, 1.0), MEASURED, 16).seconds == 150


def test_a_scheme_s_own_pace_before_that_of_all():
    measured = [*MEASURED, Measured(kind="search", scheme="mutual", seconds=300, steps=100)]
    jobs = {"a": job("a"), "m": job("m", scheme="mutual"), "n": job("n", scheme="new")}
    seconds = {name: time_left(jobs, {name: 1.0}, measured, 1).seconds for name in jobs}
    assert seconds == {"a": 50, "m": 300, "n": 350 / 2}


def test_a_kind_that_was_never_measured_is_named_and_not_guessed():
    jobs = {"a": job("a"), "s": job("s", kind="score", steps=0, needs=("a",))}
    left = time_left(jobs, dict.fromkeys(jobs, 1.0), MEASURED, 1)
    assert left.seconds == 50 and left.unknown == ("score",)
    scored = Measured(kind="score", scheme="fedavg", seconds=20, steps=0)
    left = time_left(jobs, dict.fromkeys(jobs, 1.0), [*MEASURED, scored], 1)
    assert left.seconds == 70 and left.unknown == ()


@settings(deadline=None, max_examples=25)
@given(
    # In hundredths: a share of 1e-323 has no proportion left to keep.
    shares=st.dictionaries(st.sampled_from(sorted(TRAININGS)), st.integers(0, 100).map(lambda share: share / 100), min_size=1),
    seconds=st.floats(1, 1e4),
    scale=st.floats(0.1, 10),
)
def test_slower_steps_take_longer_in_proportion_and_more_processes_never_do(shares, seconds, scale):
    def left(took, processes=1):
        measured = [Measured(kind="train", scheme="gossip", seconds=took, steps=100)]
        return time_left(TRAININGS, shares, measured, processes).seconds

    assert math.isclose(left(seconds * scale), left(seconds) * scale, rel_tol=1e-9)
    for fewer, more in pairwise(left(seconds, processes) for processes in range(1, 6)):
        assert more <= fewer
