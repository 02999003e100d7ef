"""``prediction.json``: what was drawn, by what, on what, and what a person should look at. It says nothing of the patient."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from src.data.dataset import TOOL
from src.exchange.whole_file import write_whole
from src.predict.choice import Choice
from src.predict.open_model import OpenedModel

FILE = "prediction.json"
NOTICE = (
    "Not a medical device. These contours are a proposal: a person who may contour looks at every slice of each, and corrects "
    "it, before it is planned with."
)


@dataclass(frozen=True, kw_only=True)
class PredictionSettings:
    """What the user chose for all patients.

    Attributes:
        overlap: of the sliding windows.
        precision: as asked for.
        formats: of ``rtstruct`` and ``nifti``.
    """

    overlap: float
    precision: str
    formats: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What came out for one CT.

    Attributes:
        label: of the CT.
        made_with: from ``made_with``.
        volumes_cm3: structure -> volume of its voxels, 0 where it was not found.
        warnings: what to look at, in plain words.
        size, spacing_mm: of the CT, in x, y, z.
        seconds: from reading the CT to the last file.
    """

    label: str
    made_with: dict
    volumes_cm3: dict[str, float]
    warnings: tuple[str, ...]
    size: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    seconds: float


def made_with(choice: Choice, settings: PredictionSettings, ct_sha256: str) -> dict:
    """All that a prediction depends on, in plain JSON types: two that are equal here draw the same."""
    content = {
        "tool": TOOL,
        "ct_sha256": ct_sha256,
        "drawn_by": {one.structure: [model.sha256 for model in one.models] for one in choice.drawn},
        "computes": {model.sha256: model.computes for model in choice.models},
        "settings": asdict(settings),
    }
    return json.loads(json.dumps(content))


def read_made_with(folder: Path) -> dict | None:
    """``made_with`` of a prediction that is there; None where it cannot be read."""
    try:
        return json.loads((folder / FILE).read_text(encoding="utf-8"))["made_with"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_prediction(folder: Path, prediction: Prediction, choice: Choice) -> None:
    """Writes ``prediction.json`` into a folder."""
    content = {
        "notice": NOTICE,
        **asdict(prediction),
        "chosen_because": {one.structure: one.why for one in choice.drawn},
        "not_drawn": choice.not_drawn,
        "models": _models(choice.models),
    }
    write_whole(folder / FILE, [(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()])


def _models(models: Sequence[OpenedModel]) -> list[Mapping]:
    return [
        {"sha256": model.sha256, "name": model.name, "computes": model.computes, "card": model.card.to_json()}
        for model in models
    ]
