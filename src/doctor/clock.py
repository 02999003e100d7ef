"""Clocks decide nothing in a run; one that is wrong makes certificates invalid and logs hard to compare."""

from collections.abc import Iterator

from src.doctor.finding import Finding, ok, warning
from src.doctor.shared_fact import Unavailable
from src.doctor.workplace import Workplace

_TOLERANCE_S = 60.0


def check_clock(place: Workplace) -> Iterator[Finding]:
    """This machine's clock against those of the peers that answered."""
    if not place.exchanges:
        return
    try:
        answers = place.answers
    except Unavailable:
        return  # the peers' lines say why
    known = {peer: answer for peer, answer in answers.items() if answer.clock_ahead_s is not None}
    if not known:
        yield ok("clock", "no peer says what time it is")
        return
    off = {peer: it.clock_ahead_s for peer, it in known.items() if abs(it.clock_ahead_s) > _TOLERANCE_S + it.clock_doubt_s}
    if not off:
        yield ok("clock", f"within {_TOLERANCE_S:g} s of {len(known)} peers")
        return
    words = ", ".join(
        f"{peer}'s is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this one" for peer, ahead in off.items()
    )
    here = len(off) == len(known) > 1
    yield warning("clock", words, f"timedatectl set-ntp true {'here' if here else 'here and at ' + ', '.join(off)}")
