"""What a run leaves behind: its circumstances, every site's metrics and weights, and a summary."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import yaml

from experiments.federation.template import REPOSITORY
from experiments.federation.took_part import participation_text
from experiments.federation.traffic import Traffic, traffic_table
from experiments.table import dice_table, mean_of, render
from src.data.dataset import SPLITS, TOOL, Dataset
from src.errors import FederationError
from src.model.card import read_model

_PACKAGES = ("openfl", "torch", "monai", "numpy", "SimpleITK", "safetensors", "grpcio", "protobuf")


def write_config(folder: Path, plan: bytes, sites: Mapping[str, Dataset], facts: dict) -> None:
    """Writes ``config/plan.yaml`` and ``config/run.json``: what one needs to run the same again.

    Args:
        folder: the run folder.
        plan: the plan all sites got.
        sites: their datasets.
        facts: what else to record.
    """
    config = folder / "config"
    config.mkdir()
    (config / "plan.yaml").write_bytes(plan)
    content = {
        **facts,
        "tool": TOOL,
        "git_commit": git_commit(),
        "python": sys.version.split()[0],
        "versions": {package: version(package) for package in _PACKAGES},
        "sites": {site: describe_dataset(dataset) for site, dataset in sites.items()},
    }
    (config / "run.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_run_plan(folder: Path) -> dict:
    """The plan that a run was made with, from its ``config``."""
    return yaml.safe_load((folder / "config" / "plan.yaml").read_text(encoding="utf-8"))


def merge_metrics(folder: Path, events: Mapping[str, Sequence[dict]]) -> None:
    """Writes ``metrics.jsonl``: the events of all sites and the aggregator by round, then in the order each wrote them."""
    ordered = [
        (event["round"], site, place, {**event, "site": site})
        for site, rows in events.items()
        for place, event in enumerate(rows)
    ]
    lines = [json.dumps(event) + "\n" for *_, event in sorted(ordered, key=lambda row: row[:3])]
    (folder / "metrics.jsonl").write_text("".join(lines), encoding="utf-8")


def read_metrics(folder: Path) -> list[dict]:
    """The events of ``metrics.jsonl`` of a finished run, in its order, each with its ``site``."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def keep_models(folder: Path, workspaces: Mapping[str, Path], sites: Collection[str], model_files: Sequence[str]) -> None:
    """Copies what each participant saved into ``save/<name>``.

    Args:
        folder: the run folder.
        workspaces: by participant.
        sites: those of them that train.
        model_files: what each site must have saved.

    Raises:
        FederationError: a site did not save one of them.
    """
    for name, workspace in workspaces.items():
        saved = workspace / "save" / name if name in sites else workspace / "save"
        target = folder / "save" / name
        shutil.copytree(saved, target) if saved.is_dir() else target.mkdir(parents=True)
        missing = [file for file in model_files if name in sites and not (target / file).is_file()]
        if missing:
            raise FederationError(f"expected {missing[0]} from {name}, found none; see logs/{name}.log")


def model_bytes(folder: Path, sites: Collection[str]) -> int:
    """Bytes of the run's network in float32; all sites have the same."""
    _, tensors = read_model(folder / "save" / sorted(sites)[0] / "last.safetensors")
    return sum(values.nbytes for values in tensors.values())


def final_validation(events: Sequence[dict]) -> dict | None:
    """A site's last validation, with the Dice after the completion phase where that changed the model; None without any."""
    found = next((event for event in reversed(events) if event["phase"] == "validate"), None)
    completed = next((event["dice"] for event in events if event["phase"] == "completion" and event.get("dice")), None)
    if found is None or completed is None:
        return found
    return {**found, "dice": completed, "mean_dice": mean_of(list(completed.values()))}


def write_summary(
    folder: Path,
    plan_name: str,
    events: Mapping[str, Sequence[dict]],
    traffic: Mapping[str, Traffic],
    seconds: float,
    participation: Mapping[str, dict] | None = None,
) -> str:
    """Writes ``summary.json`` and ``summary.txt``: each site's validation Dice of the last round, its traffic, who took part.

    Args:
        folder: of the run.
        plan_name: stands in the title.
        events, traffic: by site.
        seconds: of the training.
        participation: see ``read_participation``; None where nobody kept account of it.

    Returns:
        The text.
    """
    last = {site: final_validation(rows) for site, rows in events.items()}
    scores = {
        site: {name: (value, event["cases"][name]) for name, value in event["dice"].items()} if event else {}
        for site, event in last.items()
    }
    rounds = max(sum(event["phase"] == "train" for event in rows) for rows in events.values())
    title = f"{plan_name}: validation Dice of the final model, {rounds} rounds, {seconds:.0f} s"
    text = render(dice_table(title, scores)) + render(traffic_table("models over the network", traffic))
    text += participation_text(participation or {})
    (folder / "summary.txt").write_text(text, encoding="utf-8")
    content = {
        "plan": plan_name,
        "rounds": rounds,
        "seconds": round(seconds, 1),
        "traffic": {site: asdict(entry) for site, entry in traffic.items()},
        "last_validation": last,
        **({} if participation is None else {"participation": participation}),
    }
    (folder / "summary.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return text


def git_commit() -> str | None:
    """The commit of the code, with ``+`` when it was changed since; None outside a clone."""
    git = ["git", "-C", str(REPOSITORY)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + ("+" if changed else "")


def describe_dataset(dataset: Dataset) -> dict:
    """What a run records of a dataset: cases by split, and in how many each structure is contoured."""
    contoured = Counter(structure for record in dataset.cases.values() for structure in record.structures)
    return {
        "anatomy": dataset.anatomy,
        "cases": {split: len(dataset.cases_of(split)) for split in SPLITS},
        "contoured": dict(sorted(contoured.items())),
    }
