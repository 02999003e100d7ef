"""Two names of one structure set that mean one structure: neither is believed, unless the site's file says which."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from data_prep.naming.decision import NameDecision


def refuse_doubles(decisions: Sequence[NameDecision], drawn: Sequence[bool]) -> list[NameDecision]:
    """The same decisions, but no structure stands in two of those that are drawn.

    Where one of the names stands in names.csv it is the one, and the others are left out; where none or several do, all of
    them become ``ambiguous``.
    """
    wanted: dict[str, list[int]] = defaultdict(list)
    for index, decision in enumerate(decisions):
        if decision.structure and drawn[index]:
            wanted[decision.structure].append(index)
    result = list(decisions)
    for structure, indices in wanted.items():
        if len(indices) == 1:
            continue
        chosen = [index for index in indices if decisions[index].confidence == "override"]
        for index in indices:
            if len(chosen) != 1:
                result[index] = _ambiguous(decisions[index], [decisions[other].native for other in indices])
            elif index != chosen[0]:
                why = f"names.csv says that '{decisions[chosen[0]].native}' is {structure}, so this one is left out"
                result[index] = replace(decisions[index], structure=None, confidence="override", why=why)
    return result


def _ambiguous(decision: NameDecision, natives: list[str]) -> NameDecision:
    both = " and ".join(f"'{native}'" for native in dict.fromkeys(natives))
    if len(set(natives)) == 1:
        why = f"{len(natives)} contours are called {both}; rename or delete one in the planning system"
    else:
        why = f"{both} both mean {decision.structure}; say in names.csv which one it is, and leave the other empty"
    return replace(decision, structure=None, confidence="ambiguous", suggested=(decision.structure,), why=why)
