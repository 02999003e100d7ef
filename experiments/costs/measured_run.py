"""What one finished training run of a study says of its costs, and the parts of its plan that explain them."""

from dataclasses import dataclass

from src.exchange.settings import TimingSettings


@dataclass(frozen=True, kw_only=True)
class SiteCost:
    """What ``cost.json`` says of one site; bytes and seconds of the whole run, without the local finish.

    ``steps`` and ``network_steps`` are those of the rounds; ``completion_steps``, if there were any, come after them.
    """

    cpu_seconds: float
    steps: int
    network_steps: int
    sent_bytes: int
    received_bytes: int
    closing_received_bytes: int
    train_cases: int
    completion_steps: int = 0


@dataclass(frozen=True, kw_only=True)
class Pull:
    """One model that a site received before the training of a round (or after the last); ``peer`` None is the aggregator."""

    round: int
    site: str
    peer: str | None
    received_bytes: int


@dataclass(frozen=True, kw_only=True)
class MeasuredRun:
    """One scheme with one seed.

    Attributes:
        scheme, seed: which.
        kind: individual, gossip, cyclic, pooled, fedavg or fedprox, as the plan that ran is.
        rounds: of training.
        local_rounds: of those, the last ones that the ``_local`` arm trains alone; 0 without such an arm.
        exchange_rounds: before the training of which rounds the plan has an exchange; every round with an aggregator.
        wire_dtype: what weights are rounded to on the wire.
        model_bytes: float32 payload of one network.
        sites: by name.
        pulls: what was received, in order; those that brought nothing are left out.
        local_finish_cpu_seconds: by site; None without a ``_local`` arm.
        local_finish_steps: optimiser steps of it by site; empty where they are not recorded.
        valid_cases: by site.
        local_rounds_at_end: rounds after the last exchange; 0 with an aggregator.
        timing: how long a site waits for another; None with an aggregator.
    """

    scheme: str
    seed: int
    kind: str
    rounds: int
    local_rounds: int
    exchange_rounds: tuple[int, ...]
    wire_dtype: str
    model_bytes: int
    sites: dict[str, SiteCost]
    pulls: tuple[Pull, ...]
    local_finish_cpu_seconds: dict[str, float] | None
    local_finish_steps: dict[str, int]
    valid_cases: dict[str, int]
    local_rounds_at_end: int
    timing: TimingSettings | None

    @property
    def has_aggregator(self) -> bool:
        return self.timing is None
