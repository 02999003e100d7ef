"""The learning rate of a scheme: the candidate whose short run does best on the sites' own validation patients.

Every scheme searches among the same values with the same number of rounds, so that none is better tuned than another. What
counts is the last model a site would work with: its own where the scheme leaves it one, else the shared one.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.compare.arms import Arm, arms_of
from experiments.compare.errors import StudyError
from experiments.compare.plans import plan_of, sites_of
from experiments.compare.study import Scheme, Study
from experiments.federation.results import read_metrics
from experiments.study_folder import chosen_file, search_folder
from experiments.table import mean_of
from src.exchange.whole_file import write_whole
from src.model.card import read_card


def choose(folder: Path, study: Study, scheme: Scheme, sites: Sequence[str]) -> None:
    """Writes ``search/<scheme>/chosen.json``.

    Args:
        folder: of the study; the short runs of the scheme, or the choice of the one it follows, are there.
        study, scheme: whose.
        sites: of the data.

    Raises:
        StudyError: a short run has no validation Dice.
    """
    if scheme.learning_rate_of:
        chosen = {**_read(folder, scheme.learning_rate_of), "learning_rate_of": scheme.learning_rate_of}
    elif not study.searches(scheme):
        chosen = {"learning_rate": study.learning_rates[0], "valid_dice": {}}
    else:
        plan = plan_of(study, scheme, sites_of(study, scheme, sites), seed=0, learning_rate=study.learning_rates[0])
        primary = arms_of(scheme.name, plan, study.search_finish_rounds)[0]
        dice = {rate: valid_dice(folder / search_folder(scheme.name, rate), primary) for rate in study.learning_rates}
        # Of equal ones the smaller: it risks less in a longer run.
        best = max(study.learning_rates, key=lambda rate: (dice[rate], -rate))
        chosen = {"learning_rate": best, "valid_dice": {f"{rate:g}": value for rate, value in dice.items()}}
    _write(folder / chosen_file(scheme.name), chosen)


def chosen_rate(folder: Path, scheme: str) -> float:
    """The learning rate that was chosen for a scheme."""
    return _read(folder, scheme)["learning_rate"]


def valid_dice(run: Path, arm: Arm) -> float:
    """Macro mean of the validation Dice after a run: over structures, then over sites.

    Args:
        run: a finished run.
        arm: of its scheme; each site's last model, or the shared one.

    Returns:
        Dice, 0 to 1. For one shared model of pooled data, all patients count as one site's.

    Raises:
        StudyError: no site has a validation case.
    """
    by_site = _of_shared(run) if arm.shared else _of_sites(run, arm.name)
    value = mean_of([mean_of(list(dice.values())) for dice in by_site.values()])
    if value is None or math.isnan(value):
        raise StudyError(
            f"expected a validation Dice of '{arm.name}' in '{run.name}', found none; the search needs validation patients"
        )
    return value


def _of_sites(run: Path, arm: str) -> dict[str, Mapping[str, float | None]]:
    """What each site's last model says in its card."""
    models = json.loads((run / "models.json").read_text(encoding="utf-8"))
    wanted = [entry for entry in models if (entry["arm"], entry["which"]) == (arm, "last")]
    return {entry["model_site"]: read_card(run / entry["path"]).validation_dice for entry in wanted}


def _of_shared(run: Path) -> dict[str, Mapping[str, float | None]]:
    """What each site reported last of the model all share: of a chain its end, of a server the aggregated model."""
    events = read_metrics(run)
    for phase in ("consensus", "validate"):
        if found := {event["site"]: event["dice"] for event in events if event["phase"] == phase and "dice" in event}:
            return found
    return {}


def _read(folder: Path, scheme: str) -> dict:
    return json.loads((folder / chosen_file(scheme)).read_text(encoding="utf-8"))


def _write(path: Path, content: dict) -> None:
    write_whole(path, [(json.dumps(content, indent=1) + "\n").encode()])
