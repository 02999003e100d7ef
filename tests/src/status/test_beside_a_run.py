"""Status in a process of its own, beside sites that train as real processes."""

import contextlib
import time

import pytest

from experiments.toy_learner import STRUCTURES
from src.exchange.membership import Membership, roster_digest
from src.status.ask import ask_all
from src.status.asker import Asker
from src.status.overview import overview_of
from tests.src.exchange.toy_federation import ToyFederation

PAIR = ["site_a", "site_b"]
ROUNDS = 6


@pytest.mark.slow
def test_a_run_that_is_watched_all_the_time_ends_as_if_nobody_looked(tmp_path):
    exchange, timing = {"schedule": "full"}, {"serve_after_s": 60, "closing_wait_s": 60}
    settings = dict(rounds=ROUNDS, round_s=0.5, values=1000, exchange=exchange, timing=timing)
    membership = Membership(
        federation_id="toy", run_id="1", roster_digest=roster_digest(PAIR), architecture_hash="toy", initial_digest="toy"
    )
    with ToyFederation(tmp_path, PAIR, **settings) as federation:
        given = federation.given["site_a"]
        asker = Asker(
            site="site_a",
            roster=tuple(PAIR),
            rounds=ROUNDS,
            structures=STRUCTURES,
            membership=membership,
            addresses={**given["peers"], "site_a": given["listen"]},
            certificates=given["certificates"],
            state_folder=tmp_path / "site_a" / "state",
            log_folder=tmp_path / "site_a",
            timeout_s=2.0,
        )
        federation.start()
        seen, began = [], time.monotonic()
        with contextlib.closing(asker.open_transport()) as transport:
            while any(process.poll() is None for process in federation.processes.values()):
                assert time.monotonic() - began < 90
                seen.append(overview_of(asker, ask_all(asker, transport), time.time()))
                time.sleep(0.1)
        federation.wait(1)
        assert time.monotonic() - began < 50, "neither waited for serve_after_s because it took the other for not done"
        rounds = {card.site: [] for card in seen[0].cards}
        for card in (card for overview in seen for card in overview.cards if card.answer == "answered"):
            rounds[card.site].append(card.round)
        for found in rounds.values():
            assert found == sorted(found) and {1, ROUNDS} <= set(found)
        exchanged = [card for overview in seen for card in overview.cards if card.last_outcome == "received"]
        assert {card.site: card.last_peer for card in exchanged if card.last_age_s is not None} == {
            "site_a": "site_b",
            "site_b": "site_a",
        }
        assert max(card.received_bytes for card in exchanged) > 4000
        assert federation.result("site_a")["finals"] == federation.result("site_b")["finals"] == PAIR
        last = seen[-1].cards
        assert last[0].answer in ("answered", "not running") and last[0].state in ("closed", "finished")
