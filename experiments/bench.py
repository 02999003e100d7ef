"""``make bench``: what data loading costs a training step, and how much memory a site needs.

Two figures, of the head-and-neck plan, on phantoms made for it:

* seconds per training step with patches cut from the cache, over the same steps with the batches already in memory; the two
  alternate in one run, because machines are noisy, and the median of the ratios is what counts
* peak resident memory of a process that loads the data, trains and validates, as ``fx collaborator start`` does, without OpenFL
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
import yaml

from data_prep.phantom.generate import make_federation
from experiments.command import exit_code_of
from src.dataloader import HeadNeckCTLoader
from src.evaluation.validation import validate_cases
from src.task_runner import SegmentationTaskRunner

_PLAN = Path(__file__).resolve().parents[1] / "plan" / "plans" / "fedavg_head_neck" / "plan.yaml"


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


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=8, help="pairs of measurements (default 8)")
    parser.add_argument("--steps", type=int, default=10, help="training steps per measurement (default 10)")
    arguments = parser.parse_args()
    print("make bench: the head-and-neck plan on medium phantoms, about 3 minutes on 2 cores")
    with tempfile.TemporaryDirectory() as folder:
        runner = build_site(Path(folder))
        pairs = compare_steps(runner, arguments.repeats, arguments.steps)
        validate_cases(runner.predictor, runner.data_loader, runner.structures)
    ratios = [loading / memory for loading, memory in pairs]
    precision, workers = runner.predictor.precision, runner.data_loader.num_workers
    print(f"threads: {torch.get_num_threads()}, precision: {precision}, worker processes: {workers}")
    print(f"seconds per step with loading:        median {statistics.median(loading for loading, _ in pairs):.3f}")
    print(f"seconds per step, batches in memory:  median {statistics.median(memory for _, memory in pairs):.3f}")
    print(f"ratio, pair by pair:                  median {statistics.median(ratios):.3f} (of {len(ratios)}: "
          f"{min(ratios):.3f} to {max(ratios):.3f})")  # fmt: skip
    print(f"peak resident memory of the site:     {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
