"""One toy site as a process of its own that shares nothing but a folder; started and killed by ``test_processes``."""

import hashlib
import json
import sys
from pathlib import Path

import torch

from experiments.toy_learner import ToyLearner, exchange_settings, timing_settings, toy_site
from src.exchange.folder.shared_folder import SharedFolder


def main(given: dict) -> None:
    """Runs one site to its end; leaves ``result`` in its folder."""
    torch.set_num_threads(1)
    own, name, roster = Path(given["own"]), given["site"], given["roster"]
    files = {key: Path(value) for key, value in given["certificates"].items()}
    shared = SharedFolder(Path(given["shared"]), own=name, peers=[site for site in roster if site != name], **files)
    learner = ToyLearner(name, values=given["values"])
    events = (own / "events.jsonl").open("a", encoding="utf-8", buffering=1)
    site = toy_site(
        learner,
        roster,
        shared.transport,
        own / "state",
        lambda **facts: events.write(json.dumps(facts) + "\n"),
        rounds=given["rounds"],
        exchange=exchange_settings(**given["exchange"]),
        timing=timing_settings(),
    )
    publisher = shared.publisher(site.served, site.outbox, site.membership, epoch=1, state_path=own / "state" / "folder.json")
    publisher.start()
    site.run()
    publisher.stop(20)
    digest = hashlib.sha256(learner.weights.numpy().tobytes()).hexdigest()
    (own / "result").write_text(json.dumps({"sha256": digest, "finals": learner.finals}), encoding="utf-8")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
