"""The same words about several patients become one line."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, kw_only=True)
class Group:
    """The same words about several patients.

    Attributes:
        text: the words; ``…`` stands where the patients' numbers differ.
        cases: pseudonyms, each once, in their order.
    """

    text: str
    cases: tuple[str, ...]


def group(lines: Iterable[tuple[str, str]]) -> tuple[Group, ...]:
    """Puts together what is said of several patients, whatever the numbers in it are; most patients first."""
    texts: dict[str, list[str]] = defaultdict(list)
    cases: dict[str, dict[str, None]] = defaultdict(dict)
    for case, text in lines:
        words = NUMBER.sub("…", text)
        texts[words].append(text)
        cases[words][case] = None
    groups = [Group(text=_common(same), cases=tuple(cases[words])) for words, same in texts.items()]
    return tuple(sorted(groups, key=lambda group: (-len(group.cases), group.text)))


def _common(texts: list[str]) -> str:
    """Texts that differ by their numbers alone as one, with ``…`` in place of the numbers that differ."""
    numbers = [iter(column) for column in zip(*(NUMBER.findall(text) for text in texts), strict=True)]
    shown = iter([first if all(other == first for other in rest) else "…" for first, *rest in numbers])
    return NUMBER.sub(lambda _: next(shown), texts[0])
