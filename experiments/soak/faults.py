"""What goes wrong, where, when and for how long: drawn once from a seed, before anything is started.

Every fault is an entry of the log in the same form, so that the log of a run says what to repeat.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

# A soak of this length has partitions of 1 to 6 minutes; a shorter one has proportionally shorter windows.
FULL_MINUTES = 30.0
PARTITION_S = (60.0, 360.0)
PAUSE_BETWEEN_PARTITIONS_S = (30.0, 120.0)
LINE_FAULT_S = (120.0, 300.0)
TAKEOVER_S = (20.0, 60.0)
KILL_GAP_S = (30.0, 90.0)  # not scaled: a process needs its time to start
FIRST_KILL_S = 30.0
CLOCK_OFF_S = (120.0, 480.0)
SLOW_SHARE_OF_RUN, SLOW_FACTOR = 0.5, 4.0
# One-way delay and loss hold for each direction of a line, as the rate does.
LINE_FAULTS = {
    "latency": {"latency_s": 0.2},
    "loss": {"loss": 0.05},
    "rate": {"rate_bits_per_s": 1e6},
    "all three": {"latency_s": 0.2, "loss": 0.05, "rate_bits_per_s": 1e6},
}
_WINDOWS_OF_EACH = 2


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        time_s: since the sites were started.
        kind: ``kill``, ``partition``, a name of ``LINE_FAULTS``, ``slow``, ``clock`` or ``takeover``.
        sites: whom it strikes; of a partition, those who are cut off together from all others.
        duration_s: how long it lasts; 0 for a moment, or for the whole run where ``kind`` is ``clock``.
        parameters: of the kind, with units in their names.
    """

    time_s: float
    kind: str
    sites: tuple[str, ...]
    duration_s: float = 0.0
    parameters: dict = field(default_factory=dict)

    @property
    def end_s(self) -> float:
        """When it is over."""
        return self.time_s + self.duration_s

    def to_json(self) -> dict:
        """As it stands in the log."""
        return {**asdict(self), "sites": list(self.sites)}


def draw_faults(seed: int, minutes: float, sites: Sequence[str]) -> list[Fault]:
    """All faults of a soak, by time.

    Args:
        seed: the same gives the same faults.
        minutes: of wall-clock; below 30 every window is proportionally shorter.
        sites: the honest ones, at least three. The first is never killed: only a process that lives as long as the run shows
            whether its memory grows. All else strikes it too.
    """
    if len(sites) < 3:
        raise ValueError(f"expected at least 3 sites, found {len(sites)}")
    generator, duration_s, scale = random.Random(seed), 60 * minutes, min(1.0, minutes / FULL_MINUTES)
    clocks = list(_clocks(generator, sites, scale))
    faults = [
        *clocks,
        *_slow(generator, sites, duration_s),
        *_partitions(generator, sites, duration_s, scale),
        *_lines(generator, sites, duration_s, scale),
        *_takeovers(generator, [site for site in sites[1:] if site not in clocks[-1].sites], duration_s, scale),
        *_kills(generator, sites[1:], duration_s),
    ]
    return sorted(faults, key=lambda fault: (fault.time_s, fault.kind))


def _clocks(generator: random.Random, sites: Sequence[str], scale: float) -> Iterator[Fault]:
    behind, ahead = generator.sample(list(sites)[1:], 2)
    for site, sign in ((ahead, 1), (behind, -1)):
        yield Fault(
            time_s=0.0, kind="clock", sites=(site,), parameters={"off_s": sign * round(scale * generator.uniform(*CLOCK_OFF_S))}
        )


def _slow(generator: random.Random, sites: Sequence[str], duration_s: float) -> Iterator[Fault]:
    yield Fault(
        time_s=0.0,
        kind="slow",
        sites=(generator.choice(list(sites)[1:]),),
        duration_s=SLOW_SHARE_OF_RUN * duration_s,
        parameters={"factor": SLOW_FACTOR},
    )


def _partitions(generator: random.Random, sites: Sequence[str], duration_s: float, scale: float) -> Iterator[Fault]:
    time_s = scale * generator.uniform(*PAUSE_BETWEEN_PARTITIONS_S)
    while True:
        length_s = scale * generator.uniform(*PARTITION_S)
        if time_s + length_s > duration_s:
            return
        cut_off = generator.sample(list(sites), generator.randint(1, len(sites) // 2))
        yield Fault(time_s=time_s, kind="partition", sites=tuple(sorted(cut_off)), duration_s=length_s)
        time_s += length_s + scale * generator.uniform(*PAUSE_BETWEEN_PARTITIONS_S)


def _lines(generator: random.Random, sites: Sequence[str], duration_s: float, scale: float) -> Iterator[Fault]:
    for kind, conditions in LINE_FAULTS.items():
        # Of one site one after the other: a line has one condition at a time.
        for number in range(_WINDOWS_OF_EACH):
            length_s = scale * generator.uniform(*LINE_FAULT_S)
            share_s = duration_s / _WINDOWS_OF_EACH
            begin_s = number * share_s + generator.uniform(0.0, share_s - length_s)
            site = generator.choice(list(sites))
            yield Fault(time_s=begin_s, kind=kind, sites=(site,), duration_s=length_s, parameters=dict(conditions))


def _takeovers(generator: random.Random, sites: Sequence[str], duration_s: float, scale: float) -> Iterator[Fault]:
    """The impostor answers at a site's address; not of one that is cut off by its clock anyway."""
    victim = generator.choice(list(sites))
    for begin_share in (0.2, 0.55):
        begin_s = duration_s * (begin_share + generator.uniform(0.0, 0.1))
        yield Fault(time_s=begin_s, kind="takeover", sites=(victim,), duration_s=scale * generator.uniform(*TAKEOVER_S))


def _kills(generator: random.Random, sites: Sequence[str], duration_s: float) -> Iterator[Fault]:
    time_s = FIRST_KILL_S
    while time_s < duration_s:
        yield Fault(time_s=time_s, kind="kill", sites=(generator.choice(list(sites)),))
        time_s += generator.uniform(*KILL_GAP_S)
