"""One CT from DICOM files to an RTSTRUCT in one way, or the validation cases; a process of its own that says what it took.

``python -m experiments.bench.predict_worker``: a job as JSON on its standard input, what was measured as JSON on its output.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.bench.predict_engines import open_engine
from src.data.case_image import as_int16
from src.data.dataset import TOOL
from src.data.preprocessing import (
    OUTSIDE_LOGIT,
    GridGeometry,
    Preprocessing,
    array_XYZ,
    on_grid,
    to_working_grid,
    uncut_working_grid,
)
from src.dicom.ct_pixels import read_ct
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.model.card import read_card
from src.predict.engine import Engine
from src.predict.native_field import native_field
from src.rtstruct.origin import Origin
from src.rtstruct.structure_field import StructureField
from src.rtstruct.write import write_rtstruct

_ORIGIN = Origin(label="bench", description="make bench PART=predict", software_version=TOOL)


class Clock:
    """Seconds of each step, one after the other."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        """What was done since the last call."""
        now = time.perf_counter()
        self.seconds[step], self._last = now - self._last, now


def predict(job: dict, engine: Engine) -> tuple[dict[str, float], list[StructureField]]:
    """From the files of a CT to the file of its structures; returns seconds by step, and what was drawn."""
    card, clock = read_card(Path(job["paths"]["network"])), Clock()
    stack = stack_slices(scan_export(Path(job["ct"])).patients[0].series[0])
    ct = as_int16("bench", read_ct(stack))
    clock.lap("read")
    working = (to_working_grid if job["crop"] else uncut_working_grid)(ct, Preprocessing.from_json(card.preprocessing))
    grid, native, hu_XYZ = GridGeometry.of(working), GridGeometry.of(ct), array_XYZ(working)
    clock.lap("grid")
    logits_CXYZ = engine.logits(hu_XYZ)
    clock.lap("network")
    draw = native_field if job["box"] else whole_field
    named = [(name, channel) for channel, name in enumerate(card.structures) if name in card.trained_structures]
    fields = [draw(name, logits_CXYZ[channel], grid, native) for name, channel in named]
    clock.lap("structures")
    write_rtstruct(Path(job["output"]), stack, fields, origin=_ORIGIN)
    clock.lap("write")
    return clock.seconds, fields


def whole_field(name: str, logits_XYZ: np.ndarray, grid: GridGeometry, native: GridGeometry) -> StructureField:
    """The plain way: every structure interpolated on the whole CT."""
    return StructureField.of_values(name, on_grid(logits_XYZ, grid, native, outside=OUTSIDE_LOGIT))


def validate(job: dict, engine: Engine) -> dict[str, float]:
    """Validation Dice by structure."""
    from src.data.cache import CaseCache
    from src.data.dataset import Dataset
    from src.predict.optimise.validation_cases import dice_of, prepare_validation

    card, folder = read_card(Path(job["paths"]["network"])), Path(job["cache"])
    folder.mkdir(parents=True, exist_ok=True)
    cache = CaseCache(folder, Preprocessing.from_json(card.preprocessing), card.structures)
    found = dice_of(engine, prepare_validation(Dataset.open(job["data"]), card, cache), card.structures)
    return {name: entry.mean for name, entry in found.items() if entry.num_scored}


def peak_resident_bytes() -> int:
    """The most memory this process ever had resident; the kernel counts it from the process's own beginning."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _measure_prediction(job: dict, engine: Engine, opened_s: float) -> dict:
    seconds, fields = predict(job, engine)
    measured = {"open_s": opened_s, "seconds": seconds, "peak_bytes": peak_resident_bytes()}
    masks = {field.name: np.packbits(field.whole_mask_XYZ) for field in fields}
    np.savez(job["masks"], **masks)
    return measured


def main() -> None:
    """Does the job."""
    job = json.loads(sys.stdin.read())
    engine = open_engine(job["engine"], job["paths"], job["overlap"])
    opened_s = time.time() - job["began"]
    does: Callable[[], object] = {
        "predict": lambda: _measure_prediction(job, engine, opened_s),
        "validate": lambda: validate(job, engine),
    }[job["what"]]
    print(json.dumps(does()))


if __name__ == "__main__":
    main()
