"""results.json: every number of the report, joined."""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

from tqdm import tqdm

from experiments.costs import cost_table, wall_clock
from experiments.federation.results import git_commit
from experiments.results.answer import answer
from experiments.results.comparisons import against_individual, planned_pairs, primary, secondary_non_inferiority
from experiments.results.dataset import describe_dataset
from experiments.results.estimates import best_models, dice_estimates, measure_estimates
from experiments.results.heat_maps import heat_maps
from experiments.results.learning_curves import learning_curves
from experiments.results.left_out import left_out
from experiments.results.measures import DEFINITIONS, DICE_LIMITS, OTHER_MEASURES
from experiments.results.missing_structures import missing_structures
from experiments.results.never_learned import never_learned
from experiments.results.patients import patient_table
from experiments.results.runs import chosen_learning_rates, not_done
from experiments.results.scored_study import ScoredStudy, read_scored_study
from experiments.results.sensitivity import unknown_patients, without_patients
from experiments.results.worst_cases import worst_cases
from experiments.statistics.advice import advise
from experiments.statistics.averages import WEIGHTINGS
from experiments.statistics.resampling import Resampling, resample
from experiments.statistics.seed_spread import seed_spread
from experiments.statistics.study import Study
from experiments.statistics.views import own_site
from experiments.whole_text import write_whole

NUM_RESAMPLES = 10_000


def collect(study_folder: Path, data: Path | None, split: str, *, num_resamples: int = NUM_RESAMPLES) -> dict:
    """Every number of a study.

    Args:
        study_folder: with ``study.yaml``, ``scores`` and ``train``; what is not done is left out and named.
        data: folder with one dataset per site, for the counts; None counts the scored patients alone.
        split: whose scores.
        num_resamples: of each interval.

    Returns:
        The content of results.json: plain JSON types without NaN; None is a number that does not exist.

    Raises:
        StudyFolderError: the folder is no study's.
        ScoreTableError: nothing was scored, or the scores do not make a study.
    """
    scored = read_scored_study(study_folder, split)
    results = {**_facts(scored, data), **_own_site(scored, num_resamples), **_of_models(scored, num_resamples)}
    results |= _of_runs(scored)
    results["missing_structures"] = missing_structures(scored, results["dataset"]["sites"])
    results["patients"] = patient_table(scored)
    results["worst_cases"] = worst_cases(results["patients"], _scheme_in_question(scored))
    results["answer"] = answer(results)
    # As the file will be read: keys are strings, tuples are lists.
    return json.loads(_text(results))


def write_results(results: dict, target: Path) -> Path:
    """Writes results.json whole.

    Args:
        results: from ``collect``.
        target: the file, which may be there.

    Returns:
        ``target``.
    """
    write_whole(target, _text(results))
    return target


def _facts(scored: ScoredStudy, data: Path | None) -> dict:
    return {
        "title": scored.settings.get("title") or scored.folder.name,
        "split": scored.split,
        "final": scored.split == "test",
        "made": date.today().isoformat(),
        "git_commit": git_commit(),
        # Results travel; where the data lie stays here.
        "study": {key: value for key, value in scored.settings.items() if key != "data"},
        "dataset": describe_dataset(data, scored),
        "arms": [asdict(arm) for arm in scored.arms],
        "definitions": DEFINITIONS,
    }


def _own_site(scored: ScoredStudy, num_resamples: int) -> dict:
    """Everything about each site's own patients: here the schemes are compared."""
    settings, scores = scored.settings, own_site(scored.scores())
    study = Study.of(scores, DICE_LIMITS)
    resampling = resample(study, num_resamples)
    unknown = [
        f"sensitivity without {patient}: not among the scored patients" for patient in unknown_patients(settings, scores)
    ]
    return {
        "primary": primary(settings, study, resampling),
        "comparisons": planned_pairs(settings, study, resampling),
        "against_individual": against_individual(scored, study, resampling),
        "non_inferiority": secondary_non_inferiority(settings, study, resampling),
        "never_learned": never_learned(study),
        "sensitivity": without_patients(settings, scores, num_resamples),
        "estimates": dice_estimates(scored, study, resampling),
        "metrics": {
            measure: {"own_site": measure_estimates(scored, study, measure, num_resamples)}
            for measure in tqdm(OTHER_MEASURES, desc="measures", disable=None, leave=False)
        },
        "seed_spread": [asdict(seed_spread(study, arm, weighting)) for arm in study.schemes for weighting in WEIGHTINGS],
        "advice": _advice(settings, study, resampling),
        "not_done": [*not_done(scored.folder, scored.split, settings), *unknown],
    }


def _of_models(scored: ScoredStudy, num_resamples: int) -> dict:
    return {
        "best_models": best_models(scored, num_resamples),
        "heat_maps": heat_maps(scored),
        "left_out": left_out(scored, num_resamples),
    }


def _of_runs(scored: ScoredStudy) -> dict:
    folder, settings = scored.folder, scored.settings
    return {
        "costs": cost_table(folder),
        "wall_clock": wall_clock(folder),
        "learning_curves": learning_curves(folder, settings["schemes"]),
        "learning_rates": chosen_learning_rates(folder, settings),
    }


def _advice(settings: dict, own: Study, resampling: Resampling) -> list[dict]:
    candidates = [name for name in settings.get("advice") or [] if name in own.schemes]
    return [asdict(row) for row in advise(own, resampling, candidates)] if len(candidates) > 1 else []


def _scheme_in_question(scored: ScoredStudy) -> str:
    named = (scored.settings.get("hypothesis") or {}).get("scheme")
    return named if named in scored.compared else scored.compared[0]


def _text(results: dict) -> str:
    return json.dumps(results, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
