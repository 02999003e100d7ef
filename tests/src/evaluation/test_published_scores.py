"""Real masks, with the scores that others publish for them and that MONAI gives."""

import json
import time

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import binary_erosion

from src.data.preprocessing import array_XYZ
from src.evaluation.hausdorff import assd_mm, hausdorff_mm
from src.evaluation.mask_pair import pair_masks
from src.evaluation.structure_metrics import BOTH_EMPTY, COMPARED, INVENTED, measure
from src.evaluation.surface import SurfaceDistances, directed_distances_mm, surface_distances
from tests.conftest import SHARED_DATA
from tests.src.evaluation.monai_metrics import monai_metrics

pytestmark = pytest.mark.skipif(not SHARED_DATA.is_dir(), reason=f"the real files are not at {SHARED_DATA}")

CHAOS_SPACING_MM = (0.7265625, 0.7265625, 2.0)
OBSERVERS = SHARED_DATA / "hn_interobserver_labels"
NUMBERS = {"Spinal-Canal": 4, "Mandible": 5, "Parotid-Lt": 6, "Brainstem": 10, "Lens-Rt": 15, "Cochlea-Lt": 20}
FIFTEEN_WITHIN_100_SLICES = (1, *range(4, 18))  # all but the lungs, from the brain to the optic nerves


def chaos_mask(folder: str) -> np.ndarray:
    slices = sorted((SHARED_DATA / "chaos_liver" / folder).glob("*.png"))
    return np.stack([sitk.GetArrayFromImage(sitk.ReadImage(str(file))).T > 0 for file in slices], axis=2)


@pytest.fixture(scope="module")
def liver() -> tuple[np.ndarray, np.ndarray]:
    return chaos_mask("Segmentation"), chaos_mask("Ground")


def read_observers(case: str) -> tuple[list[np.ndarray], tuple[float, float, float]]:
    images = [sitk.ReadImage(OBSERVERS / f"{case}_{who}.nii.gz") for who in ("oncologist", "radiographer")]
    return [array_XYZ(image) for image in images], images[0].GetSpacing()


@pytest.fixture(scope="module")
def observers():
    return read_observers("0522c0331")


def test_chaos_liver_scores_what_its_organisers_print(liver):
    """``DICE=0.978 RAVD=0.665 ASSD=0.734 MSSD=14.000``, see the data's README; ASSD as the next test says."""
    pred, truth = liver
    found = measure(pred, truth, CHAOS_SPACING_MM, 1.0)
    assert found.dice == pytest.approx(0.978, abs=5e-4)
    assert abs(found.relative_volume_difference) == pytest.approx(0.00665, abs=5e-6)
    assert hausdorff_mm(surface_distances(pair_masks(pred, truth, CHAOS_SPACING_MM)), 100) == pytest.approx(14, abs=1e-9)
    # Compared by hand with MONAI, surface-distance 0.1 and MeshMetrics 0.2.1.
    assert found.hd95_mm == pytest.approx(3.633, abs=5e-4)
    assert found.assd_mm == pytest.approx(0.713, abs=5e-4)
    assert found.surface_dice == pytest.approx(0.8435, abs=5e-5)


def test_the_organisers_average_distance_leaves_out_where_the_liver_leaves_the_scan(liver):
    """CHAOS erodes with ``border_value=1``, so that the cut face of the liver in the last slice is no surface."""
    across = np.ix_(*[np.flatnonzero((liver[0] | liver[1]).any(axis=axes)) for axes in [(1, 2), (0, 2)]])
    within = [np.pad(mask[across], ((1, 1), (1, 1), (0, 0))) for mask in liver]  # all slices, fewer columns and rows
    pred, truth = (mask & ~binary_erosion(mask, border_value=1) for mask in within)
    distances = SurfaceDistances(
        pred_to_truth_mm=directed_distances_mm(pred, truth, CHAOS_SPACING_MM),
        truth_to_pred_mm=directed_distances_mm(truth, pred, CHAOS_SPACING_MM),
    )
    assert assd_mm(distances) == pytest.approx(0.734, abs=5e-4)


@pytest.mark.parametrize("organ", NUMBERS)
def test_two_observers_agree_as_published_and_as_monai_says(observers, organ):
    (oncologist, radiographer), spacing_mm = observers
    pred, truth = oncologist == NUMBERS[organ], radiographer == NUMBERS[organ]
    found = measure(pred, truth, spacing_mm, 1.0)
    box = pair_masks(pred, truth, spacing_mm)  # MONAI takes seconds for a whole scan, and crops it too
    for name, expected in monai_metrics(box.pred_XYZ, box.truth_XYZ, spacing_mm, 1.0).items():
        assert getattr(found, name) == pytest.approx(expected, abs=2e-5), name
    if organ != "Spinal-Canal":  # in these files the cord is painted over it
        assert found.dice == pytest.approx(published_dice("0522c0331", organ), abs=6e-5)


def published_dice(case: str, organ: str) -> float:
    manifest = json.loads((OBSERVERS / "manifest.json").read_text(encoding="utf-8"))
    return manifest["interobserver_dice"][organ][list(manifest["cases"]).index(case)]


def test_a_gland_that_one_observer_or_none_drew_is_counted_apart():
    (oncologist, radiographer), spacing_mm = read_observers("TCGA-CV-7236")
    left, right = (measure(oncologist == number, radiographer == number, spacing_mm, 2.0) for number in (8, 9))
    assert (left.status, right.status) == (BOTH_EMPTY, INVENTED)
    assert right.dice == right.surface_dice == 0 and right.pred_cm3 > 0


@pytest.mark.slow
@pytest.mark.parametrize("case", sorted({path.name.split("_")[0] for path in OBSERVERS.glob("*_oncologist.nii.gz")}))
def test_every_organ_of_two_observers_agrees_as_published(case):
    manifest = json.loads((OBSERVERS / "manifest.json").read_text(encoding="utf-8"))
    (oncologist, radiographer), spacing_mm = read_observers(case)
    for organ, number in manifest["labels"].items():
        found = measure(oncologist == number, radiographer == number, spacing_mm, 2.0)
        # The manifest calls a gland empty that one of the two did not draw.
        assert (found.status != COMPARED) == (organ in manifest["cases"][case]["empty"]), organ
        if found.status != COMPARED:
            continue
        assert found.surface_dice > 0.5 and 0 < found.assd_mm <= found.hd95_mm < 60, organ
        # Glands have no published score in some cases, so that a score's place does not tell its case; cord and lens are
        # painted over canal and orbit, and a few voxels of neighbours over each other.
        if not organ.startswith(("Submandibular", "Spinal-Canal", "Orbit")):
            assert found.dice == pytest.approx(published_dice(case, organ), abs=2e-4), organ


@pytest.mark.slow
def test_fifteen_labels_of_a_scan_of_100_slices_take_a_fraction_of_monai_s_time(observers, capsys):
    """Same masks, same moment, one thread each; MONAI gets each label's two masks alone, which is its fastest way."""
    (oncologist, radiographer), spacing_mm = observers
    ours = theirs = 0.0
    for number in FIFTEEN_WITHIN_100_SLICES:
        pred, truth = (np.asarray(labels[..., -100:] == number) for labels in (oncologist, radiographer))
        start = time.process_time()
        assert measure(pred, truth, spacing_mm, 1.0).status == COMPARED
        middle = time.process_time()
        monai_metrics(pred, truth, spacing_mm, 1.0)
        ours, theirs = ours + middle - start, theirs + time.process_time() - middle
    with capsys.disabled():
        print(f"\n15 labels of {pred.shape}: {ours:.2f} CPU seconds, MONAI {theirs:.2f}: {theirs / ours:.0f} times")
    assert theirs > 5 * ours
