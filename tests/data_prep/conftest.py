"""Shared by the tests of data_prep: a hospital's folder of small NIfTI files, and a look at a folder."""

import hashlib
import signal
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

SHAPE_ZYX = (10, 20, 24)
LABELS = {"Brain stem": 1, "LeftParotid": 2, "Parotid-Rt": 3}
TG263 = {"Brain stem": "Brainstem", "LeftParotid": "Parotid_L", "Parotid-Rt": "Parotid_R"}
ROOT = Path(__file__).resolve().parents[2]
# A shell starts what runs in its background with SIGINT ignored, and Python keeps that; a terminal does not.
AS_IN_A_TERMINAL = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}


def image_of(array_ZYX: np.ndarray, *, origin=(-20.0, -30.0, 100.0), spacing=(2.0, 2.0, 3.0)) -> sitk.Image:
    image = sitk.GetImageFromArray(array_ZYX)
    image.SetOrigin(origin)
    image.SetSpacing(spacing)
    return image


def ct_ZYX(seed: int = 0) -> np.ndarray:
    """A box of tissue in air, with noise that tells cases apart."""
    hu = np.full(SHAPE_ZYX, -1000, np.int16)
    hu[1:-1, 3:-3, 3:-3] = np.random.default_rng(seed).integers(20, 80, (8, 14, 18))
    return hu


def labels_ZYX(*names: str) -> np.ndarray:
    """Boxes: brainstem in the middle, left parotid at high x (the patient's left), right parotid at low x."""
    boxes = {"Brain stem": np.s_[4:6, 8:12, 10:14], "LeftParotid": np.s_[4:6, 8:12, 16:19], "Parotid-Rt": np.s_[4:6, 8:12, 5:8]}
    labels = np.zeros(SHAPE_ZYX, np.uint8)
    for name in names:
        labels[boxes[name]] = LABELS[name]
    return labels


class Hospital:
    """``images/``, ``labels/``, ``masks/``, ``cases.csv`` and ``labels.csv`` below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "out"
        for name in ("images", "labels", "masks"):
            (folder / name).mkdir()
        self.write("labels.csv", "label,name", *(f"{label},{name}" for name, label in LABELS.items()))

    def write(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def add_case(self, case: str, ct: sitk.Image | None = None, labels: sitk.Image | None = None) -> None:
        seed = int(hashlib.sha256(case.encode()).hexdigest()[:6], 16)
        sitk.WriteImage(ct or image_of(ct_ZYX(seed)), str(self.folder / "images" / f"{case}.nii.gz"))
        sitk.WriteImage(labels or image_of(labels_ZYX(*LABELS)), str(self.folder / "labels" / f"{case}.nii.gz"))

    def add_mask(self, case: str, native: str, mask: sitk.Image | None = None) -> None:
        (self.folder / "masks" / case).mkdir(exist_ok=True)
        inside = (labels_ZYX(native) > 0).astype(np.uint8) if native in LABELS else np.zeros(SHAPE_ZYX, np.uint8)
        sitk.WriteImage(mask or image_of(inside), str(self.folder / "masks" / case / f"{native}.nii.gz"))

    def command(self, *more: str, contours: str = "labels") -> list[str]:
        sources = {"labels": ["--labels", "labels", "--label-map", "labels.csv"], "masks": ["--masks", "masks"]}[contours]
        argv = ["--table", "cases.csv", "--images", "images", *sources, "--output", "out"]
        argv = [value if value.startswith("--") else str(self.folder / value) for value in argv]
        return ["import-nifti", *argv, "--anatomy", "head_neck", *more]


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    """Two patients of one site, everything contoured, nothing wrong."""
    made = Hospital(tmp_path)
    made.add_case("case_1")
    made.add_case("case_2")
    made.write("cases.csv", "case,site", "case_1,north", "case_2,north")
    return made


@pytest.fixture
def openkbp() -> Path:
    """The real head-and-neck patients, read where they lie."""
    folder = ROOT.parent / "shared" / "data" / "openkbp_head_neck"
    if not folder.is_dir():
        pytest.skip("the real OpenKBP patients are not on this machine (../shared/data/openkbp_head_neck)")
    return folder


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder with the digest of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
