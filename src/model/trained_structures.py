"""Which structures somebody trained: the others are never predicted or scored.

A site sees only its own contours; but a row of the head that has moved since the run began was moved by somebody who trained
it, because nothing else moves it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from src.model.card import ModelCard
from src.model.network import HEAD_TENSORS
from src.model.state import state_digest

# Left beside the initial model by whoever made it from a saved one.
INIT_CARD = "init_card.json"


def note_initial_card(save_path: Path, card: ModelCard, tensors: Mapping[str, np.ndarray]) -> None:
    """Writes down what the run's first weights are, bound to them by their digest.

    Without the fingerprint: this file goes to every site, and none needs to know what the CTs of another were like.
    """
    save_path.mkdir(parents=True, exist_ok=True)
    partial = save_path / f".{INIT_CARD}.partial"
    note = {"digest": state_digest(tensors), "card": replace(card, fingerprint=None).to_json()}
    partial.write_text(json.dumps(note, indent=1), encoding="utf-8")
    partial.replace(save_path / INIT_CARD)


class TrainedStructures:
    """Knows what was trained, from the first weights of a run and from the present ones.

    Args:
        structures: names in channel order.
        cases_C: per channel, training cases of this site in which it is contoured.
        first: the tensors the run began with, by name.
        save_path: where ``note_initial_card`` may have left its note.
    """

    def __init__(
        self, structures: Sequence[str], cases_C: Sequence[int], first: Mapping[str, np.ndarray], save_path: Path
    ) -> None:
        self.structures, self.cases_C = structures, cases_C
        self._first = [np.array(first[name]) for name in HEAD_TENSORS]
        note = save_path / INIT_CARD
        facts = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
        self._before = facts["card"]["trained_structures"] if facts.get("digest") == state_digest(first) else ()

    def now(self, tensors: Mapping[str, np.ndarray]) -> tuple[str, ...]:
        """The structures that this site, the first weights' makers or a peer trained, in channel order."""
        heads = [(first, np.asarray(tensors[name])) for name, first in zip(HEAD_TENSORS, self._first, strict=True)]
        return tuple(
            name
            for channel, name in enumerate(self.structures)
            if self.cases_C[channel]
            or name in self._before
            or any(not np.array_equal(first[channel], now[channel]) for first, now in heads)
        )
