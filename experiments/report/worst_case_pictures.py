"""Pictures of single patients: the saved models predict them anew, and three planes show drawn and predicted contours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from experiments.federation.results import read_run_plan
from experiments.federation.workspaces import find_sites
from experiments.report.drawing import label
from experiments.report.three_planes import WINDOW_HU, Outline, draw_planes
from experiments.scoring.listed_models import LAST, read_listed_models
from experiments.scoring.patient_scan import PatientScan
from experiments.scoring.scored_model import load_scored_model, scored_masks
from experiments.study_folder import done_runs, seed_of_folder
from src.data.dataset import Dataset
from src.errors import OarError

DRAWN_COLOUR, PREDICTED_COLOUR, BEST_COLOUR = "#56B4E9", "#E69F00", "#CC79A7"


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What one saved model drew: its arm, the seed of its run, and its own Dice (None: both masks are empty)."""

    arm: str
    seed: int
    dice: float | None
    mask_XYZ: np.ndarray


@dataclass(frozen=True, kw_only=True)
class CasePicture:
    """A PNG, the predictions in it, and the window that it shows the CT in."""

    png: bytes
    predictions: Sequence[Prediction]
    window_hu: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class NoPicture:
    """Why there is none."""

    why: str


def picture_worst_cases(results: Mapping, study_folder: Path, data: Path) -> list[CasePicture | NoPicture]:
    """A picture of each of ``worst_cases``; for a disagreement the best arm's contour is in it too.

    Args:
        results: ``worst_cases`` and ``arms`` are used.
        study_folder: with the training runs and their models.
        data: folder with one dataset per site.

    Returns:
        One for each case; where a model or the patient cannot be read, the reason.
    """
    sites = find_sites(data)
    runs = done_runs(study_folder)
    runs_of = {arm["name"]: runs[arm["scheme"]] for arm in results["arms"]}
    return [
        _picture(row, sites, runs_of)
        for row in tqdm(results["worst_cases"], desc="worst cases", unit="case", disable=None, leave=False)
    ]


def _picture(row: Mapping, sites: Mapping[str, Dataset], runs_of: Mapping[str, Sequence[Path]]) -> CasePicture | NoPicture:
    dataset = sites.get(row["patient_site"])
    if dataset is None or row["patient"] not in dataset.cases:
        return NoPicture(why="the data folder does not have this patient.")
    scan, structure = PatientScan(dataset, row["patient"]), row["structure"]
    arms = dict.fromkeys([row["arm"], *([row["best_arm"]] if row.get("best_arm") else [])])
    try:
        predictions = [_predict(scan, row["patient_site"], structure, arm, runs_of[arm]) for arm in arms]
        truth_XYZ = scan.truth_mask((structure,), 0)
        outlines = [Outline("drawn", DRAWN_COLOUR, "-", truth_XYZ)]
        for one, colour, line in zip(predictions, (PREDICTED_COLOUR, BEST_COLOUR), ("-", "--"), strict=False):
            outlines.append(Outline(_label(one), colour, line, one.mask_XYZ))
        png = draw_planes(
            dataset.read_ct(row["patient"]), outlines, title=f"{structure}: {row['patient_site']}/{row['patient']}"
        )
    except OarError as error:
        return NoPicture(why=f"{error}.")
    return CasePicture(png=png, predictions=predictions, window_hu=WINDOW_HU)


def _label(prediction: Prediction) -> str:
    return f"{'predicted' if prediction.mask_XYZ.any() else 'nothing predicted'}, {label(prediction.arm)}"


def _predict(scan: PatientScan, site: str, structure: str, arm: str, runs: Sequence[Path]) -> Prediction:
    """Of the first seed's last model that the site would use.

    Raises:
        OarError: there is no such model, it cannot be read, or it never learned the structure.
    """
    for run in runs:
        for listed in read_listed_models(run):
            if listed.arm == arm and listed.which == LAST and listed.model_site in (None, site):
                settings = read_run_plan(run)["task_runner"]["settings"]
                model = load_scored_model(run / listed.path, scan.dataset.anatomy, settings)
                for channel, mask_XYZ in scored_masks(model, scan):
                    if model.card.structures[channel] == structure:
                        dice = scan.truth((structure,)).dice(0, mask_XYZ)
                        shown = None if np.isnan(dice) else float(dice)
                        return Prediction(arm=arm, seed=seed_of_folder(run), dice=shown, mask_XYZ=mask_XYZ)
    raise OarError(
        f"expected a saved model of {arm} that draws {structure} at {site}, found none among {len(runs)} finished runs"
    )
