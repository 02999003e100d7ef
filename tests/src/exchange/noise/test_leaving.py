"""What leaves a site with noise, where it comes from, and what it is said to be worth."""

import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.simulation import run_in_turns
from experiments.toy_learner import exchange_settings
from src.errors import FederationError, PlanSettingError
from src.exchange.noise.accountant import epsilon_of, promise_of
from src.exchange.noise.leaving import LeavingModels
from src.exchange.noise.normal import KeyedNormal
from src.exchange.noise.record import NoiseRecord
from src.exchange.noise.settings import NoiseSettings, read_noise
from src.exchange.snapshot import SnapshotFault, read_snapshot
from tests.src.exchange.in_memory_federation import Federation, digest

pytest.importorskip("dp_accounting", reason="the extra 'privacy' is not installed")

FIRST = {"conv.weight": torch.zeros(40, 50), "bias": torch.ones(7), "steps": torch.tensor(3)}
KEY = bytes(range(32))
PLAN = {"clip_norm": 2.0, "noise_multiplier": 0.5, "delta": 1e-5}


def leaving(folder, first=FIRST, **changes):
    return LeavingModels(NoiseSettings(**{**PLAN, **changes}), first, NoiseRecord(folder, goes_on=False))


def moved(by: float) -> dict:
    return {"conv.weight": FIRST["conv.weight"] + by, "bias": FIRST["bias"] - by, "steps": torch.tensor(9)}


def distance(tensors: dict) -> float:
    return math.sqrt(sum(float((tensors[name] - FIRST[name]).double().square().sum()) for name in ("conv.weight", "bias")))


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
@settings(max_examples=30, deadline=None)
def test_without_noise_no_model_leaves_further_from_the_first_than_the_clip(tmp_path_factory, by, clip_norm):
    left = leaving(tmp_path_factory.mktemp("site"), clip_norm=clip_norm, noise_multiplier=0.0).of(moved(by), 1)
    assert distance(left.tensors) <= clip_norm * (1 + 1e-5)
    assert left.difference_norm == pytest.approx(abs(by) * math.sqrt(2007), rel=1e-4, abs=1e-6)
    if left.difference_norm <= clip_norm:
        assert torch.allclose(left.tensors["conv.weight"], moved(by)["conv.weight"])


def test_the_noise_is_normal_of_the_deviation_that_the_plan_says(tmp_path):
    left = leaving(tmp_path, noise_multiplier=0.5).of(FIRST, 1)
    noise = (left.tensors["conv.weight"] - FIRST["conv.weight"]).flatten().numpy()
    assert stats.kstest(noise, "norm", args=(0, 1.0)).pvalue > 1e-6  # 0.5 of a clip of 2
    assert left.tensors["steps"] == 3, "what is no float says nothing of this site"


def test_the_model_itself_is_not_touched(tmp_path):
    model, before = moved(0.1), moved(0.1)
    left = leaving(tmp_path).of(model, 1)
    left.tensors["bias"].zero_()
    assert all(torch.equal(model[name], before[name]) for name in model)


def test_the_same_model_leaves_the_same_way_again_and_another_with_noise_of_its_own(tmp_path):
    site = leaving(tmp_path, clip_norm=1e6, noise_multiplier=1e-6)
    one, two = moved(0.1), moved(0.2)
    first = site.of(one, 1)
    restarted = LeavingModels(
        NoiseSettings(**{**PLAN, "clip_norm": 1e6, "noise_multiplier": 1e-6}), FIRST, NoiseRecord(tmp_path, goes_on=True)
    )
    again, other, later = restarted.of(one, 1), restarted.of(two, 1), restarted.of(one, 2)
    assert torch.equal(first.tensors["conv.weight"], again.tensors["conv.weight"])
    assert (first.publications, again.publications, other.publications, later.publications) == (1, 1, 2, 3)
    noises = [(left.tensors["bias"] - model["bias"]).numpy() for left, model in ((first, one), (other, two), (later, one))]
    for index, noise in enumerate(noises):
        for another in noises[:index]:
            assert np.abs(noise - another).max() > 0.05, "noise that two models share would cancel between them"


def test_a_model_that_is_none_neither_leaves_nor_counts(tmp_path):
    site = leaving(tmp_path)
    with pytest.raises(SnapshotFault, match="not finite"):
        site.of({**FIRST, "bias": torch.full((7,), math.nan)}, 1)
    assert site.of(FIRST, 1).publications == 1


def test_two_sites_draw_different_keys_and_nobody_else_may_read_them(tmp_path):
    one, two = (NoiseRecord(tmp_path / name, goes_on=False) for name in ("a", "b"))
    assert one.key != two.key and len(one.key) == 32
    assert (tmp_path / "a").stat().st_mode & 0o077 == 0
    assert NoiseRecord(tmp_path / "a", goes_on=True).key == one.key


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"record_version":1,"key":"00","lost":0,"published":[]}'])
def test_a_site_that_published_and_has_no_record_stops_and_says_what_to_do(tmp_path, content):
    if content is not None:
        NoiseRecord(tmp_path, goes_on=False)
        (tmp_path / "noise.json").write_bytes(content)
    with pytest.raises(FederationError, match=r"restore the state folder.*raise 'epoch'"):
        NoiseRecord(tmp_path, goes_on=True)


@given(st.binary(min_size=1, max_size=20), st.integers(0, 3000))
@settings(max_examples=20, deadline=None)
def test_numbers_come_again_for_who_has_the_key_whatever_they_are_asked_in(label, count):
    drawn = KeyedNormal(KEY, label).draw(count)
    assert np.array_equal(drawn, KeyedNormal(KEY, label).draw(count)) and np.isfinite(drawn).all() and drawn.shape == (count,)
    if count > 100:
        assert abs(np.corrcoef(drawn, KeyedNormal(KEY[::-1], label).draw(count))[0, 1]) < 0.5


def gaussian_delta(epsilon: float, mu: float) -> float:
    """Of Gaussian differential privacy mu (Dong, Roth, Su 2022, doi:10.1111/rssb.12454, corollary 1)."""
    return stats.norm.cdf(-epsilon / mu + mu / 2) - math.exp(epsilon) * stats.norm.cdf(-epsilon / mu - mu / 2)


@pytest.mark.parametrize(("multiplier", "publications"), [(4.0, 1), (4.0, 10), (20.0, 50), (1.0, 2)])
def test_epsilon_is_no_less_than_the_exact_one_and_not_much_more(multiplier, publications):
    noise = NoiseSettings(clip_norm=3.0, noise_multiplier=multiplier, delta=1e-5)
    epsilon = epsilon_of(noise, publications)
    # Two data sets of a site lie up to 2 clips apart, and n Gaussian mechanisms are one of sqrt(n) times the distance.
    mu = 2 / multiplier * math.sqrt(publications)
    assert gaussian_delta(epsilon, mu) <= 1e-5
    assert gaussian_delta(0.8 * epsilon, mu) > 1e-5


def test_epsilon_of_nothing_and_without_noise():
    noise = NoiseSettings(**PLAN)
    assert epsilon_of(noise, 0) == 0
    assert epsilon_of(noise, 3) < epsilon_of(noise, 4)
    silent = NoiseSettings(**{**PLAN, "noise_multiplier": 0.0})
    assert math.isinf(epsilon_of(silent, 1)) and "promises nothing" in promise_of(silent, 1)


@pytest.mark.parametrize(
    "content",
    [{}, [], "yes", {**PLAN, "more": 1}, {**PLAN, "clip_norm": 0}, {**PLAN, "noise_multiplier": -1}, {**PLAN, "delta": 1},
     {**PLAN, "delta": True}, {**PLAN, "clip_norm": math.inf}],
)  # fmt: skip
def test_impossible_settings_are_refused_by_name(content):
    with pytest.raises(PlanSettingError, match=r"collaborator\.exchange\.noise"):
        exchange_settings(noise=content)
    assert read_noise(None) is None


def test_a_plan_with_noise_needs_the_library_that_accounts_for_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    with pytest.raises(PlanSettingError, match=r"exchange\.noise: .*pip install 'dp-accounting"):
        leaving(tmp_path)


def noisy_federation(folder, *, lock_step=True):
    exchange = exchange_settings(noise=PLAN, lock_step=lock_step)
    return Federation(folder, ["site_a", "site_b"], rounds=4, exchange=exchange)


def of_round(federation, name, number):
    """A site's snapshot as its peer reads it."""
    site = federation.sites[name]
    return read_snapshot(site.outbox.of_round(number).path, site.fetcher.layout, site.fetcher.structures)[1]


def test_nothing_but_what_was_noised_leaves_a_site_and_the_closing_is_about_that(tmp_path):
    federation = noisy_federation(tmp_path)
    run_in_turns(list(federation.sites.values()))
    for name, site in federation.sites.items():
        told = federation.of(name, "noise")
        assert [event["publications"] for event in told] == [1, 2, 3, 4]
        assert told[-1]["epsilon"] == pytest.approx(epsilon_of(NoiseSettings(**PLAN), 4))
        left = of_round(federation, name, 4)
        apart = torch.cat([left["large"], left["small"]]) - site.learner.weights
        assert 0.8 < float(apart.std()) < 5, "noise of deviation 1, and what the clip took"
        assert site.learner.finals == ["site_a", "site_b"]


def test_a_site_stopped_at_any_moment_never_publishes_one_state_under_two_noises(tmp_path):
    federation = noisy_federation(tmp_path, lock_step=False)
    site = federation.sites["site_a"]
    site.resume()
    site.step()
    site.step()
    before = {number: federation.sites["site_a"].outbox.of_round(number).sha256 for number in (1, 2)}
    # As if the disk had lost what was published last, which a peer may have.
    site.outbox.newest().path.unlink()
    again = federation.sites["site_a"] = federation.make("site_a")
    again.resume()
    assert {number: again.outbox.of_round(number).sha256 for number in (1, 2)} == before
    assert federation.of("site_a", "noise")[-1]["publications"] == 2


def test_a_restarted_site_without_its_record_does_not_go_on(tmp_path):
    federation = noisy_federation(tmp_path)
    federation.sites["site_a"].resume()
    federation.sites["site_a"].step()
    (tmp_path / "site_a" / "noise" / "noise.json").unlink()
    with pytest.raises(FederationError, match="noise"):
        federation.make("site_a").resume()


def test_after_a_lost_disk_what_was_published_before_still_counts(tmp_path):
    federation = noisy_federation(tmp_path)
    site = federation.make("site_a", epoch=3)
    site.resume()
    site.step()
    assert federation.of("site_a", "noise")[-1]["publications"] == 2 * 4 + 1


def test_without_noise_nothing_changes(tmp_path):
    plain = Federation(tmp_path / "plain", ["site_a", "site_b"], rounds=3)
    run_in_turns(list(plain.sites.values()))
    assert not plain.of("site_a", "noise") and not (tmp_path / "plain" / "site_a" / "noise").exists()
    left = of_round(plain, "site_a", 3)
    assert torch.equal(torch.cat([left["large"], left["small"]]), plain.sites["site_a"].learner.weights)
    assert digest(plain.sites["site_a"])
