"""What hostile sites serve is refused for the reason it names; noise of the right norm is not, by anything but patients."""

import math

import pytest
import torch

from experiments.soak.forged_models import garbage, random_weights
from src.exchange.checks import check_description, check_manifest, check_weights
from src.exchange.manifest import Manifest
from src.exchange.membership import Description, Membership, SiteState
from src.exchange.snapshot import SnapshotFault, read_snapshot
from src.exchange.spool import Spool
from src.exchange.tensor_layout import TensorLayout
from src.exchange.transport import PeerRefused

STRUCTURES = ("Liver", "Spleen")
MEMBERSHIP = Membership(
    federation_id="federation", run_id="1", roster_digest="r", architecture_hash="a" * 64, initial_digest="i"
)
MANIFEST = Manifest(
    site="site_x",
    federation_id="federation",
    run_id="1",
    architecture_hash="a" * 64,
    epoch=1,
    sequence=7,
    round=7,
    final=False,
    train_cases=dict.fromkeys(STRUCTURES, 3),
    valid_cases=dict.fromkeys(STRUCTURES, 1),
    valid_dice={"Liver": 0.5, "Spleen": None},
    row_cases=dict.fromkeys(STRUCTURES, 3.0),
    code_version="1",
)


@pytest.fixture
def tensors():
    generator = torch.Generator().manual_seed(0)
    return {"conv.weight": torch.randn(8, 4, 3, generator=generator), "conv.bias": 0.1 * torch.randn(8, generator=generator)}


def take(forged, tensors, target):
    """What an honest site does with an offer, as ``Fetcher`` does it."""
    manifest = forged.manifest
    description = Description(
        site="site_x",
        membership=MEMBERSHIP,
        state=SiteState.TRAINING,
        round=manifest.round,
        epoch=manifest.epoch,
        sequence=manifest.sequence,
        snapshot_round=manifest.round,
        sha256=forged.sha256,
        size_bytes=forged.size_bytes,
    )
    layout = TensorLayout.of(tensors)
    check_description(MEMBERSHIP, "site_x", description, layout)
    with Spool(target, forged.sha256, forged.size_bytes) as spool:
        spool.append(forged.path.read_bytes())
        spool.finish()
    found, taken = read_snapshot(target, layout, STRUCTURES, compare=False)
    check_manifest(found, description, MEMBERSHIP, "site_x")
    check_weights(tensors, taken)
    return found, taken


@pytest.mark.parametrize("number", range(8))
def test_every_kind_of_garbage_is_refused_for_its_reason(tmp_path, tensors, number):
    forged = garbage(tmp_path / "forged.snapshot", MANIFEST, tensors, number, "float16", victim="site_a")
    with pytest.raises((PeerRefused, SnapshotFault)) as caught:
        take(forged, tensors, tmp_path / "taken.snapshot")
    assert caught.value.reason == forged.refused_as is not None


def test_the_kinds_differ(tmp_path, tensors):
    kinds = [garbage(tmp_path / f"{n}", MANIFEST, tensors, n, "float16", victim="site_a").refused_as for n in range(8)]
    assert len(set(kinds)) == 8


def test_noise_has_the_norm_of_the_model_and_boasts(tmp_path, tensors):
    forged = random_weights(tmp_path / "forged.snapshot", MANIFEST, tensors, seed=1, wire_dtype="float16")
    manifest, noise = take(forged, tensors, tmp_path / "taken.snapshot")
    for name, tensor in tensors.items():
        assert math.isclose(float(noise[name].norm()), float(tensor.norm()), rel_tol=0.5)
        assert abs(torch.nn.functional.cosine_similarity(noise[name].flatten(), tensor.flatten(), dim=0)) < 0.7
    assert manifest.train_cases["Liver"] == 1000 and manifest.valid_dice["Spleen"] == 1.0
