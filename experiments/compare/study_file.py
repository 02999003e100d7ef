"""The file of ``experiments/studies`` that a study stands in, read strictly.

A mistyped key would compare something else than its author thinks, so whatever is not known is refused.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml

from experiments.compare.errors import StudyError
from experiments.compare.reading import names_of, numbers_of, read_flag, read_keys, read_rows, read_text, whole_of, wholes_of
from experiments.compare.study import Hypothesis, Scheme, Study
from experiments.federation.template import REPOSITORY
from experiments.silent_site import SilentSite
from experiments.statistics.non_inferiority import DEFAULT_MARGIN
from src.data.structures import ANATOMIES
from src.errors import PlanSettingError
from src.setting_range import check_number

STUDIES = REPOSITORY / "experiments" / "studies"
STEPS = ("own", "sum")
LEARNING_RATE = "task_runner.settings.optimisation.learning_rate"
_REQUIRED = ("anatomy", "rounds", "learning_rates", "schemes")
_OPTIONAL = (
    *("title", "local_finish_rounds", "changes", "search_rounds", "search_seed", "seeds", "cross_site"),
    *("hypothesis", "comparisons", "advice", "sensitivity_without"),
)
_OF_SCHEME = ("pooled_data", "steps", "changes", "without", "learning_rate_of", "silent", "seeds")


def read_study(path: Path) -> Study:
    """Reads a study file; its name is the file's.

    Raises:
        StudyError: it is missing, is no YAML, or anything in it is unknown, missing or of the wrong kind.
    """
    if not path.is_file():
        known = ", ".join(sorted(entry.stem for entry in STUDIES.glob("*.yaml")))
        raise StudyError(f"expected a study file, found no '{path.name}'; experiments/studies has {known}")
    try:
        return study_of(path.stem, yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StudyError(f"'{path.name}' is no YAML: {error}") from error


def study_of(name: str, content: object) -> Study:
    """A study from what stands in its file.

    Raises:
        StudyError: see ``read_study``.
    """
    try:
        return _study(name, read_keys("study", content, _REQUIRED, _OPTIONAL))
    except PlanSettingError as error:
        raise StudyError(f"study '{name}': {error}") from error


def _study(name: str, given: Mapping) -> Study:
    rounds = whole_of("rounds", given["rounds"], 2)
    seeds = wholes_of("seeds", given.get("seeds", [0]))
    study = Study(
        name=name,
        title=read_text("title", given.get("title", name)),
        anatomy=read_text("anatomy", given["anatomy"], (*ANATOMIES, "phantom")),
        rounds=rounds,
        local_finish_rounds=whole_of("local_finish_rounds", given.get("local_finish_rounds", 0), 0, rounds - 1),
        changes=_changes("changes", given.get("changes", [])),
        learning_rates=numbers_of("learning_rates", given["learning_rates"]),
        search_rounds=whole_of("search_rounds", given.get("search_rounds", rounds), 2),
        search_seed=whole_of("search_seed", given.get("search_seed", 0), 0),
        cross_site=read_flag("cross_site", given.get("cross_site", True)),
        hypothesis=_hypothesis(given.get("hypothesis")),
        comparisons=read_rows("comparisons", given.get("comparisons", []), 2),
        advice=names_of("advice", given.get("advice", [])),
        sensitivity_without=_patients(given.get("sensitivity_without", [])),
        schemes={key: _scheme(key, value, seeds) for key, value in _named(given["schemes"]).items()},
    )
    _check_together(study)
    return study


def _named(schemes: object) -> Mapping:
    if not isinstance(schemes, Mapping) or not schemes:
        raise PlanSettingError(f"schemes: expected at least one as 'name: {{plan: ...}}', found {schemes!r}")
    return schemes


def _scheme(name: object, content: object, seeds: tuple[int, ...]) -> Scheme:
    (name,), where = names_of("schemes", [name]), f"schemes.{name}"
    given = read_keys(where, content, ("plan",), _OF_SCHEME)
    plan = read_text(f"{where}.plan", given["plan"])
    other = given.get("learning_rate_of")
    return Scheme(
        name=name,
        plan=plan,
        pooled_data=read_flag(f"{where}.pooled_data", given.get("pooled_data", plan == "pooled")),
        steps=read_text(f"{where}.steps", given.get("steps", "own"), STEPS),
        changes=_changes(f"{where}.changes", given.get("changes", [])),
        without=names_of(f"{where}.without", given.get("without", [])),
        learning_rate_of=None if other is None else read_text(f"{where}.learning_rate_of", other),
        silent=_silent(f"{where}.silent", given.get("silent")),
        seeds=wholes_of(f"{where}.seeds", given["seeds"]) if "seeds" in given else seeds,
    )


def _silent(where: str, content: object) -> SilentSite | None:
    if content is None:
        return None
    given = read_keys(where, content, ("site", "from_round"), ())
    return SilentSite(
        site=read_text(f"{where}.site", given["site"]),
        from_round=whole_of(f"{where}.from_round", given["from_round"], 1),
    )


def _changes(where: str, content: object) -> tuple[str, ...]:
    changes = names_of(where, content, any_text=True)
    for change in changes:
        if "=" not in change:
            raise PlanSettingError(f"{where}: expected section.settings.key=value, found '{change}'")
        if change.partition("=")[0].strip() == LEARNING_RATE:
            raise PlanSettingError(f"{where}: {LEARNING_RATE} is what the search chooses; name the values in learning_rates")
    return changes


def _hypothesis(content: object) -> Hypothesis | None:
    if content is None:
        return None
    given = read_keys("hypothesis", content, ("text", "scheme", "reference"), ("margin",))
    texts = {key: read_text(f"hypothesis.{key}", given[key]) for key in ("text", "scheme", "reference")}
    return Hypothesis(**texts, margin=check_number("hypothesis.margin", given.get("margin", DEFAULT_MARGIN), 1e-6, 1))


def _patients(content: object) -> tuple[dict[str, str], ...]:
    where = "sensitivity_without"
    if not isinstance(content, list):
        raise PlanSettingError(f"{where}: expected a list of patients, found {content!r}")
    patients = [read_keys(where, entry, ("patient", "why"), ("site",)) for entry in content]
    return tuple({key: read_text(f"{where}.{key}", value) for key, value in patient.items()} for patient in patients)


def _check_together(study: Study) -> None:
    for scheme in study.schemes.values():
        where, other = f"schemes.{scheme.name}", scheme.learning_rate_of
        if other is not None and (other not in study.schemes or study.schemes[other].learning_rate_of is not None):
            known = ", ".join(name for name, entry in study.schemes.items() if entry.learning_rate_of is None)
            raise PlanSettingError(
                f"{where}.learning_rate_of: expected a scheme with a search of its own ({known}), found '{other}'"
            )
        if scheme.steps == "sum" and not scheme.pooled_data:
            raise PlanSettingError(f"{where}.steps: expected own where each site trains for itself; sum is for pooled data")
