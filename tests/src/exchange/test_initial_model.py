"""The weights a run begins with: of OpenFL's own file or a saved model, and whatever is wrong with them."""

import json

import numpy as np
import pytest
from openfl.pipelines import NoCompressionPipeline
from openfl.protocols import utils

from src.dataloader import HeadNeckCTLoader
from src.errors import ModelCardError
from src.exchange.initial_model import load_initial_model
from src.model.card import write_model
from src.model.state import network_state, state_digest
from src.model.trained_structures import INIT_CARD
from src.task_runner import SegmentationTaskRunner

KINDS = ["init.pbuf", "start.safetensors"]


@pytest.fixture
def make_runner(sphere_dataset, loader_settings, runner_settings):
    def make(**changes):
        return SegmentationTaskRunner(
            HeadNeckCTLoader(sphere_dataset.path, **loader_settings), **{**runner_settings, **changes}
        )

    return make


@pytest.fixture
def runner(make_runner):
    return make_runner()


@pytest.fixture
def write(tmp_path, runner):
    """Writes weights as OpenFL writes them, or as this project does; by default those of another seed."""

    def write(name, tensors=None, of=runner):
        path = tmp_path / name
        tensors = others(runner) if tensors is None else tensors
        if path.suffix == ".pbuf":
            utils.dump_proto(utils.construct_model_proto(tensors, 0, NoCompressionPipeline()), str(path))
        else:
            write_model(path, of.card(trained_structures=("Parotid_L",), site="site_x", round=3), tensors)
        return path

    return write


def others(runner) -> dict[str, np.ndarray]:
    """Weights of the runner's network that are not its own."""
    generator = np.random.default_rng(7)
    return {
        name: generator.normal(size=values.shape).astype(np.float32) for name, values in network_state(runner.network).items()
    }


def is_own(runner, before) -> bool:
    return all(np.array_equal(values, before[name]) for name, values in network_state(runner.network).items())


@pytest.mark.parametrize("name", KINDS)
def test_the_network_gets_the_weights_bit_for_bit_and_all_sites_the_same_digest(write, make_runner, name):
    digests = []
    for _ in range(2):
        runner = make_runner(random_seed=len(digests))
        path = write(name)
        digests.append(load_initial_model(path, runner))
        assert is_own(runner, others(runner))
    assert digests == [state_digest(others(runner))] * 2


def test_both_kinds_of_file_say_the_same_and_other_weights_something_else(write, runner):
    first, second = (load_initial_model(write(name), runner) for name in KINDS)
    assert first == second
    changed = others(runner)
    changed["head.bias"][0] += 1e-6
    assert load_initial_model(write("init.pbuf", changed), runner) != first


@pytest.mark.parametrize("name", KINDS)
def test_a_missing_file_is_named_with_where_to_get_it(tmp_path, runner, name):
    with pytest.raises(ModelCardError, match=f"{name}', found none; take the file that 'fx plan initialize' made"):
        load_initial_model(tmp_path / name, runner)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(write, runner, name, value):
    spoiled = others(runner)
    spoiled["head.bias"][1] = value
    with pytest.raises(ModelCardError, match=f"'{name}': head.bias holds values that are not finite"):
        load_initial_model(write(name, spoiled), runner)


@pytest.mark.parametrize("name", KINDS)
def test_weights_of_another_network_are_refused_and_change_nothing(write, runner, make_runner, runner_settings, name):
    arguments = {**runner_settings["network"]["arguments"], "channels": [8, 16]}
    larger = make_runner(network={**runner_settings["network"], "arguments": arguments})
    before = network_state(runner.network)
    with pytest.raises(ModelCardError, match=rf"'{name}'.*(shape|channels)"):
        load_initial_model(write(name, network_state(larger.network), of=larger), runner)
    assert is_own(runner, before)


def test_a_saved_model_of_other_preprocessing_is_refused(write, make_runner, sphere_dataset, loader_settings, runner_settings):
    loader = HeadNeckCTLoader(sphere_dataset.path, **{**loader_settings, "window_hu": [-100, 300]})
    other = SegmentationTaskRunner(loader, **runner_settings)
    with pytest.raises(ModelCardError, match=r"'start.safetensors' does not fit this plan: preprocessing.window_hu"):
        load_initial_model(write("start.safetensors"), other)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.9, 0.9999])
def test_a_truncated_file_is_refused_and_changes_nothing(write, runner, name, share):
    path = write(name)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    before = network_state(runner.network)
    with pytest.raises(ModelCardError, match=name):
        load_initial_model(path, runner)
    assert is_own(runner, before)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("content", [b"no model", b"\x80\x04\x95 a pickle", bytes(5000), b"\n\xff\xff\xff\x7f", b"{}" * 500])
def test_a_file_of_something_else_is_refused(tmp_path, runner, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelCardError, match=name):
        load_initial_model(path, runner)


@pytest.mark.parametrize("kept", [0, 1])
def test_tensors_too_few_or_too_many_are_refused(write, runner, kept):
    tensors = others(runner)
    tensors = {"head.bias": tensors["head.bias"]} if kept else {**tensors, "extra": np.zeros(3, np.float32)}
    with pytest.raises(ModelCardError, match=r"'init.pbuf' are not of this plan's network: tensor .* is (missing|not part)"):
        load_initial_model(write("init.pbuf", tensors), runner)


def test_the_card_that_came_with_the_weights_is_compared(write, runner, make_runner, tmp_path):
    """``fx plan initialize -i`` leaves it beside ``init.pbuf``."""
    note = tmp_path / "save" / INIT_CARD
    note.parent.mkdir(exist_ok=True)
    card = make_runner().card().to_json()
    path = write("init.pbuf")
    digest = load_initial_model(path, runner)
    note.write_text(json.dumps({"digest": digest, "card": card}))
    assert load_initial_model(path, runner) == digest
    note.write_text(json.dumps({"digest": digest, "card": {**card, "structures": card["structures"][::-1]}}))
    with pytest.raises(ModelCardError, match="does not fit this plan: structures"):
        load_initial_model(path, runner)
    note.write_text(json.dumps({"digest": "of other weights", "card": {**card, "structures": []}}))
    assert load_initial_model(path, runner) == digest


def test_a_site_that_goes_on_from_a_saved_model_knows_what_it_was_trained_for(write, runner, tmp_path):
    load_initial_model(write("start.safetensors"), runner)
    facts = json.loads((tmp_path / "save" / INIT_CARD).read_text())
    assert facts["digest"] == state_digest(others(runner))
    assert facts["card"]["trained_structures"] == ["Parotid_L"]
