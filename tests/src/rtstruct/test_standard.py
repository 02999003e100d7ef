"""The file beside the standard: by the tables that highdicom carries, and by dciodvfy where it is installed."""

import json
import shutil
import subprocess
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from src.rtstruct.structure_field import StructureField
from src.rtstruct.write import write_rtstruct
from tests.small_export import SmallPatient
from tests.src.rtstruct.drawing import ORIGIN, ball, ct_of

# Of the optional modules, those that the file holds.
_OPTIONAL_HELD = ("frame-of-reference", "approval")


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("standard")
    size = (24, 20, 6)
    stack = ct_of(folder, SmallPatient(size=size))
    holed = np.zeros(size, bool)
    holed[3:20, 3:16, 1:5] = True
    holed[8:12, 8:12, 2:4] = False
    fields = [StructureField.of_values("Brain", ball(size, (12, 9, 3), 4)), StructureField.of_mask("Liver", holed)]
    write_rtstruct(folder / "RS.dcm", stack, fields, origin=ORIGIN)
    return folder / "RS.dcm"


def missing(dataset: Dataset, attributes: list[dict]) -> list[str]:
    """What a module demands and a dataset lacks: elements of type 1 with a value, elements of type 2."""
    found = []
    for attribute in attributes:
        holders = [dataset]
        for step in attribute["path"]:
            holders = [item for holder in holders for item in holder.get(step, ())]
        for holder in holders:
            keyword = attribute["keyword"]
            if attribute["type"] in ("1", "2") and keyword not in holder:
                found.append(f"{keyword} is not there")
            elif attribute["type"] == "1" and holder[keyword].is_empty:
                found.append(f"{keyword} is empty")
    return found


@lru_cache
def tables() -> tuple[list[dict], dict[str, list[dict]]]:
    """Modules of the RT Structure Set, and the attributes of every module."""
    folder = Path(find_spec("highdicom").origin).parent / "_standard"
    modules = json.loads((folder / "iod_module_map.json").read_text())["rt-structure-set"]
    return modules, json.loads((folder / "module_attribute_map.json").read_text())


needs_highdicom = pytest.mark.skipif(find_spec("highdicom") is None, reason="highdicom is not installed")


@needs_highdicom
def test_every_module_has_what_the_standard_demands(path):
    dataset, (modules, attributes) = pydicom.dcmread(path), tables()
    checked = [one["key"] for one in modules if one["usage"] == "M" or one["key"] in _OPTIONAL_HELD]
    assert {"patient", "general-study", "rt-series", "structure-set", "roi-contour", "rt-roi-observations"} <= set(checked)
    assert {key: lacking for key in checked if (lacking := missing(dataset, attributes[key]))} == {}


@needs_highdicom
@pytest.mark.parametrize(
    ("module", "place", "keyword"),
    [
        ("roi-contour", "ROIContourSequence", "ReferencedROINumber"),
        ("structure-set", "StructureSetROISequence", "ROIName"),
        ("rt-roi-observations", "RTROIObservationsSequence", "ROIInterpreter"),
    ],
)
def test_what_is_taken_away_is_missed(path, module, place, keyword):
    dataset = pydicom.dcmread(path)
    del dataset[place].value[0][keyword]
    assert missing(dataset, tables()[1][module]) == [f"{keyword} is not there"]


@needs_highdicom
def test_every_element_is_one_that_the_standard_knows_there(path):
    dataset, (modules, attributes) = pydicom.dcmread(path), tables()
    known = {(*one["path"], one["keyword"]) for module in modules for one in attributes[module["key"]]}

    def unknown(holder: Dataset, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
        found = {(*above, element.keyword) for element in holder} - known
        for element in holder:
            if element.VR == "SQ":
                found |= set().union(*(unknown(item, (*above, element.keyword)) for item in element.value))
        return found

    assert unknown(dataset) == set()


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
def test_dciodvfy_finds_no_error(path):
    done = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, timeout=60)
    assert "RTStructureSet" in done.stderr
    assert [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")] == []
    assert done.returncode == 0
