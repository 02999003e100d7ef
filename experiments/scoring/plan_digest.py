"""What of a plan was chosen, in one number."""

import copy

from experiments.scoring.digests import content_digest

# Seeds of one scheme share a hash, and where an aggregator listened is nobody's choice.
_NOT_CHOSEN = (
    ("data_loader", "settings", "random_seed"),
    ("task_runner", "settings", "random_seed"),
    ("collaborator", "settings", "exchange", "seed"),
    ("network", "settings", "agg_addr"),
    ("network", "settings", "agg_port"),
)


def plan_digest(plan: dict) -> str:
    """SHA-256 of a plan without its seeds and the aggregator's address, in hex; the order of keys does not matter."""
    chosen = copy.deepcopy(plan)
    for *above, last in _NOT_CHOSEN:
        section = chosen
        for key in above:
            section = section.get(key) if isinstance(section, dict) else None
        if isinstance(section, dict):
            section.pop(last, None)
    return content_digest(chosen)
