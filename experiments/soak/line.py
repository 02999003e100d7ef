"""The line of one site: how long it takes, what it loses, how much it carries, and when a packet comes out of it."""

import random
from dataclasses import dataclass

# A router holds about half a second of its line's traffic; what comes beyond is dropped, as TCP expects it to be.
QUEUE_S = 0.5
_BITS_PER_BYTE = 8


@dataclass(frozen=True, kw_only=True)
class LineCondition:
    """What a line is like, in each direction.

    Attributes:
        latency_s: of every packet, one way.
        loss: share of packets that vanish, 0 to 1.
        rate_bits_per_s: that it carries; None for as much as there is.
    """

    latency_s: float = 0.005
    loss: float = 0.0
    rate_bits_per_s: float | None = None


GOOD = LineCondition()


class OneWay:
    """One direction of a line.

    Args:
        generator: of what is lost.
    """

    def __init__(self, generator: random.Random) -> None:
        self._generator = generator
        self._free_s = 0.0
        self.lost = self.overflowed = 0

    def arrival_s(self, entered_s: float, num_bytes: int, condition: LineCondition) -> float | None:
        """When a packet comes out at the other end.

        Args:
            entered_s: when it came to this end; never before an earlier packet's.
            num_bytes: of the packet.
            condition: of the line at that moment.

        Returns:
            A time on the same clock, or None when the packet is lost or the queue is full.
        """
        if condition.loss and self._generator.random() < condition.loss:
            self.lost += 1
            return None
        if condition.rate_bits_per_s is None:
            return entered_s + condition.latency_s
        begin_s = max(entered_s, self._free_s)
        if begin_s - entered_s > QUEUE_S:
            self.overflowed += 1
            return None
        self._free_s = begin_s + _BITS_PER_BYTE * num_bytes / condition.rate_bits_per_s
        return self._free_s + condition.latency_s
