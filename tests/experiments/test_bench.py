"""Every part of the benchmark runs, on models of a few KB, and what it counts is right."""

import io
from importlib import import_module

import pytest
from rich.console import Console

from experiments.bench import exchange, fedavg, many_sites, memory, rounds, steps, traffic
from experiments.bench.figures import ratios, spread
from experiments.bench.models import MODELS, num_bytes, unet_shapes
from experiments.bench.worker import Worker

SMALL = unet_shapes([4, 8])
SMALL_BYTES = num_bytes(SMALL)


def test_the_models_have_the_sizes_they_are_named_for():
    found = {name: round(num_bytes(shapes) / 1e6) for name, shapes in MODELS.items()}
    assert found == {"20 MB": 20, "125 MB": 125}
    assert SMALL["up.0.convolution_1.weight"] == (4, 8, 3, 3, 3)


def test_an_exchange_is_measured_beside_both_plain_streams():
    times = exchange.measure(SMALL, "float16", repeats=2)
    for seconds in (times.raw, times.messages, times.exchange, times.publish):
        assert len(seconds) == 2 and all(0 < value < 10 for value in seconds)
    # Describing, hashing and three files beside nothing at all.
    assert min(times.exchange) > min(times.raw)


@pytest.mark.slow
def test_a_round_of_openfl_and_one_of_gossip_are_timed():
    times = fedavg.measure(SMALL, repeats=1)
    assert all(0 < value < 30 for value in (*times.fedavg, *times.gossip, *times.exchange))


@pytest.mark.slow
def test_a_round_of_openfl_moves_the_model_both_ways():
    counted = traffic.of_fedavg(SMALL, rounds=2)
    assert SMALL_BYTES < counted.sent_bytes < 2 * SMALL_BYTES + 50_000
    assert SMALL_BYTES < counted.received_bytes < 2 * SMALL_BYTES + 50_000


def test_gossips_bytes_are_one_model_each_way_and_those_that_are_logged():
    shapes = unet_shapes([16, 32])  # large beside a TLS handshake
    counted = traffic.of_gossip(shapes, "float16", rounds=2)
    model_bytes = num_bytes(shapes) / 2
    assert model_bytes < counted.logged_bytes < 1.1 * model_bytes
    for value in (counted.sent_bytes, counted.received_bytes):
        assert counted.logged_bytes < value < 1.02 * counted.logged_bytes + 20_000


def test_memory_of_a_small_model_is_looked_at_in_every_exchange():
    shapes = unet_shapes([64, 128])
    found = memory.measure(shapes, rounds=3, whole_rounds=1)
    assert len(found.resident_bytes) == 3 and min(found.resident_bytes) > 50e6
    assert 0 <= found.exchange < 100 and 0 <= found.whole_round < 100


@pytest.mark.parametrize(
    ("schedule", "pulls", "mixed"), [("one_peer_exponential", 1, True), ("full", 7, True), ("ring", 1, False)]
)
def test_the_mean_is_reached_as_each_schedule_promises(schedule, pulls, mixed):
    found = many_sites.measure(schedule, 8, 3)
    assert found.pulls == pulls and found.processor_s > 0 and 0 < found.round_s < 5
    assert found.distances[0] == 1.0 > found.distances[1]
    assert (found.distances[3] < 1e-5) == mixed


def test_what_is_shown_names_the_measurement_and_its_numbers(monkeypatch):
    monkeypatch.setattr(rounds, "MODELS", {"tiny": SMALL})
    printed = io.StringIO()
    rounds.show(Console(file=printed, width=140), rounds=1)
    assert "tiny" in printed.getvalue() and "float16" in printed.getvalue() and "%" in printed.getvalue()


def test_ratios_are_pair_by_pair_and_the_median_is_told_with_its_range():
    assert ratios([2.0, 9.0, 4.0], [1.0, 3.0, 4.0]) == [2.0, 3.0, 1.0]
    assert spread([2.0, 3.0, 1.0], 1) == "2.0 (1.0 to 3.0)"


def test_a_fault_in_a_process_is_told_and_its_end_too():
    with Worker(list, [1, 2]) as worker:
        assert worker.ask("index", 2) == 1
        with pytest.raises(RuntimeError, match="index: ValueError"):
            worker.ask("index", 7)
    with Worker(import_module, "os") as worker, pytest.raises(RuntimeError, match="has ended"):
        worker.ask("_exit", 1)


@pytest.mark.slow
def test_a_training_step_is_measured_with_and_without_loading(capsys):
    steps.show(Console(width=140), repeats=1, steps=1)
    assert "peak resident memory" in capsys.readouterr().out
