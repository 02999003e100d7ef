"""Which model draws which structure, where nobody advises: every model that was trained for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from src.errors import ModelCardError
from src.predict.open_model import OpenedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnBy:
    """What draws a structure.

    Attributes:
        structure: TG-263 name.
        models: one, or several whose probabilities are averaged; of one working grid.
        why: that these draw it, in plain words.
    """

    structure: str
    models: tuple[OpenedModel, ...]
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """What is drawn, and what not.

    Attributes:
        drawn: in the order of the models' channels.
        not_drawn: structure of a model -> why not.
    """

    drawn: tuple[DrawnBy, ...]
    not_drawn: dict[str, str]

    @property
    def models(self) -> tuple[OpenedModel, ...]:
        """Each model that draws something, once, in the order of its SHA-256."""
        by_digest = {model.sha256: model for one in self.drawn for model in one.models}
        return tuple(by_digest[digest] for digest in sorted(by_digest))


def choose_all(models: Sequence[OpenedModel], wanted: Sequence[str]) -> Choice:
    """Every structure is drawn by all models that were trained for it.

    Args:
        models: at least one.
        wanted: TG-263 names; all where it is empty.

    Raises:
        ModelCardError: the models are of different working grids or anatomies, one is given twice, or no model was trained
            for a structure that is wanted.
    """
    _check_one_ensemble(models)
    structures = list(dict.fromkeys(name for model in models for name in model.card.structures))
    trained = {name: tuple(model for model in models if name in model.card.trained_structures) for name in structures}
    check_wanted(wanted, [name for name in structures if trained[name]])
    drawn = tuple(
        DrawnBy(structure=name, models=trained[name], why=_why(len(trained[name]), len(models)))
        for name in structures
        if trained[name] and (not wanted or name in wanted)
    )
    not_drawn = {name: "no model was trained for it" for name in structures if not trained[name]}
    not_drawn |= {name: "not asked for" for name in structures if trained[name] and wanted and name not in wanted}
    return Choice(drawn=drawn, not_drawn=not_drawn)


def check_wanted(wanted: Sequence[str], there: Sequence[str]) -> None:
    """Refuses what cannot be drawn.

    Raises:
        ModelCardError: names what can.
    """
    if not there:
        raise ModelCardError("expected a model that was trained for a structure, found none; give one that training saved")
    if missing := [name for name in wanted if name not in there]:
        raise ModelCardError(f"expected structures a model was trained for, found '{missing[0]}'; there are {', '.join(there)}")


def _why(num_models: int, num_given: int) -> str:
    if num_given == 1:
        return "the model given"
    return f"mean of the probabilities of {num_models} models of {num_given}, those that were trained for it"


def _check_one_ensemble(models: Sequence[OpenedModel]) -> None:
    first = models[0]
    for model in models[1:]:
        for what in ("anatomy", "preprocessing"):
            mine, expected = getattr(model.card, what), getattr(first.card, what)
            if mine != expected:
                raise ModelCardError(
                    f"expected models of one {what} to average, found {expected} in '{first.name}' and {mine} in "
                    f"'{model.name}'; give models of one plan"
                )
    digests = [model.sha256 for model in models]
    if twice := [model.name for model in models if digests.count(model.sha256) > 1]:
        raise ModelCardError(f"expected different models, found '{twice[0]}' twice; it would count twice in the mean")
