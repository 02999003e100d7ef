"""Every scheme's scores on the same patients, as arrays; whatever would make the comparison unfair is refused here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from experiments.statistics.averages import mean_of_present
from experiments.statistics.score import Score, ScoreTableError
from experiments.statistics.series import NO_LIMITS, Series

Cell = tuple[str, str, str]  # patient site, patient, structure


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """Scores of several schemes and seeds, in an order that does not depend on that of the rows.

    Attributes:
        patients: (site, pseudonym) of each, sorted.
        structures: of every patient together, sorted.
        seeds: per scheme, sorted; schemes may have different ones.
        values: per scheme float64 (seeds, patients, structures); NaN where there is no number.
        has_score: per scheme bool (patients, structures); False where there is no row.
        limits: see ``Series``.
    """

    patients: tuple[tuple[str, str], ...]
    structures: tuple[str, ...]
    seeds: Mapping[str, tuple[int, ...]]
    values: Mapping[str, np.ndarray]
    has_score: Mapping[str, np.ndarray]
    limits: tuple[float, float] = NO_LIMITS

    @classmethod
    def of(cls, scores: Iterable[Score], limits: tuple[float, float] = NO_LIMITS) -> "Study":
        """Arranges the scores of one view.

        Args:
            scores: in any order.
            limits: lowest and highest score there can be.

        Raises:
            ScoreTableError: there is no score; one is beyond the limits; two are for the same scheme, seed, patient and
                structure; the seeds of a scheme have different patients or structures; two schemes have different patients.
        """
        runs = _by_run(scores)
        _check_limits(runs, limits)
        _check_seeds(runs)
        _check_schemes(runs)
        cells = {cell for run in runs.values() for cell in run}
        patients = tuple(sorted({cell[:2] for cell in cells}))
        structures = tuple(sorted({cell[2] for cell in cells}))
        seeds = {scheme: tuple(seed for name, seed in sorted(runs) if name == scheme) for scheme, _ in sorted(runs)}
        shape = len(patients), len(structures)
        place = {name: index for index, name in enumerate(patients)}
        column = {name: index for index, name in enumerate(structures)}
        values = {scheme: np.full((len(of_scheme), *shape), np.nan) for scheme, of_scheme in seeds.items()}
        has_score = {scheme: np.zeros(shape, bool) for scheme in seeds}
        for (scheme, seed), run in runs.items():
            for cell, value in run.items():
                row, structure = place[cell[:2]], column[cell[2]]
                values[scheme][seeds[scheme].index(seed), row, structure] = value
                has_score[scheme][row, structure] = True
        return cls(patients=patients, structures=structures, seeds=seeds, values=values, has_score=has_score, limits=limits)

    @property
    def schemes(self) -> tuple[str, ...]:
        """Sorted."""
        return tuple(self.seeds)

    @property
    def sites(self) -> tuple[str, ...]:
        """Whose patients there are, sorted."""
        return tuple(sorted({site for site, _ in self.patients}))

    @property
    def site_P(self) -> np.ndarray:
        """int, the site of each patient as its position in ``sites``."""
        index = {site: number for number, site in enumerate(self.sites)}
        return np.array([index[site] for site, _ in self.patients])

    def series(self, scheme: str, seed: int | None = None) -> Series:
        """A scheme's table: the mean over its seeds, or one seed.

        A true absence that only some seeds left empty has the mean of the others, which is 0: they drew what is not there.

        Raises:
            ScoreTableError: the study has no such scheme or seed.
        """
        if scheme not in self.seeds or (seed is not None and seed not in self.seeds[scheme]):
            known = ", ".join(f"{name} (seeds {' '.join(map(str, seeds))})" for name, seeds in self.seeds.items())
            raise ScoreTableError(f"expected a scheme and seed of {known}, found {scheme}, seed {seed}")
        values = self.values[scheme]
        return Series(
            scheme=scheme,
            values_PK=mean_of_present(values, axis=0) if seed is None else values[self.seeds[scheme].index(seed)],
            has_score_PK=self.has_score[scheme],
            site_P=self.site_P,
            patient_P=np.arange(len(self.patients)),
            sites=self.sites,
            structures=self.structures,
            limits=self.limits,
        )


def _by_run(scores: Iterable[Score]) -> dict[tuple[str, int], dict[Cell, float]]:
    runs: dict[tuple[str, int], dict[Cell, float]] = defaultdict(dict)
    for score in scores:
        run, cell = runs[score.scheme, score.seed], (score.patient_site, score.patient, score.structure)
        if cell in run:
            raise ScoreTableError(
                f"expected one score of {'/'.join(cell)} for {score.scheme}, seed {score.seed}, found two; choose a view of"
                " whose models to look at, such as own_site"
            )
        run[cell] = score.value
    if not runs:
        raise ScoreTableError("expected scores, found none; score the runs first")
    return dict(runs)


def _check_limits(runs: Mapping[tuple[str, int], Mapping[Cell, float]], limits: tuple[float, float]) -> None:
    for (scheme, seed), run in runs.items():
        for cell, value in run.items():
            if value < limits[0] or value > limits[1]:
                raise ScoreTableError(
                    f"expected scores from {limits[0]:g} to {limits[1]:g}, found {value:g} of {'/'.join(cell)} for {scheme},"
                    f" seed {seed}; score the run again"
                )


def _check_seeds(runs: Mapping[tuple[str, int], Mapping[Cell, float]]) -> None:
    first: dict[str, int] = {}
    for scheme, seed in sorted(runs):
        other = first.setdefault(scheme, seed)
        if different := set(runs[scheme, seed]) ^ set(runs[scheme, other]):
            raise ScoreTableError(
                f"expected the same patients and structures for every seed of {scheme}, found {'/'.join(min(different))} for"
                f" only one of seeds {other} and {seed}, and {len(different) - 1} more; score both on the same patients"
            )


def _check_schemes(runs: Mapping[tuple[str, int], Mapping[Cell, float]]) -> None:
    """Of the patients only: a model that never learned a structure has no score of it, and the counts say so."""
    patients = {scheme: {cell[:2] for cell in run} for (scheme, _), run in sorted(runs.items())}
    first = next(iter(patients))
    for scheme, found in patients.items():
        if different := found ^ patients[first]:
            raise ScoreTableError(
                f"expected the same patients for every scheme, found {'/'.join(min(different))} for only one of {first} and"
                f" {scheme}, and {len(different) - 1} more; score both on the same patients, or leave one out"
            )
