"""The network between the namespaces, in user space: a thread that takes packets, holds them, loses them, and hands them on.

Real TCP then sees real delay, loss, queues and cuts. The kernel's ``netem`` would do the same, where it is built in.
"""

import heapq
import os
import random
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping

from experiments.soak.line import GOOD, LineCondition, OneWay

_LARGEST_PACKET_BYTES = 65_535
_PACKETS_AT_A_TIME = 64
_LONGEST_WAIT_S = 0.05
_TARGET = slice(16, 20)  # of an IPv4 header


class Network:
    """A context manager that runs the thread.

    Args:
        addresses: IPv4 address by site.
        files: TUN device by site; see ``Namespaces``.
        seed: of what is lost.

    Attributes:
        packets: counts of ``passed``, ``lost``, ``overflowed``, ``cut`` and ``nowhere``.
    """

    def __init__(self, addresses: Mapping[str, str], files: Mapping[str, int], seed: int = 0) -> None:
        self._files = dict(files)
        self._owners = {socket.inet_aton(address): site for site, address in addresses.items()}
        self._addresses = dict(addresses)
        self._conditions: dict[str, LineCondition] = dict.fromkeys(files, GOOD)
        self._up = {site: OneWay(random.Random(f"{seed} up {site}")) for site in files}
        self._down = {site: OneWay(random.Random(f"{seed} down {site}")) for site in files}
        self._apart: list[frozenset[str]] = []
        self._waiting: list[tuple[float, int, str, str, bytes]] = []
        self._number = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True, name="soak-network")
        self.packets: Counter = Counter()

    def __enter__(self) -> "Network":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()

    # What may be changed at any time.

    def set_line(self, site: str, condition: LineCondition) -> None:
        """Makes a site's line like this, both ways."""
        self._conditions[site] = condition

    def set_apart(self, groups: Collection[Collection[str]]) -> None:
        """Cuts each of these groups off from everybody who is not in it; none cuts nobody off."""
        self._apart = [frozenset(group) for group in groups]

    def set_owner(self, site: str, answers: str) -> None:
        """Lets somebody receive what is meant for a site's address; itself, to give it back."""
        self._owners[socket.inet_aton(self._addresses[site])] = answers

    # The thread.

    def _carry(self) -> None:
        with selectors.DefaultSelector() as selector:
            for site, file in self._files.items():
                selector.register(file, selectors.EVENT_READ, site)
            while not self._stop.is_set():
                wait_s = self._waiting[0][0] - time.monotonic() if self._waiting else _LONGEST_WAIT_S
                for key, _ in selector.select(min(_LONGEST_WAIT_S, max(0.0, wait_s))):
                    self._take(key.data, key.fd)
                self._hand_on(time.monotonic())

    def _take(self, site: str, file: int) -> None:
        for _ in range(_PACKETS_AT_A_TIME):
            try:
                packet = os.read(file, _LARGEST_PACKET_BYTES)
            except BlockingIOError:
                return
            self._enter(site, packet)

    def _enter(self, site: str, packet: bytes) -> None:
        target = self._owners.get(packet[_TARGET]) if packet[0] >> 4 == 4 else None
        if target is None:
            self.packets["nowhere"] += 1
        elif self._is_cut(site, target):
            self.packets["cut"] += 1
        else:
            now_s = time.monotonic()
            there_s = self._up[site].arrival_s(now_s, len(packet), self._conditions[site])
            if there_s is not None:
                there_s = self._down[target].arrival_s(there_s, len(packet), self._conditions[target])
            if there_s is not None:
                self._number += 1
                heapq.heappush(self._waiting, (there_s, self._number, site, target, packet))

    def _hand_on(self, now_s: float) -> None:
        while self._waiting and self._waiting[0][0] <= now_s:
            _, _, site, target, packet = heapq.heappop(self._waiting)
            if self._is_cut(site, target):
                self.packets["cut"] += 1
                continue
            try:
                os.write(self._files[target], packet)
            except OSError:  # the device's queue is full, or it is down: a network may lose a packet
                self.packets["overflowed"] += 1
                continue
            self.packets["passed"] += 1

    def _is_cut(self, one: str, other: str) -> bool:
        return any((one in group) != (other in group) for group in self._apart)

    def count(self) -> dict[str, int]:
        """What became of all packets so far."""
        ways = [*self._up.values(), *self._down.values()]
        lost, overflowed = sum(way.lost for way in ways), sum(way.overflowed for way in ways)
        return {**self.packets, "lost": lost, "overflowed": overflowed + self.packets["overflowed"]}
