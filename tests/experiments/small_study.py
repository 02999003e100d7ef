"""A small finished study on disk, as the jobs of a comparison leave it, without a network having been trained.

Three sites; ``site_b`` contours no esophagus, ``site_c`` has three patients. Everything that a report must not trip over is
there: organs missed and invented, a true absence, a patient without one structure, a model that never learned one, a scheme
trained without a site, and two seeds.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from experiments.federation.plan import plan_bytes, read_plan, set_rounds

SITES = {"site_a": 6, "site_b": 6, "site_c": 3}  # patients of each split
STRUCTURES = ("Brainstem", "Esophagus", "Parotid_L")
NEVER_CONTOURED = ("site_b", "Esophagus")
ROUNDS, LOCAL_ROUNDS, MODEL_BYTES = 8, 1, 1_200_000
SHARED = None
GOSSIP_ROUNDS = (2, 4)  # before which a gossip plan of so many rounds exchanges
# What an arm's mean Dice is above or below 0.75.
QUALITY = {
    "individual": -0.06,
    "fedavg": 0.01,
    "fedavg_local": 0.015,
    "gossip": 0.02,
    "gossip_consensus": 0.01,
    "pooled": 0.025,
}


@dataclass(frozen=True)
class Arm:
    """One arm: the scheme that made it, whether its model is shared, whether a best one is kept, and who took no part."""

    name: str
    scheme: str
    shared: bool
    has_best: bool
    without: tuple[str, ...] = ()

    @property
    def model_sites(self) -> list[str | None]:
        """Whose models there are."""
        return [SHARED] if self.shared else [site for site in SITES if site not in self.without]


ARMS = (
    Arm("individual", "individual", shared=False, has_best=True),
    Arm("pooled", "pooled", shared=True, has_best=True),
    Arm("fedavg", "fedavg", shared=True, has_best=False),
    Arm("fedavg_local", "fedavg", shared=False, has_best=False),
    Arm("gossip", "gossip", shared=False, has_best=True),
    Arm("gossip_consensus", "gossip", shared=True, has_best=False),
    Arm("fedavg_without_site_c", "fedavg_without_site_c", shared=True, has_best=False, without=("site_c",)),
    Arm("fedavg_without_site_c_local", "fedavg_without_site_c", shared=False, has_best=False, without=("site_c",)),
)
STUDY = {
    "title": "A small study",
    "anatomy": "head_neck",
    "rounds": ROUNDS,
    "local_finish_rounds": LOCAL_ROUNDS,
    "changes": ["task_runner.settings.steps_per_round=5"],
    "learning_rates": [0.003, 0.006],
    "search_rounds": 2,
    "search_seed": 0,
    "cross_site": True,
    "hypothesis": {
        "text": "Gossip is not inferior to pooled training by more than 0.02 Dice on each site's own patients.",
        "scheme": "gossip",
        "reference": "pooled",
        "margin": 0.02,
    },
    "comparisons": [["gossip", "pooled"], ["gossip", "fedavg_local"], ["gossip", "individual"]],
    "advice": ["individual", "gossip", "fedavg", "fedavg_local"],
}
_DEFAULTS = {"pooled_data": False, "steps": "own", "changes": [], "without": [], "learning_rate_of": None}
_SCHEMES = {
    "individual": {"plan": "individual"},
    "pooled": {"plan": "pooled", "pooled_data": True, "steps": "sum"},
    "fedavg": {"plan": "fedavg"},
    "gossip": {"plan": "gossip"},
    "fedavg_without_site_c": {"plan": "fedavg", "without": ["site_c"], "learning_rate_of": "fedavg"},
}


def make_small_study(
    folder: Path,
    *,
    quality: Mapping[str, float] | None = None,
    seeds: Sequence[int] = (0, 1),
    splits: Sequence[str] = ("valid",),
    noise: float = 0.01,
    **changes,
) -> Path:
    """Writes the folder of a study whose runs are done and scored.

    Args:
        folder: made; must not be there.
        quality: mean Dice of arms above 0.75, where not as in ``QUALITY``.
        seeds: of every scheme.
        splits: that were scored.
        noise: standard deviation of the Dice that is an arm's own, seed by seed.
        changes: keys of study.yaml to set.
    """
    folder.mkdir(parents=True)
    schemes = {name: {**_DEFAULTS, **scheme, "seeds": list(seeds)} for name, scheme in _SCHEMES.items()}
    content = {**STUDY, "schemes": schemes, **changes}
    (folder / "study.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    qualities = {**QUALITY, "fedavg_without_site_c": 0.0, "fedavg_without_site_c_local": 0.0, **(quality or {})}
    for scheme in _SCHEMES:
        if "learning_rate_of" not in _SCHEMES[scheme]:
            _write_search(folder / "search" / scheme)
        for seed in seeds:
            _write_run(folder / "train" / scheme / f"seed_{seed}", scheme, seed)
            for split in splits:
                rows = [row for arm in ARMS if arm.scheme == scheme for row in _rows(arm, seed, split, qualities, noise)]
                _write_lines(folder / "scores" / split / scheme / f"seed_{seed}.jsonl", rows)
    jobs = [
        {"name": f"train {scheme} seed {seed}", "seconds": 60.0, "when": "2026-01-01 12:00:00"}
        for scheme in _SCHEMES
        for seed in seeds
    ]
    _write_lines(folder / "jobs.jsonl", jobs)
    return folder


def make_small_datasets(root: Path) -> Path:
    """Writes the sites' ``dataset.json`` with the patients of the study in each split; there are no voxels."""
    for site in SITES:
        cases = {}
        for split in ("train", "valid", "test"):
            for patient in patients_of(site, split):
                row = {
                    "split": split,
                    "spacing_mm": [2.0, 2.0, 3.0],
                    "structures": sorted(contoured(site, patient)),
                    "checks": [],
                }
                cases[patient] = row
        content = {"schema_version": 1, "anatomy": "head_neck", "site": site, "tool": "test", "cases": cases}
        (root / site).mkdir(parents=True)
        (root / site / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
    return root


def patients_of(site: str, split: str) -> list[str]:
    """The pseudonyms of one site and split."""
    return [f"{site[-1]}_{split}_{number}" for number in range(SITES[site])]


def contoured(site: str, patient: str) -> list[str]:
    """What is contoured in a patient; the first of ``site_a`` lacks the parotid."""
    never = [NEVER_CONTOURED[1]] if site == NEVER_CONTOURED[0] else []
    return [name for name in STRUCTURES if name not in never and (site, patient[-1], name) != ("site_a", "0", "Parotid_L")]


def _rows(arm: Arm, seed: int, split: str, qualities: Mapping[str, float], noise: float) -> Iterator[dict]:
    generator = np.random.default_rng([seed, ARMS.index(arm), len(split)])
    for which in ("last", "best") if arm.has_best else ("last",):
        for model_site in arm.model_sites:
            for site in SITES:
                if which == "best" and model_site not in (SHARED, site):
                    continue
                for patient in patients_of(site, split):
                    for structure in contoured(site, patient):
                        if arm.name == "individual" and (model_site, structure) == NEVER_CONTOURED:
                            continue
                        mean = _expected_dice(arm, model_site, site, patient, structure, qualities)
                        dice = float(np.clip(mean + generator.normal(0, noise), 0.02, 0.98))
                        status = _status(arm.name, seed, site, patient, structure)
                        yield {
                            **{"arm": arm.name, "seed": seed, "which": which, "model_site": model_site, "patient_site": site},
                            **{"patient": patient, "structure": structure, "status": status},
                            **_measures(dice, status, generator.normal(0, 0.1)),
                        }


def _expected_dice(arm: Arm, model_site, site: str, patient: str, structure: str, qualities: Mapping[str, float]) -> float:
    """How hard the patient is, the same for every arm; another site's model is worse on it."""
    hardness = 0.03 * np.sin(1 + int(patient[-1]) * 2.3 + list(SITES).index(site)) + 0.04 * (STRUCTURES.index(structure) - 1)
    return 0.75 + qualities[arm.name] - hardness - (0.05 if model_site not in (SHARED, site) else 0.0)


def _status(arm: str, seed: int, site: str, patient: str, structure: str) -> str:
    if (site, patient[-1], structure) == ("site_a", "2", "Esophagus"):  # truth is empty
        return "invented" if arm == "fedavg" or (arm, seed) == ("individual", 1) else "both empty"
    missed = arm == "individual" and (site, patient[-1], structure) == ("site_c", "0", "Parotid_L")
    return "missed" if missed else "compared"


def _measures(dice: float, status: str, volume_difference: float) -> dict:
    compared, truth_cm3 = status == "compared", 0.0 if status in ("invented", "both empty") else 25.0
    pred_cm3 = {"compared": truth_cm3 * (1 + volume_difference), "missed": 0.0, "invented": 3.0, "both empty": 0.0}[status]
    overlap = None if status == "both empty" else (dice if compared else 0.0)
    return {
        "dice": overlap,
        "hd95_mm": 2 + 40 * (1 - dice) if compared else None,
        "assd_mm": 0.5 + 10 * (1 - dice) if compared else None,
        "surface_dice": overlap and min(1.0, overlap + 0.1),
        "tolerance_mm": 2.0,
        "volume_difference_cm3": None if status == "both empty" else pred_cm3 - truth_cm3,
        "relative_volume_difference": (pred_cm3 - truth_cm3) / truth_cm3 if truth_cm3 else None,
        "pred_cm3": pred_cm3,
        "truth_cm3": truth_cm3,
    }


def _write_run(run: Path, scheme: str, seed: int) -> None:
    """A training run; the weights that models.json names are not there."""
    arms = [arm for arm in ARMS if arm.scheme == scheme]
    sites = ["pooled"] if scheme == "pooled" else [site for site in SITES if site not in arms[0].without]
    models = [
        {"arm": arm.name, "model_site": site, "which": which, "path": f"save/{site or 'shared'}/{arm.name}_{which}.safetensors"}
        for arm in arms
        for site in arm.model_sites
        for which in (("last", "best") if arm.has_best else ("last",))
    ]
    cost = _cost(scheme, sites)
    events = [event for number in range(ROUNDS + 1) for site in sites for event in _events(scheme, seed, site, number)]
    for path, text in {
        "models.json": json.dumps(models),
        "cost.json": json.dumps(cost),
        "config/plan.yaml": _plan_text(scheme),
        "config/run.json": json.dumps({"simulated": True, "git_commit": "0" * 40, "sites": _site_facts(sites)}),
        "done.json": json.dumps({"seconds": 60.0, "git_commit": "0" * 40}),
    }.items():
        (run / path).parent.mkdir(parents=True, exist_ok=True)
        (run / path).write_text(text, encoding="utf-8")
    _write_lines(run / "metrics.jsonl", events)


def _events(scheme: str, seed: int, site: str, number: int) -> list[dict]:
    """One round's, as they are written: a peer validates after it trained, a server's site the model that it got before."""
    train = [{"round": number, "phase": "train", "site": site, "loss": 0.5, "seconds": 1.0}] if number < ROUNDS else []
    peer = scheme in ("individual", "gossip")
    mean_dice = _curve(scheme, seed, number + peer)
    validate = {"round": number, "phase": "validate", "site": site, "mean_dice": mean_dice, "dice": {}, "cases": {}}
    return [*train, *([validate] if train else [])] if peer else [validate, *train]


def _curve(scheme: str, seed: int, rounds: int) -> float:
    """Validation Dice after so many rounds."""
    return round(0.75 + QUALITY.get(scheme, 0.0) - 0.4 / (rounds + 1) + 0.001 * seed, 6)


@cache
def _plan_text(scheme: str) -> str:
    plan = read_plan(f"{_SCHEMES[scheme]['plan']}_head_neck")
    set_rounds(plan, ROUNDS)
    return plan_bytes(plan).decode()


def _site_facts(sites: Sequence[str]) -> dict:
    """Of each the patients by split, as many in each."""
    return {site: {"cases": dict.fromkeys(("train", "valid", "test"), _num_cases(site))} for site in sites}


def _num_cases(site: str) -> int:
    return {**SITES, "pooled": sum(SITES.values())}[site]


def _cost(scheme: str, sites: Sequence[str]) -> dict:
    """A server's site fetches before every round and at the end; a gossip one pulls half a model at times."""
    plan = _SCHEMES[scheme]["plan"]
    steps = ROUNDS * 5 * (len(SITES) if plan == "pooled" else 1)
    exchanges = [
        {"round": number, "site": site, "peer": sites[index - 1] if plan == "gossip" else None, "received_bytes": size}
        for number, size in _received(plan)
        for index, site in enumerate(sites)
    ]
    received, closing = sum(size for _, size in _received(plan)), _received(plan)[-1][1] if plan == "gossip" else 0
    each = {
        **{"cpu_seconds": 2.0 * steps, "steps": steps, "network_steps": steps * (2 if plan == "gossip" else 1)},
        **{"sent_bytes": received if plan == "gossip" else MODEL_BYTES * ROUNDS * bool(received), "received_bytes": received},
        "closing_received_bytes": closing,
    }
    return {
        "model_bytes": MODEL_BYTES,
        "sites": {site: {**each, "train_cases": _num_cases(site)} for site in sites},
        "exchanges": exchanges,
        "local_finish": {"cpu_seconds": dict.fromkeys(sites, 10.0)} if plan == "fedavg" else None,
        "wall_seconds": 60.0,
    }


def _received(plan: str) -> list[tuple[int, int]]:
    """Before which rounds a site receives a model, and its bytes."""
    if plan == "gossip":
        return [(number, MODEL_BYTES // 2) for number in (*GOSSIP_ROUNDS, ROUNDS)]
    return [] if plan == "individual" else [(number, MODEL_BYTES) for number in range(ROUNDS + 1)]


def _write_search(folder: Path) -> None:
    folder.mkdir(parents=True)
    chosen = {"learning_rate": 0.003, "valid_dice": {"0.003": 0.71, "0.006": 0.7}}
    (folder / "chosen.json").write_text(json.dumps(chosen), encoding="utf-8")


def _write_lines(path: Path, rows: Sequence[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, allow_nan=False) + "\n" for row in rows), encoding="utf-8")
