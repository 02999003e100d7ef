"""Real planning systems' contours: against a published mask, on holes, copies and gaps, and there and back from labels."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from contourpy import contour_generator
from scipy.ndimage import find_objects

from data_prep.rasterise.duplicates import COPY_MM, is_copy
from data_prep.rasterise.roi_mask import rasterise
from src.dicom.objects import Contour, Grid, Roi
from tests.conftest import SHARED_DATA

pytestmark = pytest.mark.skipif(not SHARED_DATA.is_dir(), reason=f"the real files are not at {SHARED_DATA}")


def read_rois(path: Path) -> dict[str, Roi]:
    """Name -> ROI of an RTSTRUCT, those with closed contours, read without the code under test."""
    dataset = pydicom.dcmread(path)
    names = {item.ROINumber: item.ROIName for item in dataset.StructureSetROISequence}
    rois = {}
    for item in dataset.ROIContourSequence:
        drawn = [c for c in item.get("ContourSequence", ()) if c.ContourGeometricType == "CLOSED_PLANAR"]
        contours = tuple(Contour(points_mm=np.array(c.ContourData, float).reshape(-1, 3)) for c in drawn)
        if contours:
            name = names[item.ReferencedROINumber]
            rois[name] = Roi(number=item.ReferencedROINumber, name=name, frame_uid="", contours=contours)
    return rois


def grid_of(image: sitk.Image) -> Grid:
    return Grid(
        size=image.GetSize(),
        spacing_mm=image.GetSpacing(),
        origin_mm=np.array(image.GetOrigin()),
        direction=np.array(image.GetDirection()).reshape(3, 3),
    )


def grid_around(rois: dict[str, Roi]) -> Grid:
    """Half-millimetre-shifted 0.977 mm pixels and 3 mm slices on the planes of the contours."""
    points_mm = np.concatenate([contour.points_mm for roi in rois.values() for contour in roi.contours])
    spacing_mm, low = np.array([0.977, 0.977, 3.0]), points_mm.min(axis=0) - [4.5, 4.5, 0]
    size = np.ceil((points_mm.max(axis=0) - low) / spacing_mm + [4, 4, 0] - 1e-3).astype(int) + 1
    return Grid(size=tuple(size.tolist()), spacing_mm=tuple(spacing_mm.tolist()), origin_mm=low, direction=np.eye(3))


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


def test_the_ibsi_phantom_is_the_mask_that_the_ibsi_published_voxel_for_voxel():
    folder = SHARED_DATA / "ibsi1_lung_phantom"
    (roi,) = read_rois(folder / "dicom" / "mask" / "DCM_RS_00060.dcm").values()
    published = sitk.ReadImage(folder / "nifti" / "mask" / "mask.nii.gz")
    result = rasterise(roi, grid_of(published))
    published_ZYX = sitk.GetArrayViewFromImage(published) > 0
    assert published_ZYX.sum() == 125_256
    assert dice(result.mask_ZYX, published_ZYX) == 1.0
    assert result.notes == ()


@pytest.fixture(scope="module")
def xio_rois() -> dict[str, Roi]:
    return read_rois(SHARED_DATA / "lung1_002_xio" / "RTSTRUCT.dcm")


def test_contours_that_xio_stored_up_to_25_times_fill_their_lung_once(xio_rois):
    grid, lung = grid_around(xio_rois), xio_rois["Lung L"]
    result = rasterise(lung, grid)
    assert result.notes == ("contours left out as copies of another: 62, on slices: 10",)
    first_of_each = {}
    for contour in lung.contours:
        first_of_each.setdefault(float(contour.points_mm[0, 2]), []).append(contour)
    area_mm2 = sum(max(_area_mm2(contour) for contour in contours) for contours in first_of_each.values())
    assert result.polygon_cm3 == pytest.approx(area_mm2 * 3 / 1000, rel=0.01)
    assert result.mask_cm3 == pytest.approx(result.polygon_cm3, rel=0.005)


def test_the_limit_for_copies_parts_those_of_xio_from_everything_else_by_far(xio_rois):
    distances = [
        _largest_distance(first, second)
        for name in ("Lung L", "contrast")
        for first, second in _pairs_of_one_plane(xio_rois[name])
        if np.ptp(first, axis=0).max() > 5 and np.ptp(second, axis=0).max() > 5
    ]
    copies, others = [d for d in distances if d <= COPY_MM], [d for d in distances if d > COPY_MM]
    assert len(copies) == 62
    assert max(copies) < 0.075
    assert min(others) > 10


def test_volumes_of_large_organs_are_those_of_their_polygons(xio_rois):
    grid = grid_around(xio_rois)
    for name in ("Heart", "Spinal cord", "Esophagus", "GTV-1", "contrast"):
        result = rasterise(xio_rois[name], grid)
        assert result.notes == (), name
        assert result.mask_cm3 == pytest.approx(result.polygon_cm3, rel=0.005), name


def test_gaps_of_one_and_of_18_slices_are_left_and_noted():
    rois = read_rois(SHARED_DATA / "rtstruct_only" / "LUNG1-003_cms_xio.dcm")
    grid = grid_around(rois)
    noted = {name: result.notes for name, roi in rois.items() if (result := rasterise(roi, grid)).notes}
    gap = "slices without contours between its first and its last: {}, left empty"
    assert noted == {"CTV-2": (gap.format(18),), "Heart": (gap.format(1),)}


@pytest.fixture(scope="module")
def eclipse() -> tuple[dict[str, Roi], Grid]:
    rois = read_rois(SHARED_DATA / "rtstruct_only" / "dicompyler_eclipse_breast.dcm")
    return rois, grid_around(rois)


@pytest.mark.parametrize(("name", "holes"), [("Lt Lung", 77), ("BODY", 2)])
def test_eclipse_holes_that_wind_the_other_way_are_holes(eclipse, name, holes):
    rois, grid = eclipse
    result = rasterise(rois[name], grid)
    assert result.notes == ()
    wound = [_area_mm2(contour, signed=True) for contour in rois[name].contours]
    main_way = np.sign(max(wound, key=abs))
    assert sum(np.sign(area) != main_way for area in wound) == holes
    # Their winding, which rasterising does not look at, says what is to be subtracted.
    assert result.polygon_cm3 == pytest.approx(abs(sum(wound)) * 3 / 1000, rel=1e-4)
    assert result.mask_cm3 == pytest.approx(result.polygon_cm3, rel=0.002)


@pytest.fixture(scope="module")
def head_neck() -> sitk.Image:
    return sitk.ReadImage(SHARED_DATA / "hn_interobserver_labels" / "TCGA-CV-7243_oncologist.nii.gz")


def test_labels_of_an_oncologist_come_back_from_their_contours(head_neck):
    labels_ZYX, whole = sitk.GetArrayFromImage(head_neck).astype(np.uint8), grid_of(head_neck)
    volumes = []
    for label, place in enumerate(find_objects(labels_ZYX), start=1):
        if place is None:
            continue
        mask_ZYX = labels_ZYX[place] == label
        origin_mm = whole.origin_mm + whole.direction @ ([at.start for at in place[::-1]] * np.array(whole.spacing_mm))
        grid = replace(whole, size=mask_ZYX.shape[::-1], origin_mm=origin_mm)
        contours = tuple(_outlined(mask_ZYX, grid))
        result = rasterise(Roi(number=label, name="", frame_uid="", contours=contours), grid)
        volumes.append(result.mask_cm3)
        assert dice(result.mask_ZYX, mask_ZYX) >= (0.98 if result.polygon_cm3 > 5 else 0.95), label
        # Outlines run half-way between pixel centres, so nothing at all is lost.
        assert (result.mask_ZYX == mask_ZYX).all(), label
    assert len(volumes) >= 18 and min(volumes) < 1 and max(volumes) > 1000


def _outlined(mask_ZYX: np.ndarray, grid: Grid) -> Iterator[Contour]:
    """Marching squares on every slice, written with two decimals as planning systems do."""
    for z, mask_YX in enumerate(mask_ZYX):
        for line in contour_generator(z=np.pad(mask_YX, 1).astype(float)).lines(0.5):
            index = np.column_stack([line[:-1] - 1, np.full(len(line) - 1, z)])
            points_mm = grid.origin_mm + (index * grid.spacing_mm) @ grid.direction.T
            yield Contour(points_mm=points_mm.round(2))


def _area_mm2(contour: Contour, signed: bool = False) -> float:
    x, y = (contour.points_mm[:, :2] - contour.points_mm[0, :2]).T
    area_mm2 = float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    return area_mm2 if signed else abs(area_mm2)


def _pairs_of_one_plane(roi: Roi) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every contour with the first one of its plane that it lies nearest to."""
    planes: dict[float, list[np.ndarray]] = {}
    for contour in roi.contours:
        earlier = planes.setdefault(float(contour.points_mm[0, 2]), [])
        points = contour.points_mm[:, :2]
        if earlier:
            yield min(((other, points) for other in earlier), key=lambda pair: not is_copy(*pair))
        earlier.append(points)


def _largest_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Largest distance of a point of either outline from the other outline, segment by segment, in mm."""
    return max(_from_outline(first, second), _from_outline(second, first))


def _from_outline(points: np.ndarray, outline: np.ndarray) -> float:
    steps = np.roll(outline, -1, axis=0) - outline
    offsets = points[:, None] - outline[None]
    share = np.clip((offsets * steps).sum(axis=2) / np.maximum((steps**2).sum(axis=1), 1e-12), 0, 1)
    return float(np.linalg.norm(offsets - share[..., None] * steps, axis=2).min(axis=1).max())
