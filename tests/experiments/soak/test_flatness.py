"""What grows is found, what only wavers is not, and too little is not judged."""

import numpy as np
import pytest

from experiments.soak.flatness import SETTLES_AFTER_S, growth_of, growths, judge_growth


def samples(site="site_a", *, pid=1, begin_s=0.0, seconds=900.0, growth=0.0, level=5e8, noise=2e6, measure="rss_bytes"):
    generator = np.random.default_rng(pid)
    times = np.arange(begin_s, begin_s + seconds, 3.0)
    values = level + growth * (times - begin_s) / seconds + generator.normal(0, noise, len(times))
    return [{"site": site, "pid": pid, "at_s": at_s, measure: value} for at_s, value in zip(times, values, strict=True)]


@pytest.mark.parametrize("growth, passed", [(0.0, True), (1e7, True), (1e8, False)])
def test_memory_that_grows_by_a_fifth_is_found(growth, passed):
    found = growths(samples(growth=growth), "rss_bytes", {"site_a": 900.0}, {})
    assert len(found) == 1 and judge_growth("rss_bytes", found).passed is passed


@pytest.mark.parametrize("growth, passed", [(0.0, True), (10.0, True), (40.0, False)])
def test_file_handles_that_leak_are_found(growth, passed):
    found = growths(samples(growth=growth, level=14, noise=0.5, measure="files"), "files", {"site_a": 900.0}, {})
    assert judge_growth("files", found).passed is passed


def test_one_leaking_site_of_several_is_enough():
    rows = [*samples(), *samples("site_b", growth=2e8)]
    criterion = judge_growth("rss_bytes", growths(rows, "rss_bytes", {"site_a": 900.0, "site_b": 900.0}, {}))
    assert criterion.passed is False and "site_b" in criterion.found


def test_the_longest_life_counts_and_what_comes_after_the_last_round_does_not():
    lives = [*samples(pid=1, seconds=600), *samples(pid=2, begin_s=600, seconds=300, growth=3e8)]
    (found,) = growths(lives, "rss_bytes", {"site_a": 900.0}, {})
    assert found.watched_s == pytest.approx(600 - SETTLES_AFTER_S, abs=6) and abs(found.growth) < 1e7
    jump = [*samples(seconds=600), *samples(begin_s=600, seconds=300, level=9e8)]
    assert judge_growth("rss_bytes", growths(jump, "rss_bytes", {"site_a": 600.0}, {})).passed


def test_disk_outlives_processes():
    lives = [
        *samples(pid=1, seconds=450, growth=5e7, measure="state_bytes"),
        *samples(pid=2, begin_s=450, seconds=450, growth=5e7, level=5.5e8, measure="state_bytes"),
    ]
    (found,) = growths(lives, "state_bytes", {"site_a": 900.0}, {})
    assert found.growth > 5e7 and judge_growth("state_bytes", [found]).passed is False


def test_disk_counts_from_when_it_holds_what_it_keeps():
    rows = [
        *samples(seconds=450, growth=4e8, level=1e8, measure="state_bytes"),
        *samples(begin_s=450, seconds=450, measure="state_bytes"),
    ]
    early, late = (growths(rows, "state_bytes", {"site_a": 900.0}, {"site_a": filled_s}) for filled_s in (0.0, 450.0))
    assert judge_growth("state_bytes", early).passed is False and judge_growth("state_bytes", late).passed


def test_too_short_is_not_judged():
    assert growth_of("site_a", range(10), range(10)) is None
    assert judge_growth("rss_bytes", []).passed is None
