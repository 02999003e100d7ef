"""What the plan says about the exchange; every number is checked once, here."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from src.errors import PlanSettingError
from src.exchange.noise.settings import read_noise
from src.exchange.reachability import brings_to, brought_by, check_connected, check_kinds, meeting_peers
from src.exchange.schedule import SCHEDULES, Link, chain_order, links
from src.setting_range import check_number, check_whole

WIRE_DTYPES = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, kw_only=True)
class ExchangeSettings:
    """When a site exchanges, with whom, and in which precision.

    Attributes:
        schedule: of ``SCHEDULES``; ``none`` never exchanges, ``chain`` is cyclic weight transfer.
        peers_per_exchange: peers pulled from at a time, for ``base_k_plus_1`` and ``random``; at least 1.
        warm_up_rounds: rounds alone before the first exchange; at least 1, except for ``chain``.
        exchange_every: an exchange every so many rounds after the warm-up; at least 1.
        local_rounds_at_end: rounds alone after the last exchange; at least 0.
        wire_dtype: of ``WIRE_DTYPES``; what weights are rounded to on the wire.
        lock_step: whether to wait for the peer's model of the very same round; for tests and for exact mixing.
        seed: of the ``random`` schedule.
        reachability: site -> ``direct``, ``outbound`` or ``folder``, see ``reachability``; a site that is not named is direct.
        folder: whether all sites mount the synchronised folder; else only those of kind ``folder`` meet there.
        quorum: sites that a site must have met by the end, itself included; 0 demands nothing.
        noise: what is done to a model before it leaves, see ``noise.settings``; None, and it leaves as it is.
    """

    schedule: str
    peers_per_exchange: int
    warm_up_rounds: int
    exchange_every: int
    local_rounds_at_end: int
    wire_dtype: str
    lock_step: bool
    seed: int
    reachability: dict = field(default_factory=dict)
    folder: bool = False
    quorum: int = 0
    noise: dict | None = None

    def __post_init__(self) -> None:
        where = "collaborator.exchange"
        if self.schedule not in SCHEDULES:
            raise PlanSettingError(f"{where}.schedule: expected one of {', '.join(SCHEDULES)}, found '{self.schedule}'")
        if self.wire_dtype not in WIRE_DTYPES:
            raise PlanSettingError(f"{where}.wire_dtype: expected one of {', '.join(WIRE_DTYPES)}, found '{self.wire_dtype}'")
        if not isinstance(self.lock_step, bool):
            raise PlanSettingError(f"{where}.lock_step: expected true or false, found {self.lock_step!r}")
        if not isinstance(self.folder, bool):
            raise PlanSettingError(f"{where}.folder: expected true or false, found {self.folder!r}")
        check_kinds(self.reachability)
        read_noise(self.noise)
        lowest = {"peers_per_exchange": 1, "warm_up_rounds": 0 if self.schedule == "chain" else 1, "exchange_every": 1}
        for name in ("peers_per_exchange", "warm_up_rounds", "exchange_every", "local_rounds_at_end", "seed", "quorum"):
            check_whole(f"{where}.{name}", getattr(self, name), lowest.get(name, 0))
        if self.schedule == "chain" and (self.warm_up_rounds, self.exchange_every, self.local_rounds_at_end) != (0, 1, 0):
            raise PlanSettingError(
                f"{where}: a chain hands its model on after every round; set warm_up_rounds 0, exchange_every 1, "
                "local_rounds_at_end 0"
            )

    def check_roster(self, roster: Sequence[str]) -> None:
        """Whether these sites can hear of each other, and follow the schedule, by what the table says of them.

        Raises:
            PlanSettingError: naming who never meets, or a quorum that can never be met.
        """
        self._check_quorum(roster)
        if self.schedule == "none":
            return
        check_connected(roster, self.reachability, folder=self.folder)
        if self.schedule == "chain":
            self.chain_order(roster)

    def _check_quorum(self, roster: Sequence[str]) -> None:
        for site in roster:
            most = 1 if self.schedule == "none" else 1 + len(self.meeting_peers(roster, site))
            if self.quorum > most:
                raise PlanSettingError(
                    f"collaborator.exchange.quorum: expected at most {most}, the sites that {site} can meet and itself, found "
                    f"{self.quorum}"
                )

    def chain_order(self, roster: Sequence[str]) -> tuple[str, ...]:
        """The sites as a chain goes through them; by name where the table keeps nobody apart."""
        return chain_order(roster, self.reachability, folder=self.folder)

    def links(self, roster: Sequence[str], site: str, exchange: int) -> tuple[Link, ...]:
        """Whom a site learns from at an exchange; see ``schedule.links``."""
        return links(
            self.schedule,
            roster,
            site,
            exchange,
            seed=self.seed,
            peers_per_exchange=self.peers_per_exchange,
            reachability=self.reachability,
            folder=self.folder,
        )

    def meeting_peers(self, roster: Sequence[str], site: str) -> tuple[str, ...]:
        """Whom a site can meet; see ``reachability``."""
        return meeting_peers(roster, self.reachability, site, folder=self.folder)

    def brings_to(self, roster: Sequence[str], site: str) -> tuple[str, ...]:
        """To whom a site must bring its snapshots; see ``reachability``."""
        return brings_to(roster, self.reachability, site, folder=self.folder)

    def brought_by(self, roster: Sequence[str], site: str) -> tuple[str, ...]:
        """Who may bring snapshots to a site; see ``reachability``."""
        return brought_by(roster, self.reachability, site)

    def exchange_at(self, round_number: int, rounds: int) -> int | None:
        """The number of the exchange that precedes a round's training; None when there is none.

        Args:
            round_number: from 0.
            rounds: of the whole run.
        """
        since = round_number - self.warm_up_rounds
        if self.schedule == "none" or since < 0 or since % self.exchange_every:
            return None
        return since // self.exchange_every if round_number < rounds - self.local_rounds_at_end else None


@dataclass(frozen=True, kw_only=True)
class TimingSettings:
    """How long a site waits for what; all in seconds, all above 0.

    Attributes:
        connect_timeout_s: for a peer's first answer.
        pull_timeout_s: for one peer's whole snapshot, tries included; nobody waits longer for anybody in a round.
        round_wait_s: for a peer's model of one particular round; only ``chain`` and ``lock_step`` wait for that.
        closing_wait_s: after the last round, for the others' final models.
        serve_after_s: after that, how long to go on serving those who are not done.
        missing_after_s: how long a peer may be missing before every round warns of it; nobody waits that long for anybody.
    """

    connect_timeout_s: float
    pull_timeout_s: float
    round_wait_s: float
    closing_wait_s: float
    serve_after_s: float
    missing_after_s: float = 14400.0

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            check_number(f"collaborator.timing.{name}", getattr(self, name), 0.01)
