"""What was seen of a soak, kept on disk so that it can be judged again without another half hour."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from experiments.federation.results import final_validation
from src.errors import FederationError
from src.exchange.whole_file import write_whole

_FILE_NAME = "seen.json"
_KEPT_ROUNDS = 8  # five snapshots, two checkpoints and the models of two exchanges


@dataclass(frozen=True, kw_only=True)
class Soaked:
    """What was seen.

    Attributes:
        seconds: from the start of the sites to the end of the last.
        plan: of the soak, without its pauses: what undisturbed runs are made with.
        rounds: of the plan.
        exit_codes: by honest site; None for one that still ran when patience ended.
        ended_s: by honest site.
        kills: that struck, by honest site.
        events, samples: see ``Watch``.
        faults: as they were carried out.
        impostor: what it noted.
        packets: what became of them.
        clock: how the clocks were made wrong.
    """

    seconds: float
    plan: dict
    rounds: int
    exit_codes: dict[str, int | None]
    ended_s: dict[str, float]
    kills: dict[str, int]
    events: dict[str, list[dict]]
    samples: list[dict]
    faults: list[dict]
    impostor: list[dict]
    packets: dict[str, int]
    clock: str

    def dice(self) -> dict[str, float]:
        """Mean validation Dice of each honest site's final model."""
        found = {site: final_validation(rows) for site, rows in self.events.items()}
        return {site: event["mean_dice"] for site, event in found.items() if event is not None}

    def filled_s(self) -> dict[str, float]:
        """By honest site, when its folder of states was full; infinite where it never was."""
        return {
            site: min(
                (row["at_s"] for row in rows if row["phase"] == "validate" and row["round"] >= _KEPT_ROUNDS), default=math.inf
            )
            for site, rows in self.events.items()
        }

    def last_round_s(self) -> dict[str, float]:
        """By honest site, when its last round was seen to be validated."""
        return {
            site: max((row["at_s"] for row in rows if row["phase"] == "validate" and "after" not in row), default=0.0)
            for site, rows in self.events.items()
        }


def keep_seen(folder: Path, seen: Soaked) -> None:
    """Writes what was seen, whole."""
    write_whole(folder / _FILE_NAME, [(json.dumps(asdict(seen)) + "\n").encode()])


def read_seen(folder: Path) -> Soaked:
    """What ``keep_seen`` wrote.

    Raises:
        FederationError: there is no such file.
    """
    path = folder / _FILE_NAME
    if not path.is_file():
        raise FederationError(f"expected a soak to judge in '{folder.name}', found no {_FILE_NAME}; run one first")
    return Soaked(**json.loads(path.read_text(encoding="utf-8")))
