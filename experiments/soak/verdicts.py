"""What patients said of peers' models: ``python -m experiments.soak.verdicts <folder> ...`` prints it by the judge's Dice.

Reads every ``metrics.jsonl`` below the folders. By it the bound that keeps noise out was chosen, ``src/learning/judgement.py``.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.table import Table

from experiments.soak.federation import RANDOM
from src.learning.judgement import SMALLEST_SHARE

OWN_DICE = (0.0, 0.05, 0.1, 0.15, 0.2, 0.4, 1.0)


def read_verdicts(folders: Iterable[Path]) -> list[tuple[str, float, float]]:
    """Peer, the judge's own Dice, and the peer's on the judge's patients; of those that could be judged."""
    found = []
    for folder in folders:
        for path in sorted(folder.glob("**/logs/site_*/metrics.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                for peer, verdict in json.loads(line).get("peers", {}).items():
                    if verdict["own_mean_dice"] and verdict["peer_mean_dice"] is not None:
                        found.append((peer, verdict["own_mean_dice"], verdict["peer_mean_dice"]))
    return found


def verdict_table(verdicts: Sequence[tuple[str, float, float]]) -> Table:
    """Ranges of the judge's own Dice down; honest peers and noise across: how many, and how many below the bound."""
    table = Table(title=f"peers with less than {SMALLEST_SHARE:g} of the judge's Dice", title_justify="left")
    for column in ("own Dice", "honest, below", "of", "lowest share", "noise, below", "of", "highest share"):
        table.add_column(column, justify="right")
    for low, high in pairwise(OWN_DICE):
        shares = [(peer == RANDOM, theirs / own) for peer, own, theirs in verdicts if low <= own < high]
        honest = [share for is_noise, share in shares if not is_noise]
        noise = [share for is_noise, share in shares if is_noise]
        lowest, highest = (
            f"{end:.2f}" if end is not None else "-" for end in (min(honest, default=None), max(noise, default=None))
        )
        table.add_row(f"{low:g} to {high:g}", _below(honest), str(len(honest)), lowest, _below(noise), str(len(noise)), highest)
    return table


def _below(shares: Sequence[float]) -> str:
    return str(sum(share < SMALLEST_SHARE for share in shares))


if __name__ == "__main__":
    Console(width=120).print(verdict_table(read_verdicts(map(Path, sys.argv[1:]))))
