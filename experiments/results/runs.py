"""What of a study was not done, and which learning rates its search chose."""

import json
from pathlib import Path

from experiments.study_folder import DONE, chosen_file, scores_file, training_folder


def not_done(folder: Path, split: str, settings: dict) -> list[str]:
    """The runs of the study that have no scores.

    Args:
        folder, split, settings: of the study.

    Returns:
        Such as ``gossip seed 2`` and ``fedprox seed 0 (trained, not scored)``; a scheme that was asked for with no seed at all
        is named alone.
    """
    missing = []
    for scheme, entry in settings["schemes"].items():
        seeds = entry.get("seeds") or []
        for seed in seeds:
            trained = (folder / training_folder(scheme, seed) / DONE).is_file()
            if not (folder / scores_file(split, scheme, seed)).is_file():
                missing.append(f"{scheme} seed {seed}" + (" (trained, not scored)" if trained else ""))
        if not seeds and not any((folder / scores_file(split, scheme, 0)).parent.glob("seed_*.jsonl")):
            missing.append(scheme)
    return missing


def chosen_learning_rates(folder: Path, settings: dict) -> dict[str, dict]:
    """What each scheme's search found; a scheme that takes another's says so by ``learning_rate_of``."""
    found: dict[str, dict] = {}
    for scheme, entry in settings["schemes"].items():
        source = entry.get("learning_rate_of") or scheme
        path = folder / chosen_file(source)
        if path.is_file():
            content = json.loads(path.read_text(encoding="utf-8"))
            found[scheme] = {**content, **({"learning_rate_of": source} if source != scheme else {})}
    return found
