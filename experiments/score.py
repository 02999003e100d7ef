"""``python -m experiments.score``: Dice per organ and site, from the files that a federation's processes saved.

Each site's model predicts that site's patients, on their CTs' own grids; nothing of the run's own numbers is used.
"""

import argparse
import json
import math
import sys
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from experiments.command import exit_code_of
from experiments.federation.results import read_run_plan
from experiments.federation.workspaces import AGGREGATOR, find_sites
from experiments.scoring.patient_scan import PatientScan
from experiments.scoring.registration_error import RegistrationError
from experiments.scoring.scored_model import load_scored_model, scored_masks
from experiments.study_folder import study_of
from experiments.table import dice_table, render
from src.data.dataset import SPLITS, Dataset
from src.errors import DatasetError, ModelCardError
from src.evaluation.dice import StructureDice, summarise
from src.exchange.whole_file import write_whole
from src.model.saved_model import SavedModel

MODELS = ("last", "best", "consensus")


def score_run(
    run: Path, data: Path, split: str, model: str = "last", model_of: str | None = None, console: Console | None = None
) -> Path:
    """Scores every site's saved model on its own cases and writes ``scores_<split>_<model>.json``.

    Args:
        run: a run folder.
        data: folder with one dataset per site, as the run had it.
        split: of ``SPLITS``; scoring ``test`` is noted in ``scored.log`` of the run folder.
        model: of ``MODELS``; ``consensus`` is the one model that sites without an aggregator make together at the end.
        model_of: the site whose model is scored on every site's cases, such as the pooled one; by default each on its own.
        console: for what there is to say about looks at the test cases.

    Returns:
        The file with the scores of every case.

    Raises:
        ModelCardError, DatasetError: a model or a dataset is missing or does not fit the other.
        RegistrationError: the test cases of a run that belongs to a study.
    """
    if split == "test":
        _refuse_study(run)
    console = console or Console()
    sites = find_sites(data)
    models = _find_models(run, model, set(sites), model_of)
    settings = read_run_plan(run)["task_runner"]["settings"]
    if split == "test":
        _note_test(run, model, console)
    scores = {site: score_model(path, sites[site], split, settings) for site, path in models.items()}
    target = run / f"scores_{split}_{model}.json"
    write_whole(target, [(json.dumps({"split": split, "model": model, "sites": scores}, indent=1) + "\n").encode()])
    return target


def table_of(scores: Path, name: str | None = None) -> Table:
    """The table of a file that ``score_run`` wrote.

    Args:
        scores: the file.
        name: what to call the run; by default its folder.
    """
    content = json.loads(scores.read_text(encoding="utf-8"))
    cells = {
        site: {structure: (entry["mean"], entry["num_scored"]) for structure, entry in score["structures"].items()}
        for site, score in content["sites"].items()
    }
    model = f"{content['model']}.safetensors"
    return dice_table(
        f"{name or scores.parent.name}: {content['split']} Dice of {model}, mean over cases (number of cases)", cells
    )


def score_model(path: Path, dataset: Dataset, split: str, settings: dict) -> dict:
    """Scores one saved model on one site's cases.

    Args:
        path: the model.
        dataset, split: the cases.
        settings: ``overlap`` and ``precision`` as in a plan's task runner.

    Returns:
        ``sha256`` and ``round`` of the model; ``cases``: per case and contoured structure the Dice, null for a true absence;
        ``structures``: mean, num_scored and num_absent. Structures that nobody trained are not among them.
    """
    model = load_scored_model(path, dataset.anatomy, settings)
    records = dataset.cases_of(split)
    cases = {
        record.name: score_case(model, dataset, record.name)
        for record in tqdm(records, desc=f"score {dataset.path.name}", unit="case", disable=None, leave=False)
    }
    summary = summarise(cases.values(), model.card.trained_structures)
    return {
        "sha256": model.sha256,
        "round": model.card.round,
        "structures": {name: _plain(entry) for name, entry in summary.items()},
        "cases": {case: {name: _number(value) for name, value in values.items()} for case, values in cases.items()},
    }


def score_case(model: SavedModel, dataset: Dataset, case: str) -> dict[str, float]:
    """Dice of one case by structure, for those that are contoured in it and were trained; NaN for a true absence."""
    scan = PatientScan(dataset, case)
    names = model.card.structures
    return {names[channel]: scan.truth(names).dice(channel, mask_XYZ) for channel, mask_XYZ in scored_masks(model, scan)}


def _find_models(run: Path, model: str, sites: set[str], model_of: str | None) -> dict[str, Path]:
    """The model to score on each site's cases."""
    models = {
        path.parent.name: path for path in sorted(run.glob(f"save/*/{model}.safetensors")) if path.parent.name != AGGREGATOR
    }
    if not models:
        raise ModelCardError(
            f"expected saved models '{model}' in '{run.name}/save', found none; give the folder of a finished run"
        )
    if model_of is not None:
        if model_of not in models:
            raise ModelCardError(f"the run has no model of '{model_of}', only of {', '.join(models)}")
        return {site: models[model_of] for site in sorted(sites)}
    if missing := set(models) - sites:
        raise DatasetError(
            f"the run has a model of site {sorted(missing)[0]}, the data folder has no such site; give the run's own"
        )
    return models


def _refuse_study(run: Path) -> None:
    """A study's test patients have one way to them, with its choices committed and the look written down."""
    if study := study_of(run):
        raise RegistrationError(
            f"'{run.name}' belongs to the study '{study.name}', whose test patients are scored together; use"
            f" `make report RUN={study.name} FINAL=1`"
        )


def _note_test(run: Path, model: str, console: Console) -> None:
    """Adds a line to ``scored.log``, and says so when it is not the first: a test set is for one look."""
    log = run / "scored.log"
    before = len(log.read_text(encoding="utf-8").splitlines()) if log.is_file() else 0
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} test {model}.safetensors\n")
    if before:
        console.print(f"note: the test cases of this run were scored before, see scored.log ({before})", highlight=False)


def _plain(entry: StructureDice) -> dict:
    return {"mean": _number(entry.mean), "num_scored": entry.num_scored, "num_absent": entry.num_absent}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def main() -> None:
    """Reads the command line and scores one run."""
    parser = argparse.ArgumentParser(prog="python -m experiments.score", description=__doc__)
    parser.add_argument("--run", required=True, type=Path, help="folder of a finished run")
    parser.add_argument("--data", required=True, type=Path, help="folder with one dataset per site")
    parser.add_argument("--split", choices=SPLITS, default="valid", help="test is for one look, and noted (default valid)")
    parser.add_argument("--model", choices=MODELS, default="last", help="which saved model (default last)")
    parser.add_argument("--model-of", metavar="SITE", help="score this site's model on every site's cases (a pooled one, say)")
    given = parser.parse_args()
    target = score_run(given.run, given.data, given.split, given.model, given.model_of)
    print(render(table_of(target)), end="")
    print(f"saved: {target}")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
