"""The aggregator with hand-made results: what it averages, refuses, keeps and says."""

import math
from itertools import permutations

import numpy as np
import pytest
from openfl.protocols import utils

from src.errors import FederationError, ModelCardError, NoUsableUpdate, PlanSettingError
from tests.src.small_federation import (
    TRAIN,
    VALIDATE,
    aggregator_in,
    encode,
    events,
    network,
    read_model,
    send,
    train,
    validate,
)

NAN = math.nan


def test_the_last_file_is_the_last_average_and_the_best_file_the_best_validated(tmp_path):
    aggregator = aggregator_in(tmp_path, ("a",), rounds_to_train=3)
    for dice, trained in ((0.2, 2.0), (0.9, 3.0)):
        validate(aggregator, "a", (dice, dice), (1, 1))
        train(aggregator, "a", trained, (1, 1))
    validate(aggregator, "a", (0.5, 0.5), (1, 1))  # of the average of round 1, which began the closing round
    np.testing.assert_array_equal(read_model(tmp_path / "last.pbuf")["backbone.weight"], network(3.0)["backbone.weight"])
    np.testing.assert_array_equal(read_model(tmp_path / "best.pbuf")["backbone.weight"], network(2.0)["backbone.weight"])
    assert [event["best"] for event in events(tmp_path)] == [True, True, False]
    assert aggregator.get_tasks("a")[3]
    assert aggregator.all_quit_jobs_sent()


def test_weights_are_the_cases_and_rows_belong_to_those_who_contour_them(tmp_path):
    aggregator = aggregator_in(tmp_path, ("a", "b"), rounds_to_train=2)
    for site in "ab":
        validate(aggregator, site, (0.1, 0.1), (1, 1))
    train(aggregator, "a", 2.0, (3, 0), size=3)
    train(aggregator, "b", 6.0, (0, 0), size=1)
    for site in "ab":
        validate(aggregator, site, (0.2, NAN), (1, 0))
    model = read_model(tmp_path / "last.pbuf")
    assert (model["backbone.weight"] == 3.0).all()  # (3·2 + 1·6) / 4
    assert model["head.bias"].tolist() == [2.0, 1.0]  # the liver only a's, the spleen nobody's


@pytest.mark.parametrize("order", permutations("abc"))
def test_the_order_in_which_sites_report_changes_no_bit(tmp_path, order):
    values = {"a": 0.1, "b": 0.7, "c": -12.345}
    aggregator = aggregator_in(tmp_path, ("a", "b", "c"), rounds_to_train=2)
    for task in (VALIDATE, TRAIN):
        for site in order:
            if task == TRAIN:
                train(aggregator, site, values[site], (ord(site) - 96, 1), size=ord(site) - 90)
            else:
                validate(aggregator, site, (0.3, NAN), (2, 0))
    for site in order:
        validate(aggregator, site, (0.3, NAN), (2, 0))
    found = read_model(tmp_path / "last.pbuf")
    assert found["backbone.weight"][0, 0] == np.float32((7 * np.float32(0.1) + 8 * np.float32(0.7) - 9 * 12.345) / 24)
    assert found["head.bias"][0] == pytest.approx((0.1 + 2 * 0.7 - 3 * 12.345) / 6, rel=1e-6)


def test_best_is_the_mean_over_structures_not_the_best_organ_and_not_poisoned_by_nan(tmp_path):
    aggregator = aggregator_in(tmp_path, ("a", "b"))
    validate(aggregator, "a", (0.6, 0.6), (1, 1))
    validate(aggregator, "b", (NAN, NAN), (0, 0))  # a site without validation data
    for site in "ab":
        train(aggregator, site, 2.0, (1, 1))
    validate(aggregator, "a", (0.99, 0.1), (1, 1))  # the best single organ
    validate(aggregator, "b", (NAN, NAN), (0, 0))
    for site in "ab":
        train(aggregator, site, 3.0, (1, 1))
    first, second = events(tmp_path)
    assert first["mean_dice"] == pytest.approx(0.6)
    assert first["dice"] == {"Liver": pytest.approx(0.6), "Spleen": pytest.approx(0.6)}
    assert (first["best"], second["best"]) == (True, False)
    assert aggregator.best_model_score == pytest.approx(0.6)


def test_no_validation_case_anywhere_leaves_no_best_model_and_no_crash(tmp_path):
    aggregator = aggregator_in(tmp_path, ("a",), rounds_to_train=2)
    validate(aggregator, "a", (NAN, NAN), (0, 0))
    train(aggregator, "a", 2.0, (1, 1))
    validate(aggregator, "a", (NAN, NAN), (0, 0))
    assert not (tmp_path / "best.pbuf").exists()
    assert events(tmp_path)[0]["mean_dice"] is None
    assert read_model(tmp_path / "last.pbuf")["head.bias"].tolist() == [2.0, 2.0]


BAD_UPDATES = {
    "nan": ("backbone.weight", {"backbone__weight": np.full((3, 2), NAN, np.float32)}),
    "infinite": ("head.bias", {"head__bias": np.array([1, np.inf], np.float32)}),
    "other shape": ("head.weight", {"head__weight": np.zeros((3, 3, 1, 1, 1), np.float32)}),
    "other name": ("backbone.extra", {"backbone__extra": np.zeros(2, np.float32)}),
    "negative cases": ("train_cases/01/Spleen", {"train_cases/01/Spleen": -1.0}),
    "cases of a channel that is not there": ("train_cases", {"train_cases/02/Brain": 1.0}),
}


@pytest.mark.parametrize("tensor, changes", BAD_UPDATES.values(), ids=list(BAD_UPDATES))
def test_a_bad_update_is_left_out_whole_and_named(tmp_path, caplog, tensor, changes):
    aggregator = aggregator_in(tmp_path, ("a", "b"), rounds_to_train=3)
    for site in "ab":
        validate(aggregator, site, (0.5, 0.5), (1, 1))
    train(aggregator, "a", 100.0, (1, 1), size=9, **changes)
    train(aggregator, "b", 2.0, (1, 1), size=1)
    assert aggregator.round_number == 1  # the federation goes on
    assert events(tmp_path)[0]["refused"][0].items() >= {"site": "a", "task": TRAIN, "tensor": tensor}.items()
    assert "refused train of a" in caplog.text and tensor in caplog.text
    for site in "ab":
        validate(aggregator, site, (0.6, 0.6), (1, 1))
        train(aggregator, site, 4.0, (1, 1))  # and a's next one is welcome again
    assert events(tmp_path)[1]["refused"] == []
    assert read_model(tmp_path / "best.pbuf")["backbone.weight"][0, 0] == 2.0


def test_a_missing_tensor_and_a_tensor_sent_twice_are_refused(tmp_path):
    aggregator = aggregator_in(tmp_path, ("a", "b", "c"), rounds_to_train=3)
    for site in "abc":
        validate(aggregator, site, (0.5, 0.5), (1, 1))
    cases = {"train_cases/00/Liver": 1.0, "train_cases/01/Spleen": 1.0}
    partial = {**network(9.0), **cases}
    del partial["head.bias"]
    send(aggregator, "a", TRAIN, 1, partial)
    twice = [*encode({**network(9.0), **cases}, 0), *encode({"head.bias": np.zeros(2, np.float32)}, 0)]
    aggregator.send_local_task_results("b", 0, TRAIN, 1, twice)
    train(aggregator, "c", 2.0, (1, 1))
    refused = [(entry["site"], entry["tensor"], entry["reason"]) for entry in events(tmp_path)[0]["refused"]]
    assert refused == [("a", "head.bias", "is missing"), ("b", "head.bias", "was sent twice")]


def test_bytes_that_do_not_decode_are_refused(tmp_path):
    aggregator = aggregator_in(tmp_path, ("a", "b"), rounds_to_train=3)
    for site in "ab":
        validate(aggregator, site, (0.5, 0.5), (1, 1))
    broken = encode({**network(9.0), "train_cases/00/Liver": 1.0, "train_cases/01/Spleen": 1.0}, 0)
    broken[0].data_bytes = broken[0].data_bytes[:-3]
    aggregator.send_local_task_results("a", 0, TRAIN, 1, broken)
    train(aggregator, "b", 2.0, (1, 1))
    assert "does not decode" in events(tmp_path)[0]["refused"][0]["reason"]


def test_an_impossible_dice_has_no_say(tmp_path):
    aggregator = aggregator_in(tmp_path, ("a", "b"))
    validate(aggregator, "a", (1.7, 0.5), (5, 5))
    validate(aggregator, "b", (0.4, 0.5), (1, 1))
    for site in "ab":
        train(aggregator, site, 2.0, (1, 1))
    event = events(tmp_path)[0]
    assert event["dice"]["Liver"] == pytest.approx(0.4)
    assert event["refused"][0]["tensor"] == "dice/00/Liver"


def test_no_usable_update_ends_the_aggregator_and_tells_the_other_sites(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("src.aggregator._LAST_WORDS_S", 0)
    aggregator = aggregator_in(tmp_path, ("a", "b"))
    for site in "ab":
        validate(aggregator, site, (0.5, 0.5), (1, 1))
    bad = {"head__bias": np.full(2, NAN, np.float32)}
    train(aggregator, "a", 2.0, (1, 1), **bad)
    with pytest.raises(NoUsableUpdate, match=r"a: head\.bias .*not finite"):
        train(aggregator, "b", 2.0, (1, 1), **bad)
    with pytest.raises(FederationError, match="the aggregator has stopped: round 0"):
        aggregator.get_tasks("a")
    with pytest.raises(SystemExit) as stop:
        aggregator.all_quit_jobs_sent()
    assert stop.value.code == NoUsableUpdate.exit_code
    assert "NoUsableUpdate: round 0" in capsys.readouterr().err
    assert len(events(tmp_path)[0]["refused"]) == 2


def test_a_federation_without_any_training_case_is_no_division_by_zero(tmp_path):
    aggregator = aggregator_in(tmp_path, ("a",))
    validate(aggregator, "a", (0.5, 0.5), (1, 1))
    with pytest.raises(NoUsableUpdate, match="no site with a training case"):
        train(aggregator, "a", 2.0, (0, 0), size=0)


def test_a_site_without_training_cases_does_not_count(tmp_path):
    aggregator = aggregator_in(tmp_path, ("a", "b"), rounds_to_train=2)
    for site in "ab":
        validate(aggregator, site, (0.5, 0.5), (1, 1))
    train(aggregator, "a", 50.0, (0, 0), size=0)
    train(aggregator, "b", 2.0, (1, 1), size=4)
    for site in "ab":
        validate(aggregator, site, (0.5, 0.5), (1, 1))
    assert read_model(tmp_path / "last.pbuf")["backbone.weight"][0, 0] == 2.0


def test_results_nobody_asked_for_do_not_end_a_round(tmp_path):
    aggregator = aggregator_in(tmp_path, ("a", "b"), rounds_to_train=2)
    validate(aggregator, "a", (0.5, 0.5), (1, 1))
    validate(aggregator, "a", (0.9, 0.9), (9, 9))  # twice
    train(aggregator, "a", 2.0, (1, 1))
    send(aggregator, "a", "another_task", 1, {"loss": 1.0})
    send(aggregator, "a", TRAIN, 1, network(8.0), round_number=7)
    assert aggregator.round_number == 0
    validate(aggregator, "b", (0.5, 0.5), (1, 1))
    train(aggregator, "b", 2.0, (1, 1))
    assert aggregator.round_number == 1
    train(aggregator, "a", 9.0, (1, 1))  # in the closing round
    validate(aggregator, "a", (0.5, 0.5), (1, 1))
    assert aggregator.round_number == 1
    validate(aggregator, "b", (0.5, 0.5), (1, 1))
    assert aggregator.round_number == 2
    assert events(tmp_path)[0]["dice"]["Liver"] == pytest.approx(0.5)


def test_idle_sites_ask_again_after_poll_s(tmp_path):
    aggregator = aggregator_in(tmp_path, ("a", "b"), poll_s=2)
    assert aggregator.get_tasks("a")[:3] == ([VALIDATE, TRAIN], 0, 0)
    validate(aggregator, "a", (0.5, 0.5), (1, 1))
    train(aggregator, "a", 2.0, (1, 1))
    tasks, _, sleep_s, leave = aggregator.get_tasks("a")
    assert (tasks, sleep_s, leave) == (None, 2, False)


def test_bytes_are_counted_per_site(tmp_path):
    aggregator = aggregator_in(tmp_path, ("a",))
    validate(aggregator, "a", (0.5, 0.5), (1, 1))
    train(aggregator, "a", 2.0, (1, 1))
    payload = sum(values.nbytes for values in network(0.0).values())
    assert payload < events(tmp_path)[0]["received_bytes"]["a"] < payload + 2000


def test_what_cannot_work_is_said_at_the_start(tmp_path):
    with pytest.raises(PlanSettingError, match="poll_s"):
        aggregator_in(tmp_path, ("a",), poll_s=0)
    with pytest.raises(PlanSettingError, match="fx plan initialize"):
        aggregator_in(tmp_path, ("a",), initial_tensor_dict=None)
    with pytest.raises(ModelCardError, match=r"head\.bias"):
        aggregator_in(tmp_path, ("a",), initial_tensor_dict={**network(1.0), "head.bias": np.full(2, NAN, np.float32)})


def test_a_run_goes_on_from_its_last_file_and_refuses_when_nothing_is_left(tmp_path):
    for round_number, works in ((1, True), (2, False)):
        proto = utils.construct_model_proto(network(5.0), round_number, aggregator_in(tmp_path, ("a",)).compression_pipeline)
        utils.dump_proto(proto, str(tmp_path / "init.pbuf"))
        if works:
            aggregator = aggregator_in(tmp_path, ("a",), rounds_to_train=3, initial_tensor_dict=None)
            assert aggregator.get_tasks("a")[1] == 1
        else:
            with pytest.raises(PlanSettingError, match="of round 2"):
                aggregator_in(tmp_path, ("a",), rounds_to_train=3, initial_tensor_dict=None)
