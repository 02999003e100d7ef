"""Who contours what: a structure that nobody contours is never learned, and is better left out of the plan."""

from collections.abc import Iterator

from src.doctor.finding import Finding, ok, warning
from src.doctor.shared_fact import Unavailable
from src.doctor.workplace import Workplace


def check_federation_structures(place: Workplace) -> Iterator[Finding]:
    """Every structure of the plan is contoured here or at a peer that answered."""
    if not place.exchanges:
        return
    structures = place.setting("data_loader.settings.structures", list[str])
    try:
        answers = place.answers
    except Unavailable:
        return  # the peers' lines say why
    records = place.dataset.cases_of("train")
    here = {name for record in records for name in record.structures}
    cases = {peer: answer.description.train_cases for peer, answer in answers.items() if answer.description is not None}
    missing = [name for name in structures if name not in here]
    helped = {name: [peer for peer, counts in cases.items() if counts.get(name, 0)] for name in missing}
    nowhere = [name for name, peers in helped.items() if not peers]
    if nowhere:
        whom = f"at none of the {len(cases)} peers that answered" if cases else "no peer has answered yet"
        cause = f"{', '.join(nowhere)}: not contoured here, {whom}"
        yield warning(
            "structures", cause, "contour some cases; or the coordinator leaves it out of structures in the plan for all"
        )
    elif missing:
        words = "; ".join(f"{name} at {', '.join(peers)}" for name, peers in helped.items())
        yield ok("structures", f"not contoured here, learned from others: {words}")
    else:
        yield ok("structures", "all are contoured here")
