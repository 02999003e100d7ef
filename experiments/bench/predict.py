"""How long a CT of 512 × 512 × 120 takes from DICOM to RTSTRUCT on a processor, and how much memory, in several ways.

Every row has the same network, window and overlap as plain float32 PyTorch, and covers the whole working grid as it does, but
for the rows that say so. Each repeat is a process of its own; a row's repeats lie between those of the others.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.bench.predict_ct import SIZE, choose_case, resample, write_series
from experiments.bench.predict_engines import ENGINES, INT8, PLAIN, make_folders
from experiments.bench.predict_network import DATA, FOLDER, NETWORK
from experiments.federation.template import REPOSITORY
from src.data.dataset import Dataset
from src.evaluation.dice import dice
from src.model.card import read_card

LATENCY_AIM, MEMORY_AIM, DICE_AIM = 5.0, 2.5, 0.002
OVERLAP, SMALLER_OVERLAP = 0.25, 0.125
_LONGEST_S = 1800
STEPS = ("read", "grid", "network", "structures", "write")


@dataclass(frozen=True)
class Way:
    """One way to predict.

    Attributes:
        name: of the row.
        engine: of ``ENGINES``.
        box: structures are interpolated where they are, not on the whole CT.
        crop: the working grid is cut to the body.
        overlap: of the sliding windows.
    """

    name: str
    engine: str
    box: bool = True
    crop: bool = False
    overlap: float = OVERLAP


WAYS = (
    Way(f"plain {PLAIN}", PLAIN, box=False),
    *(Way(engine, engine) for engine in ENGINES),
    Way(f"{PLAIN}, body crop", PLAIN, crop=True),
    Way(f"{INT8}, body crop", INT8, crop=True),
    Way(f"{INT8}, body crop, overlap {SMALLER_OVERLAP:g}", INT8, crop=True, overlap=SMALLER_OVERLAP),
)


@dataclass
class Measured:
    """What the repeats of one way took.

    Attributes:
        open_s: from the start of the process until the model is ready, imports included.
        seconds: of each step.
        peak_bytes: of resident memory, of the whole process.
        masks: structure -> packed bits on the CT's own grid, of the last repeat.
    """

    open_s: list[float] = field(default_factory=list)
    seconds: list[dict[str, float]] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def latency_s(self) -> float:
        """From the first file read to the RTSTRUCT written; the median."""
        return statistics.median(sum(steps.values()) for steps in self.seconds)

    @property
    def peak(self) -> float:
        """The median."""
        return statistics.median(self.peak_bytes)


def show(console: Console, repeats: int = 3, ways: Sequence[Way] = WAYS) -> None:
    """Measures and prints.

    Raises:
        OarError: OpenVINO or NNCF is missing, or 8-bit integers lose too much.
    """
    if not NETWORK.is_file() or not (DATA / "dataset.json").is_file():
        console.print(
            f"predict: left out; it needs {DATA} (docs/studies.md) and {NETWORK}: python -m experiments.bench.predict_network\n"
        )
        return
    in_floats, in_integers = make_folders(NETWORK, DATA, FOLDER / "cache" / "pooled", FOLDER)
    paths = {"network": str(NETWORK), "float32": str(in_floats), "int8": str(in_integers)}
    with tempfile.TemporaryDirectory(prefix="bench-predict-") as folder:
        measured = measure(paths, Path(folder), ways, repeats)
    print_chain(console, measured, repeats, choose_case(Dataset.open(DATA)).name)
    _print_validation(console, {engine: validation_dice(paths, engine) for engine in dict.fromkeys(way.engine for way in ways)})


def measure(paths: Mapping[str, str], folder: Path, ways: Sequence[Way], repeats: int) -> dict[str, Measured]:
    """Every way so many times, turn by turn."""
    dataset = Dataset.open(DATA)
    write_series(resample(dataset.read_ct(choose_case(dataset).name)), folder / "ct")
    measured = {way.name: Measured() for way in ways}
    for _ in range(repeats):
        for way in ways:
            _add(measured[way.name], way, paths, folder)
    return measured


def _add(found: Measured, way: Way, paths: Mapping[str, str], folder: Path) -> None:
    files = {"ct": folder / "ct", "output": folder / "rtstruct.dcm", "masks": folder / "masks.npz"}
    settings = {"engine": way.engine, "box": way.box, "crop": way.crop, "overlap": way.overlap, "paths": paths}
    answer = _ask({"what": "predict", **settings, **{name: str(path) for name, path in files.items()}})
    found.open_s.append(answer["open_s"])
    found.seconds.append(answer["seconds"])
    found.peak_bytes.append(answer["peak_bytes"])
    with np.load(files["masks"], allow_pickle=False) as masks:
        found.masks = dict(masks)


def validation_dice(paths: Mapping[str, str], engine: str) -> dict[str, float]:
    """Dice by structure on the dataset's validation cases."""
    cache = str(FOLDER / "cache" / "pooled")
    return _ask({"what": "validate", "engine": engine, "overlap": OVERLAP, "paths": paths, "data": str(DATA), "cache": cache})


def _ask(job: dict) -> dict:
    # All cores, as a hospital's PC would; a limit set for the tests is not meant for this.
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-m", "experiments.bench.predict_worker"],
        input=json.dumps({**job, "began": time.time()}),
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{job['engine']}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def print_chain(console: Console, measured: Mapping[str, Measured], repeats: int, case: str) -> None:
    """The ways beside the first of them, which is the plain one."""
    plain = next(iter(measured.values()))
    size = " × ".join(map(str, SIZE))
    table = Table(
        title=f"{case} resampled to {size}, DICOM to RTSTRUCT; medians of {repeats}; seconds, and times less than plain"
    )
    for column in ("way", *STEPS, "all", "less", "peak MB", "less", "Dice with plain: mean, least", "open"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for name, found in measured.items():
        steps = [f"{statistics.median(one[step] for one in found.seconds):.2f}" for step in STEPS]
        agreement = [_agreement(found.masks[structure], plain.masks[structure]) for structure in plain.masks]
        table.add_row(
            name,
            *steps,
            f"{found.latency_s:.2f}",
            f"{plain.latency_s / found.latency_s:.2f}",
            f"{found.peak / 1e6:.0f}",
            f"{plain.peak / found.peak:.2f}",
            f"{statistics.mean(agreement):.4f}, {min(agreement):.4f}",
            f"{statistics.median(found.open_s):.1f}",
        )
    console.print(table)
    console.print(
        f"aim: {LATENCY_AIM:g} and {MEMORY_AIM:g} times less at equal window and overlap. open: from the start of the process, "
        "with imports; once for any number of CTs, and not in 'all'. torch.compile compiles in it\n"
    )


def _agreement(one: np.ndarray, other: np.ndarray) -> float:
    both_empty = not one.any() and not other.any()
    return 1.0 if both_empty else dice(np.unpackbits(one), np.unpackbits(other))


def _print_validation(console: Console, found: Mapping[str, Mapping[str, float]]) -> None:
    card, plain = read_card(NETWORK), statistics.mean(found[PLAIN].values())
    table = Table(title=f"Validation Dice, windows of {card.patch_voxels}, overlap {OVERLAP:g}")
    for column in ("engine", *found[PLAIN], "mean", "less plain"):
        table.add_column(column, justify="left" if column == "engine" else "right")
    for engine, by_structure in found.items():
        mean = statistics.mean(by_structure.values())
        values = [f"{by_structure[name]:.4f}" for name in found[PLAIN]]
        table.add_row(engine, *values, f"{mean:.4f}", f"{mean - plain:+.4f}")
    console.print(table)
    console.print(f"aim: the mean within {DICE_AIM:g} of plain float32\n")
