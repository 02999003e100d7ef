"""What a study compares.

Plans say how one scheme trains; a study says which schemes, with what in common, and what is claimed of them.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace

from experiments.compare.errors import StudyError
from experiments.silent_site import SilentSite


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """What the study was made to decide, written down before test patients are scored.

    Attributes:
        text: in words.
        scheme, reference: arms.
        margin: Dice by which the scheme may be worse and still counts as not inferior.
    """

    text: str
    scheme: str
    reference: str
    margin: float


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """One way to train, as the study has it.

    Attributes:
        name: of the scheme in this study.
        plan: the first half of a folder's name in ``plan/plans``; the anatomy is the other.
        pooled_data: whether it trains on one dataset of all patients.
        steps: ``own``: as many optimiser steps a round as a site; ``sum``: as many as all sites together.
        changes: ``section.key=value`` changes to the plan, after the study's.
        without: sites that do not take part.
        learning_rate_of: the scheme whose learning rate it takes; None for a search of its own.
        silent: the site that falls silent in its runs, not in the short ones of a search, if one does.
        seeds: one run each.
    """

    name: str
    plan: str
    pooled_data: bool
    steps: str
    changes: tuple[str, ...]
    without: tuple[str, ...]
    learning_rate_of: str | None
    silent: SilentSite | None
    seeds: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study file.

    Attributes:
        name: of the file.
        title: for the report.
        anatomy: of ``ANATOMIES``, or ``phantom``.
        rounds: training rounds of every scheme.
        local_finish_rounds: the last of them, which every site trains alone where the scheme leaves it a model of its own.
        changes: to every scheme's plan.
        learning_rates: the candidates; one means no search.
        search_rounds, search_seed: of the short runs that choose among them.
        cross_site: whether a site's model is scored on the other sites' patients too.
        hypothesis, comparisons, advice: arms; see ``arms``.
        sensitivity_without: patients without whom the report repeats the primary comparison: ``patient``, ``why``, and ``site``
            where two sites use the same pseudonym.
        schemes: by name, in the file's order.
    """

    name: str
    title: str
    anatomy: str
    rounds: int
    local_finish_rounds: int
    changes: tuple[str, ...]
    learning_rates: tuple[float, ...]
    search_rounds: int
    search_seed: int
    cross_site: bool
    hypothesis: Hypothesis | None
    comparisons: tuple[tuple[str, str], ...]
    advice: tuple[str, ...]
    sensitivity_without: tuple[dict[str, str], ...]
    schemes: dict[str, Scheme]

    def plan_name(self, scheme: Scheme) -> str:
        """The folder of ``plan/plans`` that a scheme begins with."""
        return f"{scheme.plan}_{self.anatomy}"

    def searches(self, scheme: Scheme) -> bool:
        """Whether a scheme has short runs of its own to choose its learning rate by."""
        return scheme.learning_rate_of is None and len(self.learning_rates) > 1

    @property
    def search_finish_rounds(self) -> int:
        """The local finish of a search: the whole run's, at most half of the rounds after the first."""
        return min(self.local_finish_rounds, (self.search_rounds - 1) // 2)

    def only(self, schemes: Collection[str] | None, seeds: Collection[int] | None) -> "Study":
        """The same study with other seeds: none for schemes that are not asked for.

        Args:
            schemes: names, or None for all.
            seeds: for every scheme asked for, or None for the file's.

        Raises:
            StudyError: a scheme is unknown.
        """
        if unknown := sorted(set(schemes or ()) - set(self.schemes)):
            raise StudyError(f"expected schemes of study '{self.name}' ({', '.join(self.schemes)}), found '{unknown[0]}'")
        asked = {
            name: tuple(scheme.seeds if seeds is None else sorted(set(seeds))) if schemes is None or name in schemes else ()
            for name, scheme in self.schemes.items()
        }
        return replace(self, schemes={name: replace(scheme, seeds=asked[name]) for name, scheme in self.schemes.items()})

    def content(self) -> dict:
        """The study in the form of a study file, with every default written out."""
        content = _without_name(asdict(self))
        schemes = {
            name: {k: _plain(v) for k, v in asdict(scheme).items() if k != "name"} for name, scheme in self.schemes.items()
        }
        return {**content, "schemes": schemes}


def _without_name(content: dict) -> dict:
    return {key: _plain(value) for key, value in content.items() if key != "name"}


def _plain(value: object) -> object:
    """With lists for tuples, as YAML has them."""
    return [_plain(entry) for entry in value] if isinstance(value, tuple) else value
