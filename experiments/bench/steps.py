"""What data loading costs a training step, and how much memory a site needs.

Two figures, of the head-and-neck plan, on phantoms made for it:

* seconds per training step with patches cut from the cache, over the same steps with the batches already in memory; the two
  alternate in one run, because machines are noisy, and the median of the ratios is what counts
* peak resident memory of a process that loads the data, trains and validates, as ``fx collaborator start`` does, without OpenFL
"""

import resource
import tempfile
import time
from pathlib import Path

import torch
import yaml
from rich.console import Console
from rich.table import Table

from data_prep.phantom.generate import make_federation
from experiments.bench.figures import ratios, spread
from src.dataloader import HeadNeckCTLoader
from src.evaluation.validation import validate_cases
from src.task_runner import SegmentationTaskRunner

_PLAN = Path(__file__).resolve().parents[2] / "plan" / "plans" / "fedavg_head_neck" / "plan.yaml"


def build_site(folder: Path) -> SegmentationTaskRunner:
    """The task runner of the head-and-neck plan on phantoms of one site."""
    plan = yaml.safe_load(_PLAN.read_text(encoding="utf-8"))
    (dataset,) = make_federation(folder / "data", anatomy="head_neck", cases_per_site=[6], seed=0, size="medium")
    loader = HeadNeckCTLoader(dataset.path, **{**plan["data_loader"]["settings"], "cache_path": str(folder / "cache")})
    settings = {**plan["task_runner"]["settings"], "save_path": str(folder / "save"), "log_path": str(folder / "logs")}
    runner = SegmentationTaskRunner(loader, **settings)
    runner.set_optimizer_treatment("CONTINUE_LOCAL")
    return runner


def compare_steps(runner: SegmentationTaskRunner, repeats: int, steps: int) -> list[tuple[float, float]]:
    """Seconds per step with loading and with batches in memory, a pair per repeat; the order alternates."""
    runner.training_of_site.steps_per_round = steps
    batches = list(runner.data_loader.training_batches(0, steps))
    load = runner.data_loader.training_batches

    def seconds_per_step(from_memory: bool) -> float:
        runner.data_loader.training_batches = (lambda *_: iter(batches)) if from_memory else load
        began = time.perf_counter()
        runner.training_of_site.train_round("bench", 0)
        return (time.perf_counter() - began) / steps

    seconds_per_step(True)
    pairs = []
    for repeat in range(repeats):
        first = seconds_per_step(from_memory=bool(repeat % 2))
        second = seconds_per_step(from_memory=not repeat % 2)
        pairs.append((second, first) if repeat % 2 else (first, second))
    return pairs


def show(console: Console, repeats: int, steps: int) -> None:
    """Measures and prints.

    Args:
        repeats: pairs of measurements.
        steps: training steps per measurement.
    """
    with tempfile.TemporaryDirectory() as folder:
        runner = build_site(Path(folder))
        pairs = compare_steps(runner, repeats, steps)
        validate_cases(runner.predictor, runner.data_loader, runner.structures)
    loading, memory = zip(*pairs, strict=True)
    table = Table(title=f"A training step of the head-and-neck plan; seconds, median of {repeats} (least to greatest)")
    for column in ("with loading", "batches in memory", "ratio", "peak resident memory of the site"):
        table.add_column(column, justify="right")
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    table.add_row(spread(loading), spread(memory), spread(ratios(loading, memory)), f"{peak_gib:.2f} GiB")
    console.print(table)
    precision, workers = runner.predictor.precision, runner.data_loader.num_workers
    console.print(f"threads: {torch.get_num_threads()}, precision: {precision}, worker processes: {workers}\n")
