"""Each peer is asked the way it is reached, and every way is let go of once."""

import pytest

from src.exchange.in_memory import InMemoryNetwork, InMemoryTransport
from src.exchange.mixed_transport import MixedTransport
from src.exchange.transport import PeerUnreachable
from tests.src.exchange.tls import OneSnapshot, greeting_of


class Closing(InMemoryTransport):
    """Counts how often it is let go of; the first time fails."""

    closed = 0

    def close(self):
        self.closed += 1
        if self.closed == 1 and self.fails:
            raise OSError("the line is gone")


@pytest.fixture
def lines(tmp_path):
    lines = {}
    for site in ("site_b", "site_c"):
        (tmp_path / site).write_bytes(site.encode())
        network = InMemoryNetwork()
        network.register(site, OneSnapshot(site, tmp_path / site))
        lines[site] = Closing(network, "site_a")
        lines[site].fails = site == "site_b"
    return lines


def test_each_peer_is_asked_the_way_it_is_reached(lines, tmp_path):
    mixed, greeting = MixedTransport(lines), greeting_of("site_a")
    for site in lines:
        described = mixed.describe(site, greeting, wanted_round=None, timeout_s=5)
        assert described.site == site
        assert mixed.pull(site, greeting, described, tmp_path / "pulled", timeout_s=5) == len(site)
        assert (tmp_path / "pulled").read_bytes() == site.encode()


def test_who_is_reached_in_no_way_is_unreachable(lines, tmp_path):
    with pytest.raises(PeerUnreachable, match="site_d"):
        MixedTransport(lines).describe("site_d", greeting_of("site_a"), wanted_round=None, timeout_s=5)


def test_every_line_is_closed_once_also_when_another_cannot_be(lines):
    line_b, line_c = lines.values()
    with pytest.raises(OSError, match="the line is gone"):
        MixedTransport({"site_b": line_b, "site_c": line_c, "site_d": line_b}).close()
    assert (line_b.closed, line_c.closed) == (1, 1)
