"""Runs with costs made by hand, and durations of any kind, for the tests of this folder."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from experiments.costs.hospitals import Durations
from experiments.costs.measured_run import MeasuredRun, Pull, SiteCost
from src.exchange.settings import TimingSettings

# For laws that hold for every draw alike.
few_examples = settings(max_examples=30)

MODEL_BYTES = 1000
SITES = ("site_a", "site_b", "site_c")
_SERVER_KINDS = ("fedavg", "fedprox", "pooled")


def site_cost(**changes) -> SiteCost:
    """A site that trained 80 steps."""
    content = {"cpu_seconds": 100.0, "steps": 80, "network_steps": 80, "sent_bytes": 0, "received_bytes": 0}
    return SiteCost(**{**content, "closing_received_bytes": 0, "train_cases": 10, **changes})


def made_run(kind: str, sites=SITES, *, rounds=8, exchange_rounds=None, local_rounds=0, pulls=(), **changes) -> MeasuredRun:
    """A run whose bytes are those of its pulls; FedAvg's are of every round unless said otherwise."""
    with_server = kind in _SERVER_KINDS
    if with_server and not pulls:
        pulls = tuple(pull(number, site, None) for number in range(rounds + 1) for site in sites)
    if exchange_rounds is None:
        exchange_rounds = tuple(range(rounds)) if with_server else ()
    received = {site: sum(entry.received_bytes for entry in pulls if entry.site == site) for site in sites}
    closing = {
        site: sum(entry.received_bytes for entry in pulls if entry.site == site and entry.round >= rounds) for site in sites
    }
    sent = {
        site: MODEL_BYTES * rounds if with_server else sum(entry.received_bytes for entry in pulls if entry.peer == site)
        for site in sites
    }
    costs = {
        site: site_cost(
            sent_bytes=sent[site],
            received_bytes=received[site],
            closing_received_bytes=0 if with_server else closing[site],
        )
        for site in sites
    }
    content = {
        "scheme": kind,
        "seed": 0,
        "kind": kind,
        "rounds": rounds,
        "local_rounds": local_rounds,
        "exchange_rounds": exchange_rounds,
        "wire_dtype": "float32" if with_server else "float16",
        "model_bytes": MODEL_BYTES,
        "sites": costs,
        "pulls": tuple(pulls),
        "local_finish_cpu_seconds": dict.fromkeys(sites, 20.0) if local_rounds else None,
        "local_finish_steps": {},
        "valid_cases": dict.fromkeys(sites, 2),
        "local_rounds_at_end": 0,
        "timing": None if with_server else timing(),
    }
    return MeasuredRun(**{**content, **changes})


def pull(number: int, site: str, peer: str | None, received_bytes: int = MODEL_BYTES) -> Pull:
    """One received model."""
    return Pull(round=number, site=site, peer=peer, received_bytes=received_bytes)


def timing(connect_timeout_s: float = 20.0) -> TimingSettings:
    """A plan's waits."""
    others = dict.fromkeys(("pull_timeout_s", "round_wait_s", "closing_wait_s", "serve_after_s"), 600.0)
    return TimingSettings(connect_timeout_s=connect_timeout_s, **others)


def made_durations(train, validate, download, upload) -> Durations:
    """One draw; a number a site, in seconds."""
    rows = [np.array([row], dtype=float) for row in (train, validate, download, upload)]
    names = ("train_s_DS", "validate_s_DS", "download_s_DS", "upload_s_DS")
    return Durations(
        sites=tuple(f"site_{letter}" for letter in "abcdefgh"[: len(train)]), **dict(zip(names, rows, strict=True))
    )


@st.composite
def any_durations(draw, num_sites=4) -> Durations:
    """One draw of hospitals of any speed; whole seconds, so that sums are exact."""
    seconds = arrays(np.int64, (4, num_sites), elements=st.integers(1, 500))
    return made_durations(*draw(seconds))


def any_pulls(num_sites=4, rounds=5):
    """At most one peer per site and round."""
    keys = st.tuples(st.integers(0, rounds - 1), st.integers(0, num_sites - 1))
    offsets = st.dictionaries(keys, st.integers(1, num_sites - 1))
    return offsets.map(lambda found: {(n, site): [(site + offset) % num_sites] for (n, site), offset in found.items()})
