"""One patient converted in every way, each in a process of its own that times itself from the first file to the last mask."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.bench.other_libraries import Libraries
from experiments.bench.stale_references import point_to_slices
from experiments.federation.template import REPOSITORY

OURS = ("in memory", "to files", "convert")
# What each of the others is compared with: what does the same work.
BESIDE = {"rt-utils": "in memory", "rt-utils, references repaired": "in memory", "dcmrtstruct2nii": "to files"}
_LONGEST_S = 600


@dataclass(frozen=True)
class BenchPatient:
    """One patient's files.

    Attributes:
        name: for the table.
        export: folder that holds all of them.
        ct: folder of the CT slices.
        structures: the RTSTRUCT.
    """

    name: str
    export: Path
    ct: Path
    structures: Path


@dataclass
class Conversion:
    """What was measured of one way to convert.

    Attributes:
        seconds: per repeat, without the imports.
        voxels: by ROI, of the last repeat.
        raised: by ROI, what the library raised instead of making its mask.
        written: files and bytes, of the last repeat.
        fault: what kept it from ending, in one line; "" otherwise.
    """

    seconds: list[float] = field(default_factory=list)
    voxels: Mapping[str, int] = field(default_factory=dict)
    raised: Mapping[str, str] = field(default_factory=dict)
    written: Sequence[int] = (0, 0)
    fault: str = ""


def measure(patient: BenchPatient, libraries: Libraries, repeats: int, ours: Sequence[str] = OURS) -> dict[str, Conversion]:
    """Every way once unmeasured, to have the files in memory, and then ``repeats`` times; the order turns.

    Args:
        patient: to convert.
        libraries: whether and where the others are.
        repeats: at least 1.
        ours: which of our ways.
    """
    found = {way: Conversion() for way in ours} | {way: Conversion(fault=libraries.fault) for way in BESIDE}
    with tempfile.TemporaryDirectory() as folder:
        repaired = point_to_slices(patient.structures, patient.ct, Path(folder) / "repaired.dcm")
        for repeat in range(-1, repeats):
            ways = [way for way in found if not found[way].fault]
            for way in [*ways[repeat % len(ways) :], *ways[: repeat % len(ways)]]:
                structures = repaired if "repaired" in way else patient.structures
                output = Path(folder) / f"{way} {repeat}" / "made"
                output.parent.mkdir()
                _add(found[way], [*_command(way, patient, structures, libraries.python), str(output)], counts=repeat >= 0)
    return found


def _command(way: str, patient: BenchPatient, structures: Path, python: Path | None) -> list[str]:
    if way in OURS:
        return [sys.executable, "-m", "experiments.bench.convert_ours", way, str(patient.export)]
    script = str(Path(__file__).with_name("convert_others.py"))
    return [str(python), script, way.partition(",")[0], str(patient.ct), str(structures)]


def _add(conversion: Conversion, command: list[str], *, counts: bool) -> None:
    try:
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=_LONGEST_S)
    except subprocess.TimeoutExpired:
        conversion.fault = f"not done within {_LONGEST_S} s"
        return
    lines = (done.stderr if done.returncode else done.stdout).strip().splitlines()
    if done.returncode:
        conversion.fault = lines[-1] if lines else f"exit code {done.returncode}"
        return
    told = json.loads(lines[-1])
    if told["raised"] and not told["voxels"]:
        conversion.fault = next(iter(told["raised"].values()))
    elif counts:
        conversion.seconds.append(told["seconds"])
        conversion.voxels, conversion.raised, conversion.written = told["voxels"], told["raised"], told["written"]
