"""One site of a toy federation as a process of its own: real TLS, real files; started by ``toy_federation``, killed by tests.

It writes a line to ``marks`` when it enters and leaves each dangerous moment, so that a test can kill it there and say where.
"""

import hashlib
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import torch

from experiments.toy_learner import ToyLearner, exchange_settings, timing_settings, toy_site
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.server import ExchangeServer
from src.process_edge import process_edge
from src.stop_signal import stops_on_signal

MOMENTS = ("pull", "learn", "checkpoint", "publish")


class Marks:
    """Appends ``moment round begin|end`` lines."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def around(self, moment, owner, name, round_of):
        """Wraps a method."""
        method = getattr(owner, name)

        def marked(*arguments, **named):
            self._file.write(f"{moment} {round_of()} begin\n")
            try:
                return method(*arguments, **named)
            finally:
                self._file.write(f"{moment} {round_of()} end\n")

        setattr(owner, name, marked)


def main(given: dict) -> None:
    """Runs one site to its end; leaves ``result`` in its folder."""
    torch.set_num_threads(1)
    folder, name = Path(given["folder"]), given["site"]
    folder.mkdir(exist_ok=True)
    files = {key: Path(value) for key, value in given["certificates"].items()}
    learner = ToyLearner(name, values=given["values"], round_s=given["round_s"])
    events = (folder / "events.jsonl").open("a", encoding="utf-8", buffering=1)
    transport = GrpcTransport(given["peers"], own=name, **files)
    site = toy_site(
        learner,
        given["roster"],
        transport,
        Path(given.get("state", folder / "state")),
        lambda **facts: events.write(json.dumps({**facts, "at": time.time()}) + "\n"),
        rounds=given["rounds"],
        exchange=exchange_settings(**given["exchange"]),
        timing=timing_settings(**given["timing"]),
    )
    marks = Marks(folder / "marks")
    marks.around("pull", site.fetcher, "fetch", lambda: site.round)
    marks.around("learn", learner, "learn", lambda: site.round)
    marks.around("checkpoint", site.checkpoints, "save", lambda: site.round)
    marks.around("publish", site.outbox, "publish", lambda: site.round)
    server = ExchangeServer(
        site.served, bind_address=given["listen"], roster=given["roster"], max_pulls=len(given["roster"]), **files
    )
    with ExitStack() as stack:
        stack.callback(transport.close)
        server.start()
        stack.callback(server.stop, 0.5)
        site.run()
    result = {"sha256": hashlib.sha256(learner.weights.numpy().tobytes()).hexdigest(), "finals": learner.finals}
    (folder / "result").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    # As the collaborator does it.
    with process_edge(), stops_on_signal("start it again"):
        main(json.loads(sys.argv[1]))
