"""``score_training_run``: every saved model of one training run on the patients of a split."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import SimpleITK as sitk
import torch
from tqdm import tqdm

from experiments.federation.results import read_run_plan
from experiments.federation.workspaces import find_sites
from experiments.scoring.listed_models import ListedModel, read_listed_models
from experiments.scoring.look import Look, check_look
from experiments.scoring.patient_scan import PatientScan
from experiments.scoring.score_file import write_scores
from experiments.scoring.score_row import ScoreRow
from experiments.scoring.scored_model import load_scored_model, scored_masks
from experiments.scoring.stamp import stamp_of, write_stamp
from src.data.dataset import Dataset
from src.data.structures import load_structures
from src.errors import DatasetError, PlanSettingError
from src.evaluation.structure_metrics import StructureMetrics, measure
from src.model.saved_model import SavedModel

TEST = "test"


@dataclass(frozen=True, kw_only=True, eq=False)
class _Models:
    """Listed models that draw the same masks, such as a last one that is also the best: they predict once."""

    saved: SavedModel
    listed: Sequence[tuple[ListedModel, Sequence[str]]]

    def wanted_at(self, site: str) -> list[ListedModel]:
        return [model for model, sites in self.listed if site in sites]


def score_training_run(
    run_folder: Path, data: Path, split: str, target: Path, *, own_site_only: bool = False, look: Look | None = None
) -> Path:
    """Scores the models of ``models.json``: last ones on every site's patients, best ones on their own site's, shared on all.

    Computes on one thread; the masks are those of ``python -m experiments.score``. The run's seed is that of its plan.

    Args:
        run_folder: of a finished training run.
        data: folder with one dataset per site.
        split: of ``SPLITS``.
        target: the score file to write, whole; beside it its stamp, see ``stamp``.
        own_site_only: leave out the patients of other sites, but for shared models.
        look: for ``test``: the logged look that this run's scoring is part of.

    Returns:
        ``target``. A line per model, patient and structure that is contoured there and that the model was trained for.

    Raises:
        RegistrationError: test patients without a look, or with one that does not cover this run, or covers it no more.
        ModelCardError, DatasetError, CaseError: the models, the data or a patient cannot be used.
    """
    if split == TEST:
        check_look(look, run_folder)
    listed, sites = read_listed_models(run_folder), find_sites(data)
    settings = read_run_plan(run_folder)["task_runner"]["settings"]
    seed = _seed_of(run_folder, settings)
    with _one_thread():
        models = _load(run_folder, listed, sites, settings, own_site_only)
        name = f"score {run_folder.parent.name}/{run_folder.name}"
        rows = list(_rows(models, sites, split, seed, name))
    write_scores(target, rows)
    write_stamp(target, stamp_of(run_folder, sites, split, own_site_only))
    return target


def _seed_of(run_folder: Path, settings: Mapping) -> int:
    seed = settings["random_seed"]
    if run_folder.name.startswith("seed_") and run_folder.name != f"seed_{seed}":
        raise PlanSettingError(
            f"expected the plan of '{run_folder.name}' to have that random_seed, found {seed}; was the folder renamed?"
        )
    return seed


def _load(
    run_folder: Path, listed: Sequence[ListedModel], sites: Mapping[str, Dataset], settings: Mapping, own_site_only: bool
) -> list[_Models]:
    anatomy = next(iter(sites.values())).anatomy
    loaded: dict[str, tuple[SavedModel, list]] = {}
    for model in listed:
        wanted = model.patient_sites(list(sites), own_site_only=own_site_only)
        if not wanted:
            raise DatasetError(
                f"the run has a model of {model.model_site}, the data have no such site; give the run's own data"
            )
        saved = load_scored_model(run_folder / model.path, anatomy, settings)
        loaded.setdefault(saved.predicts, (saved, []))[1].append((model, wanted))
    return [_Models(saved=saved, listed=entries) for saved, entries in loaded.values()]


def _rows(models: Sequence[_Models], sites: Mapping[str, Dataset], split: str, seed: int, name: str) -> Iterator[ScoreRow]:
    patients = [(site, record.name) for site, dataset in sites.items() for record in dataset.cases_of(split)]
    total = sum(bool(group.wanted_at(site)) for site, _ in patients for group in models)
    with tqdm(total=total, desc=name, unit="prediction", disable=None, leave=False) as progress:
        for site, patient in patients:
            scan = PatientScan(sites[site], patient)
            for group in models:
                if wanted := group.wanted_at(site):
                    for structure, metrics in measure_patient(group.saved, scan).items():
                        yield from (_row(model, seed, site, patient, structure, metrics) for model in wanted)
                    progress.update()


def measure_patient(model: SavedModel, scan: PatientScan) -> dict[str, StructureMetrics]:
    """Every measure by structure, for those that are contoured in the patient and that the model was trained for."""
    names, table = model.card.structures, load_structures()
    return {
        names[channel]: measure(
            mask_XYZ, scan.truth_mask(names, channel), scan.native.spacing, table[names[channel]].tolerance_mm
        )
        for channel, mask_XYZ in scored_masks(model, scan)
    }


def _row(model: ListedModel, seed: int, site: str, patient: str, structure: str, metrics: StructureMetrics) -> ScoreRow:
    numbers = {
        name: None if isinstance(value, float) and math.isnan(value) else value for name, value in asdict(metrics).items()
    }
    return ScoreRow(
        arm=model.arm,
        seed=seed,
        which=model.which,
        model_site=model.model_site,
        patient_site=site,
        patient=patient,
        structure=structure,
        **numbers,
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    """As many runs as there are cores are scored at a time; a second thread each would only get in their way."""
    torch_threads, itk_threads = torch.get_num_threads(), sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    torch.set_num_threads(1)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(torch_threads)
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(itk_threads)
