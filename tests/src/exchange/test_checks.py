"""What a peer must show: each thing that can be wrong is refused by its own reason; what training does to a network is not."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.exchange.checks import NORM_FACTOR, check_description, check_greeting, check_manifest, check_weights
from src.exchange.membership import Description, Greeting, Membership, SiteState, roster_digest
from src.exchange.tensor_layout import TensorLayout
from src.exchange.transport import PeerRefused
from src.model.network import build_network
from src.model.state import unique_tensors
from tests.src.exchange.small_snapshots import manifest

ROSTER = ("site_a", "site_b")
OWN = Membership(
    federation_id="gossip-abc",
    run_id="october",
    roster_digest=roster_digest(ROSTER),
    architecture_hash="a" * 64,
    initial_digest="1" * 64,
)
GREETING = Greeting(site="site_b", membership=OWN, state=SiteState.TRAINING)
LAYOUT = TensorLayout.of({"weight": torch.zeros(5)})
DESCRIPTION = Description(
    site="site_b",
    membership=OWN,
    state=SiteState.FINISHED,
    round=3,
    epoch=1,
    sequence=3,
    snapshot_round=2,
    sha256="c" * 64,
    size_bytes=LAYOUT.largest_snapshot_bytes,
    seen_epoch=1,
    seen_sequence=1,
    train_cases={"Brainstem": 4},
)
OTHER_FEDERATIONS = [
    ("protocol", {"protocol_version": 2}),
    ("federation", {"federation_id": "gossip-xyz"}),
    ("run", {"run_id": "september"}),
    ("roster", {"roster_digest": roster_digest(("site_a", "site_b", "site_c"))}),
    ("architecture", {"architecture_hash": "b" * 64}),
    ("initial", {"initial_digest": "2" * 64}),
    ("federation", {"federation_id": "\x1b[2J" * 1000}),
]


def reason_of(check, *arguments) -> str:
    with pytest.raises(PeerRefused) as refused:
        check(*arguments)
    assert str(refused.value).isprintable() and len(str(refused.value)) < 1000
    return refused.value.reason


def test_a_member_is_greeted_and_described():
    check_greeting(OWN, ROSTER, "site_b", GREETING)
    check_description(OWN, "site_b", DESCRIPTION, LAYOUT)
    check_manifest(manifest(), DESCRIPTION, OWN, "site_b")


@pytest.mark.parametrize(("reason", "change"), OTHER_FEDERATIONS)
def test_another_federation_is_refused_at_both_ends(reason, change):
    other = replace(OWN, **change)
    assert reason_of(check_greeting, OWN, ROSTER, "site_b", replace(GREETING, membership=other)) == reason
    assert reason_of(check_description, OWN, "site_b", replace(DESCRIPTION, membership=other), LAYOUT) == reason


def test_every_difference_is_named_and_what_to_do_about_the_first():
    other = replace(OWN, run_id="september", initial_digest="2" * 64)
    with pytest.raises(PeerRefused, match=r"run_id is 'september', expected 'october'; initial_digest .*; use the same run_id"):
        check_greeting(OWN, ROSTER, "site_b", replace(GREETING, membership=other))


def test_names_must_be_certified_and_in_the_roster():
    assert reason_of(check_greeting, OWN, ROSTER, "site_c", replace(GREETING, site="site_c")) == "roster"
    assert reason_of(check_greeting, OWN, ROSTER, "site_b", replace(GREETING, site="site_a")) == "name"
    assert reason_of(check_description, OWN, "site_b", replace(DESCRIPTION, site="site_a"), LAYOUT) == "name"
    assert reason_of(check_greeting, OWN, ROSTER, "site_b", replace(GREETING, state="resting")) == "state"


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("state", {"state": "resting"}),
        ("range", {"round": -1}),
        ("range", {"round": 2**31}),
        ("range", {"round": True}),
        ("range", {"epoch": 0}),
        ("range", {"sequence": -1}),
        ("range", {"sequence": 2**31}),
        ("range", {"sequence": 1.0}),
        ("range", {"snapshot_round": -1}),
        ("range", {"seen_epoch": -1}),
        ("range", {"seen_sequence": 2**63}),
        ("range", {"train_cases": {"Brainstem": -1}}),
        ("range", {"train_cases": {"Brain\nstem": 1}}),
        ("range", {"train_cases": {str(number): 1 for number in range(1001)}}),
        ("range", {"train_cases": None}),
        ("digest", {"sha256": ""}),
        ("digest", {"sha256": "c" * 63}),
        ("digest", {"sha256": "C" * 64}),
        ("digest", {"sha256": "../" * 21 + "c"}),
        ("size", {"size_bytes": 0}),
        ("size", {"size_bytes": -5}),
        ("size", {"size_bytes": LAYOUT.largest_snapshot_bytes + 1}),
        ("size", {"size_bytes": 2.0**70}),
    ],
)
def test_impossible_descriptions_are_refused(reason, change):
    assert reason_of(check_description, OWN, "site_b", replace(DESCRIPTION, **change), LAYOUT) == reason


def test_a_peer_that_offers_nothing_is_fine_as_long_as_it_is_nothing():
    nothing = replace(DESCRIPTION, sequence=0, epoch=0, snapshot_round=0, sha256="", size_bytes=0)
    check_description(OWN, "site_b", nothing, LAYOUT)
    assert reason_of(check_description, OWN, "site_b", replace(nothing, size_bytes=1), LAYOUT) == "range"
    assert reason_of(check_description, OWN, "site_b", replace(nothing, sha256="c" * 64), LAYOUT) == "range"


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("name", {"site": "site_a"}),
        ("federation", {"federation_id": "gossip-xyz"}),
        ("run", {"run_id": "september"}),
        ("architecture", {"architecture_hash": "b" * 64}),
        ("replay", {"epoch": 2}),
        ("replay", {"sequence": 2}),
        ("replay", {"round": 1}),
    ],
)
def test_a_snapshot_that_is_not_the_described_one_is_refused(reason, change):
    assert reason_of(check_manifest, manifest(**change), DESCRIPTION, OWN, "site_b") == reason


# Weights.

NETWORKS = {
    "unet": {"name": "UNet", "features": 4, "arguments": {"channels": [4, 8], "strides": [2], "norm": "instance"}},
    "segresnet": {"name": "SegResNet", "features": 4, "arguments": {"init_filters": 8, "norm": ["GROUP", {"num_groups": 4}]}},
}


def network_and_trained(name: str, learning_rate: float = 0.02, steps: int = 8) -> tuple[dict, dict]:
    """A freshly drawn network's tensors, and another draw's after some steps of SGD that are coarser than any plan's."""
    torch.manual_seed(0)
    fresh = build_network(NETWORKS[name], 3)
    torch.manual_seed(1)
    trained = build_network(NETWORKS[name], 3)
    image, target = torch.randn(1, 1, 16, 16, 16), torch.rand(1, 3, 16, 16, 16).round()
    optimiser = torch.optim.SGD(trained.parameters(), learning_rate, momentum=0.9)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(trained(image), target)
        loss.backward()
        optimiser.step()
    return unique_tensors(fresh), {name: tensor.detach().clone() for name, tensor in unique_tensors(trained).items()}


@pytest.mark.parametrize("learning_rate", [0.02, 0.3])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_fresh_and_a_trained_network_take_each_other(name, learning_rate):
    fresh, trained = network_and_trained(name, learning_rate)
    assert any(not torch.allclose(fresh[entry], trained[entry], atol=0.05) for entry in fresh)
    check_weights(fresh, trained)
    check_weights(trained, fresh)
    check_weights(fresh, fresh)


def test_a_bias_that_training_moved_by_ones_is_taken_by_a_wide_network_that_has_not_trained():
    """Weights of a wide network are hundredths; 0.3 is more than ten times that, and a bias like any other."""
    torch.manual_seed(0)
    fresh = {"conv.weight": torch.nn.Conv3d(320, 320, 3).weight.detach(), "norm.bias": torch.zeros(320)}
    trained = {**fresh, "norm.bias": torch.full((320,), 0.3)}
    assert fresh["conv.weight"].square().mean().sqrt() < 0.3 / NORM_FACTOR
    check_weights(fresh, trained)
    assert reason_of(check_weights, fresh, {**fresh, "norm.bias": torch.full((320,), 11.0)}) == "norm"


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_absurd_scales_are_refused(name):
    own, _ = network_and_trained(name, steps=0)
    for scale in (0.0, 0.05, 20.0, 1e30):
        assert reason_of(check_weights, own, {entry: tensor * scale for entry, tensor in own.items()}) == "norm"
    for entry, tensor in own.items():
        blown_up = torch.full_like(tensor, 1000.0)
        assert reason_of(check_weights, own, {**own, entry: blown_up}) == "norm"


def test_one_small_tensor_that_does_not_show_in_the_norm_of_all_is_found():
    own = {"weight": torch.ones(10_000), "gain": torch.ones(2), "steps": torch.tensor(5)}
    check_weights(own, {**own, "gain": torch.full((2,), NORM_FACTOR * 0.99), "steps": torch.tensor(2**40)})
    with pytest.raises(PeerRefused, match="tensor gain has root mean square 20, expected at most 10"):
        check_weights(own, {**own, "gain": torch.full((2,), 20.0)})


@settings(max_examples=100, deadline=None)
@given(
    scale=st.floats(1 / (0.99 * NORM_FACTOR), 0.99 * NORM_FACTOR),
    dtype=st.sampled_from([torch.float64, torch.float32, torch.float16, torch.bfloat16]),
)
def test_within_the_factor_everything_passes_and_beyond_it_nothing(scale, dtype):
    own = {"weight": torch.linspace(-1, 1, 51, dtype=dtype), "nothing": torch.zeros(0, dtype=dtype)}
    check_weights(own, {name: tensor * scale for name, tensor in own.items()})
    for beyond in (scale * NORM_FACTOR**2, scale / NORM_FACTOR**2):
        assert reason_of(check_weights, own, {name: tensor * beyond for name, tensor in own.items()}) == "norm"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 3e38])
def test_values_whose_norm_is_no_number_are_refused(value):
    own = {"weight": torch.ones(4, dtype=torch.float64), "more": torch.ones(4)}
    doubles = {**own, "weight": torch.full((4,), -1e300, dtype=torch.float64)}
    assert reason_of(check_weights, own, doubles) == "norm"
    for name, tensor in own.items():
        assert reason_of(check_weights, own, {**own, name: torch.full_like(tensor, value)}) == "norm"


def test_a_model_without_weights_has_nothing_to_compare():
    check_weights({}, {})
    check_weights({"steps": torch.tensor(1)}, {"steps": torch.tensor(9)})
