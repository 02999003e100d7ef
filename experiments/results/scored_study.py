"""What was scored of a study: its settings, its arms, and the table of scores as it lies on disk."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.scoring import ScoreRow, read_scores
from experiments.scoring.score_row import score_of
from experiments.statistics.score import Score, ScoreTableError
from experiments.study_folder import read_study


@dataclass(frozen=True, kw_only=True)
class Arm:
    """What is compared: a kind of model that a scheme makes.

    Attributes:
        name, scheme: such as ``fedavg_local`` of ``fedavg``.
        plan: of the scheme, such as ``fedavg``.
        shared: whether all sites have the same model.
        seeds: that were scored, sorted.
        without: sites that took no part in the training; their patients are nobody's own.
    """

    name: str
    scheme: str
    plan: str
    shared: bool
    seeds: tuple[int, ...]
    without: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredStudy:
    """A study folder as far as it was scored on one split.

    Attributes:
        folder, split: which.
        settings: of study.yaml.
        arms: in the order of the study's schemes.
        rows: the scores, one a model, patient and structure.
    """

    folder: Path
    split: str
    settings: dict
    arms: tuple[Arm, ...]
    rows: tuple[ScoreRow, ...]

    @property
    def compared(self) -> tuple[str, ...]:
        """Names of the arms that all sites trained; only these are compared on each site's own patients."""
        return tuple(arm.name for arm in self.arms if not arm.without)

    def arm(self, name: str) -> Arm:
        """The arm of that name, which must be one."""
        return next(arm for arm in self.arms if arm.name == name)

    def scores(self, measure: str = "dice", which: str = "last", arms: Sequence[str] | None = None) -> list[Score]:
        """The scores of some arms, of every model on every patient.

        Args:
            measure: a number of the rows, distances as they are; a leading ``absolute_`` takes the size of the number
                without its sign.
            which: ``last`` or ``best``.
            arms: by default those that are compared.
        """
        names = set(self.compared if arms is None else arms)
        key = measure.removeprefix("absolute_")
        rows = [row for row in self.rows if row.which == which and row.arm in names]
        if key == "surface_dice":  # a structure without a tolerance has none, which is no true absence
            rows = [row for row in rows if row.tolerance_mm is not None]
        return [_score(row, getattr(row, key), absolute=key != measure) for row in rows]


def read_scored_study(folder: Path, split: str) -> ScoredStudy:
    """Reads the settings of a study and all its scores on one split.

    Raises:
        StudyFolderError: the folder is no study's.
        ScoreTableError: nothing of it was scored.
    """
    settings = read_study(folder)
    by_scheme = {scheme: _read_scheme(folder, split, scheme) for scheme in settings["schemes"]}
    if not any(by_scheme.values()):
        raise ScoreTableError(
            f"expected scores of the {split} patients in '{folder.name}/scores/{split}', found none; score the runs first"
        )
    arms = [arm for scheme, rows in by_scheme.items() for arm in _arms(scheme, settings["schemes"][scheme], rows)]
    rows = tuple(row for of_scheme in by_scheme.values() for row in of_scheme)
    return ScoredStudy(folder=folder, split=split, settings=settings, arms=tuple(arms), rows=rows)


def _read_scheme(folder: Path, split: str, scheme: str) -> list[ScoreRow]:
    scores = folder / "scores" / split / scheme
    return read_scores(scores) if any(scores.glob("seed_*.jsonl")) else []


def _arms(scheme: str, settings: dict, rows: Iterable[ScoreRow]) -> list[Arm]:
    seeds: dict[str, set[int]] = {}
    shared: dict[str, set[bool]] = {}
    for row in rows:
        seeds.setdefault(row.arm, set()).add(row.seed)
        shared.setdefault(row.arm, set()).add(row.model_site is None)
    if mixed := [name for name, kinds in shared.items() if len(kinds) > 1]:
        raise ScoreTableError(f"expected shared models or models of sites in {mixed[0]}, found both; score {scheme} again")
    without = tuple(settings.get("without") or ())
    return [
        Arm(
            name=name,
            scheme=scheme,
            plan=settings["plan"],
            shared=shared[name] == {True},
            seeds=tuple(sorted(of_arm)),
            without=without,
        )
        for name, of_arm in seeds.items()
    ]


def _score(row: ScoreRow, value: float | None, absolute: bool) -> Score:
    return score_of(row, abs(value) if absolute and value is not None else value)
