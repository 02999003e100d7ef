"""The models that a study's training runs left, and which of them draws a structure as the report advises.

A study folder of ``make compare`` holds ``train/<scheme>/seed_<n>/models.json``, which lists every saved model with its scheme
(``arm``) and its site. The advice is about the models after the last round, so these are used; of several seeds the first.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from src.errors import ModelCardError
from src.predict.advice import Advised
from src.predict.choice import Choice, DrawnBy, check_wanted
from src.predict.open_model import SAVED, OpenedModel

_LAST = "last"
_TRAIN = "train"


@dataclass(frozen=True, kw_only=True)
class StudyModels:
    """The last models that one site would use.

    Attributes:
        paths: scheme -> file.
        study: name of the folder, for messages.
    """

    paths: dict[str, Path]
    study: str

    @classmethod
    def find(cls, study: Path, site: str) -> "StudyModels":
        """Looks through the training runs of a study, or of its ``train`` folder.

        Raises:
            ModelCardError: there is none, or one lists its models in another way.
        """
        train = study / _TRAIN if (study / _TRAIN).is_dir() else study
        lists = sorted(train.glob("*/seed_*/models.json"), key=lambda path: (path.parent.parent.name, _seed(path.parent)))
        paths: dict[str, Path] = {}
        for listing in lists:
            for row in _rows(listing):
                if row["which"] == _LAST and row["model_site"] in (None, site):
                    paths.setdefault(row["arm"], listing.parent / row["path"])
        if not paths:
            raise ModelCardError(
                f"expected training runs with models.json in '{study.name}/train', found none with a model for '{site}'; give "
                "the folder of `make compare` with --study"
            )
        return cls(paths=paths, study=study.name)


def choose_advised(
    advice: Mapping[str, Advised], models: StudyModels, wanted: Sequence[str], open_one: Callable[[Path], OpenedModel]
) -> Choice:
    """Each structure is drawn by the first advised model that is there and was trained for it.

    Args:
        advice: of the site.
        models: of the site.
        wanted: TG-263 names; all where it is empty.
        open_one: opens a file; called once for each.

    Raises:
        ModelCardError: none is there for a structure that is wanted.
    """
    opened: dict[Path, OpenedModel] = {}
    drawn, not_drawn = [], {}
    for structure, advised in advice.items():
        model = next(_trained_for(structure, advised, models, opened, open_one), None)
        if model is None:
            not_drawn[structure] = f"no model of {', '.join(advised.schemes)} in the study was trained for it"
        else:
            scheme, chosen = model
            drawn.append(DrawnBy(structure=structure, models=(chosen,), why=f"{scheme}: {advised.why}"))
    check_wanted(wanted, [one.structure for one in drawn])
    not_drawn |= {one.structure: "not asked for" for one in drawn if wanted and one.structure not in wanted}
    return Choice(drawn=tuple(one for one in drawn if one.structure not in not_drawn), not_drawn=not_drawn)


def _trained_for(structure: str, advised: Advised, models: StudyModels, opened: dict, open_one: Callable):
    for scheme in advised.schemes:
        if (path := models.paths.get(scheme)) is None:
            continue
        if path not in opened:
            opened[path] = open_one(path)
        if structure in opened[path].card.trained_structures:
            yield scheme, opened[path]


def _rows(listing: Path) -> list[Mapping]:
    try:
        rows = json.loads(listing.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _refused(listing, f"none that can be read ({type(error).__name__})") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and _is_row(row) for row in rows):
        raise _refused(listing, "rows of another kind")
    return rows


def _is_row(row: Mapping) -> bool:
    texts = (row.get("arm"), row.get("which"), row.get("path"))
    if not all(isinstance(text, str) and text for text in texts) or not isinstance(row.get("model_site"), str | None):
        return False
    path = PurePosixPath(row["path"])
    return not path.is_absolute() and ".." not in path.parts and path.suffix == SAVED


def _seed(run: Path) -> int:
    found = re.fullmatch(r"seed_(\d+)", run.name)
    return int(found[1]) if found else -1


def _refused(listing: Path, found: str) -> ModelCardError:
    where = "/".join(listing.parts[-3:])
    return ModelCardError(f"expected the saved models in '{where}', found {found}; train the run again, to its end")
