from experiments.results.learning_curves import MEAN_OF_SITES, curves_of, learning_curves
from tests.experiments.small_study import ROUNDS, SITES


def event(number, phase, site="site_a", mean_dice=0.5, **more):
    return {"round": number, "phase": phase, "site": site, **({"mean_dice": mean_dice} if phase == "validate" else {}), **more}


def test_a_point_stands_at_the_rounds_trained_before_it():
    peer = [event(0, "train"), event(0, "validate", mean_dice=0.4), event(1, "train"), event(1, "validate", mean_dice=0.6)]
    server = [event(0, "validate", mean_dice=0.0), *[event(0, "train"), event(1, "validate", mean_dice=0.4)]]
    assert curves_of(peer)["site_a"] == [[1, 0.4], [2, 0.6]]
    assert curves_of(server)["site_a"] == [[0, 0.0], [1, 0.4]]


def test_what_follows_the_last_round_is_no_point():
    events = [event(0, "train"), event(0, "validate", mean_dice=0.4), event(1, "validate", mean_dice=0.9, after="completion")]
    assert curves_of(events)["site_a"] == [[1, 0.4]]


def test_the_mean_is_over_sites_that_have_a_number():
    events = [
        *[event(0, "train", site) for site in ("site_a", "site_b", "site_c")],
        *[event(0, "validate", site, dice) for site, dice in (("site_a", 0.4), ("site_b", 0.6), ("site_c", None))],
    ]
    assert curves_of(events)[MEAN_OF_SITES] == [[1, 0.5]]


def test_no_validation_is_no_curve():
    assert curves_of([event(0, "train")]) == {}


def test_a_study_has_the_curves_of_every_run(small_study):
    curves = learning_curves(small_study, ["individual", "fedavg", "pooled", "never_run"])
    assert list(curves) == ["individual", "fedavg", "pooled"]
    assert list(curves["fedavg"]) == ["0", "1"]
    assert set(curves["fedavg"]["0"]) == {*SITES, MEAN_OF_SITES}
    assert [point[0] for point in curves["fedavg"]["0"]["site_a"]] == list(range(ROUNDS + 1))
    assert [point[0] for point in curves["individual"]["0"]["site_a"]] == list(range(1, ROUNDS + 1))
