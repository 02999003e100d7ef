"""Our masks of real RTSTRUCTs agree with those of other people's code."""

import subprocess
import sys

import numpy as np
import pytest

from experiments.contour_accuracy import FILES, REFERENCES, compare, dice, table
from experiments.plastimatch import PROGRAM
from experiments.table import render
from tests.conftest import SHARED_DATA

needs_plastimatch = pytest.mark.skipif(not PROGRAM.exists(), reason="plastimatch has wheels for Linux on x86-64 alone")
needs_data = pytest.mark.skipif(not SHARED_DATA.is_dir(), reason=f"the real files are not at {SHARED_DATA}")
# Exclusive or erases contours stored twice and seams of strokes; joining fills holes. Below these, the other rule is meant.
NOT_MEANT = {
    ("lung1_002_xio", "Lung L"): "plastimatch XOR",
    ("lung1_002_xio", "contrast"): "plastimatch XOR",
    ("rtstruct_only", "Lt Lung"): "plastimatch OR",
}


def test_dice_counts_shared_voxels():
    first, second = np.array([True, True, False]), np.array([True, False, False])
    assert dice(first, second) == pytest.approx(2 / 3)
    assert dice(first, first) == 1


@needs_plastimatch
@needs_data
@pytest.mark.parametrize(
    "file", [pytest.param(file, marks=() if file[0] == "lung1_002_xio" else pytest.mark.slow) for file in FILES], ids=str
)
def test_every_roi_agrees_with_every_reference_that_means_the_same(file):
    rows = list(compare(SHARED_DATA, *file))
    assert len(rows) == {"ibsi1_lung_phantom": 1, "lung1_002_xio": 10, "LUNG1-003_cms_xio.dcm": 13}.get(rows[0].file, 9)
    for row in rows:
        expected = 0.98 if row.ours.polygon_cm3 > 5 else 0.95
        meant = {name: score for name, score in row.references.items() if NOT_MEANT.get((file[0], row.roi)) != name}
        assert meant and min(score for _, score in meant.values()) >= expected, row
        # What is asked for is above; this is what we have, so that losing it does not go unseen.
        assert min(score for _, score in meant.values()) > 0.9995, row
    printed = render(table(rows))
    assert all(row.roi in printed for row in rows) and REFERENCES[0] in printed


def test_without_the_files_the_command_says_so(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "experiments.contour_accuracy", "--data", tmp_path], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and "Traceback" not in done.stderr
