"""Dealing cases into splits so that every split sees every structure, where counts allow.

Sizes are fixed first; then the structure with the fewest cases left is dealt first, to the split that most needs it
(the idea of Sechidis et al. 2011, "On the stratification of multi-label data"). Dealing is cheap, so it is done several
times and the deal in which most splits see most structures is kept.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence

from src.data.dataset import SPLITS
from src.errors import DatasetError

NUM_DEALS = 50
SUM_TOLERANCE = 1e-6


def split_sizes(num_cases: int, fractions: Sequence[float]) -> dict[str, int]:
    """How many cases each split gets: largest remainder, and at least one wherever the fraction is above 0.

    Args:
        num_cases: cases to deal.
        fractions: of training, validation and test; at least 0, the first above 0, with sum 1.

    Raises:
        DatasetError: impossible fractions, or fewer cases than splits to fill.
    """
    possible = len(fractions) == len(SPLITS) and all(fraction >= 0 for fraction in fractions) and fractions[0] > 0
    if not (possible and abs(sum(fractions) - 1) <= SUM_TOLERANCE):
        raise DatasetError(
            f"expected three fractions for {', '.join(SPLITS)}, training above 0, with sum 1; "
            f"found {', '.join(f'{fraction:g}' for fraction in fractions)}"
        )
    needed = sum(fraction > 0 for fraction in fractions)
    if num_cases < needed:
        raise DatasetError(
            f"expected at least {needed} cases, one for each split, found {num_cases}; add cases or set a fraction to 0"
        )
    sizes = [int(num_cases * fraction) for fraction in fractions]
    by_remainder = sorted(range(len(SPLITS)), key=lambda i: sizes[i] - num_cases * fractions[i])
    for i in by_remainder[: num_cases - sum(sizes)]:
        sizes[i] += 1
    for i, fraction in enumerate(fractions):
        if fraction > 0 and sizes[i] == 0:
            sizes[sizes.index(max(sizes))] -= 1
            sizes[i] = 1
    return dict(zip(SPLITS, sizes, strict=True))


def deal_splits(structures_of: Mapping[str, Sequence[str]], fractions: Sequence[float], seed: int) -> dict[str, str]:
    """Assigns every case to a split.

    Args:
        structures_of: case -> structures contoured in it.
        fractions: see ``split_sizes``.
        seed: the same cases and seed give the same splits, whatever the order of the mapping.

    Returns:
        case -> split, sorted by case.

    Raises:
        DatasetError: see ``split_sizes``.
    """
    sizes = split_sizes(len(structures_of), fractions)
    deals = [_deal(structures_of, sizes, random.Random(f"{seed}/{attempt}")) for attempt in range(NUM_DEALS)]
    best = max(deals, key=lambda deal: _num_seen(structures_of, deal))
    return dict(sorted(best.items()))


def _num_seen(structures_of: Mapping[str, Sequence[str]], deal: Mapping[str, str]) -> int:
    return len({(split, structure) for case, split in deal.items() for structure in structures_of[case]})


def _deal(structures_of: Mapping[str, Sequence[str]], sizes: Mapping[str, int], rng: random.Random) -> dict[str, str]:
    left = sorted(structures_of)
    rng.shuffle(left)
    room = dict(sizes)
    seen: dict[str, Counter] = {split: Counter() for split in sizes}
    total = Counter(structure for structures in structures_of.values() for structure in set(structures))
    remaining = total.copy()
    deal: dict[str, str] = {}
    while left:
        rarest = min(remaining, key=lambda structure: (remaining[structure], structure)) if remaining else None
        case = next(case for case in left if rarest is None or rarest in structures_of[case])
        split = max((s for s in room if room[s]), key=lambda s: _need(s, rarest, seen, total, sizes, room))
        deal[case] = split
        left.remove(case)
        room[split] -= 1
        remaining -= Counter(set(structures_of[case]))
        seen[split].update(set(structures_of[case]))
    return deal


def _need(split, structure, seen, total, sizes, room) -> tuple[bool, float, int]:
    """How much a split needs a structure: not seen at all first, then the share it lacks, then room."""
    wanted = total[structure] * sizes[split] / sum(sizes.values())
    return (seen[split][structure] == 0, wanted - seen[split][structure], room[split])
