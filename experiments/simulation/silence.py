"""One site goes off the network in the middle of a simulated run, and the others notice as they would of a real one.

The simulation asks for a peer's model of one particular round, and such a question is repeated for hours (``round_wait_s``). A
real site of these plans takes the newest model there is: of a peer that is gone it hears after one call that it is gone. So
every wait of a simulation with a silent site is as good as nothing; whoever is there has always answered before.
"""

from dataclasses import replace

from experiments.silent_site import SilentSite
from src.exchange.in_memory import InMemoryNetwork
from src.exchange.settings import TimingSettings

_AS_GOOD_AS_NOTHING_S = 0.01


class Silence:
    """Takes a site off the network when its time has come.

    Args:
        silent: who and when; None for a run that everybody goes through.
    """

    def __init__(self, silent: SilentSite | None) -> None:
        self._silent = silent
        self._network: InMemoryNetwork | None = None

    def of_network(self, network: InMemoryNetwork) -> None:
        """Says which network the sites are on."""
        if self._silent is not None:
            self._network = network

    def begins_at(self, round_number: int) -> None:
        """Called before each round: takes the site off the network, if it is the first without it or a later one."""
        if self._silent is not None and not self.takes_part(self._silent.site, round_number):
            self._network.take_offline(self._silent.site)

    def takes_part(self, site: str, round_number: int) -> bool:
        """Whether a site does a round; the number of rounds stands for the end of the run."""
        return self._silent is None or site != self._silent.site or round_number < self._silent.from_round

    def timing(self, timing: TimingSettings) -> TimingSettings:
        """How long a site of the simulation waits for others."""
        if self._silent is None:
            return timing
        waits = dict.fromkeys(("round_wait_s", "closing_wait_s", "serve_after_s"), _AS_GOOD_AS_NOTHING_S)
        return replace(timing, **waits)


NOBODY = Silence(None)
