"""The picture is what a radiologist expects: left on the right, head above, square millimetres; always the same bytes."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from data_prep.conversion.layout import lay_out
from data_prep.conversion.picture import draw_case, legend_note, tilt_degrees, visible
from data_prep.conversion.planes import AXIAL, CORONAL, SAGITTAL, choose_box, choose_planes, place_of
from src.data.structures import load_structures
from src.errors import StructureError

SIZE_ZYX = (10, 20, 24)


def image_of(array_ZYX, spacing=(2.0, 2.0, 3.0), direction=(1, 0, 0, 0, 1, 0, 0, 0, 1)) -> sitk.Image:
    image = sitk.GetImageFromArray(array_ZYX)
    image.SetSpacing(spacing)
    image.SetDirection(np.ravel(direction).tolist())
    image.SetOrigin((-20.0, -30.0, 100.0))
    return image


def ct_of(size_ZYX=SIZE_ZYX, **grid) -> sitk.Image:
    hu = np.full(size_ZYX, -1000, np.int16)
    hu[:, 2:-2, 2:-2] = np.random.default_rng(0).integers(0, 60, size_ZYX, dtype=np.int16)[:, 2:-2, 2:-2]
    return image_of(hu, **grid)


def ball(centre_xyz, radius_mm=6.0, size_ZYX=SIZE_ZYX, spacing=(2.0, 2.0, 3.0), **grid) -> sitk.Image:
    z, y, x = np.ogrid[tuple(slice(size) for size in size_ZYX)]
    parts = [((axis - at) * step) ** 2 for axis, at, step in zip((x, y, z), centre_xyz, spacing, strict=True)]
    return image_of((sum(parts) < radius_mm**2).astype(np.uint8), spacing=spacing, **grid)


def empty() -> sitk.Image:
    return image_of(np.zeros(SIZE_ZYX, np.uint8))


def patient() -> tuple[sitk.Image, dict[str, sitk.Image]]:
    """Left parotid at high x, to the front and to the head; right parotid at low x, behind and below."""
    return ct_of(), {"Parotid_R": ball((6, 14, 3)), "Parotid_L": ball((18, 6, 7)), "Larynx": empty()}


def pixels_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)).convert("RGB")).astype(int)


def panels_of(ct, masks) -> dict[int, np.ndarray]:
    """AXIAL, CORONAL, SAGITTAL -> that part of the picture."""
    places = {name: place for name, mask in masks.items() if (place := place_of(mask))}
    box = choose_box(ct, places)
    layout = lay_out(box, choose_planes(ct, places, box), len(masks))
    pixels = pixels_of(draw_case(ct, masks))
    assert pixels.shape[:2] == layout.size[::-1]
    panels = {}
    for normal, (x, y) in layout.corners.items():
        frame = layout.frames[normal]
        panels[normal] = pixels[y : y + frame.rows, x : x + frame.columns]
    return panels


def where(panel: np.ndarray, structure: str) -> np.ndarray:
    """(2,) mean row and column of a structure's colour, as shares of the panel; empty when it is not there."""
    colour = visible(load_structures()[structure].colour_rgb)
    near = np.argwhere(np.abs(panel - colour).sum(axis=2) < 60)
    return near.mean(axis=0) / panel.shape[:2] if len(near) else np.array([])


def test_left_of_the_patient_is_on_the_right_and_head_is_above():
    ct, masks = patient()
    panels = panels_of(ct, {"Parotid_L": masks["Parotid_L"]})
    row, column = where(panels[AXIAL], "Parotid_L")
    assert column > 0.6 and row < 0.45, "axial: left on the right, front above"
    row, column = where(panels[CORONAL], "Parotid_L")
    assert column > 0.6 and row < 0.45, "coronal: left on the right, head above"
    row, column = where(panels[SAGITTAL], "Parotid_L")
    assert column < 0.45 and row < 0.45, "sagittal: front on the left, head above"


def test_right_parotid_is_on_the_left():
    ct, masks = patient()
    panels = panels_of(ct, {"Parotid_R": masks["Parotid_R"]})
    assert where(panels[AXIAL], "Parotid_R")[1] < 0.4
    assert where(panels[AXIAL], "Parotid_R")[0] > 0.55
    assert where(panels[CORONAL], "Parotid_R")[0] > 0.55


@pytest.mark.parametrize("orientation", ["RAI", "LAS", "PIR", "SAL", "IPL"])
def test_the_order_of_the_voxels_does_not_matter(orientation):
    ct, masks = patient()
    turned = {name: sitk.DICOMOrient(mask, orientation) for name, mask in masks.items()}
    before, after = pixels_of(draw_case(ct, masks)), pixels_of(draw_case(sitk.DICOMOrient(ct, orientation), turned))
    assert before.shape == after.shape
    assert (np.abs(before - after).max(axis=2) > 12).mean() < 0.002


def test_millimetres_are_square():
    spacing, size_ZYX = (1.0, 2.0, 5.0), (24, 60, 120)
    panels = panels_of(
        ct_of(size_ZYX, spacing=spacing), {"Heart": ball((60, 30, 12), 40.0, size_ZYX=size_ZYX, spacing=spacing)}
    )
    colour = visible(load_structures()["Heart"].colour_rgb)
    for panel in panels.values():
        rows, columns = np.nonzero(np.abs(panel - colour).sum(axis=2) < 60)
        assert np.ptp(rows) == pytest.approx(np.ptp(columns), rel=0.07)
    assert panels[AXIAL].shape[1] == panels[CORONAL].shape[1]
    assert panels[CORONAL].shape[0] == panels[SAGITTAL].shape[0]


def test_same_input_same_bytes_also_in_threads():
    ct, masks = patient()
    backwards = dict(reversed(masks.items()))
    with ThreadPoolExecutor(4) as threads:
        pictures = set(threads.map(lambda order: draw_case(ct, order), [masks, backwards] * 3))
    assert len(pictures) == 1


def test_nothing_but_the_picture_is_in_the_file():
    png = draw_case(*patient())
    kinds, at = [], 8
    while at < len(png):
        kinds.append(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    assert set(kinds) == {b"IHDR", b"PLTE", b"IDAT", b"IEND"}


def test_without_masks_the_ct_is_drawn():
    panels = panels_of(ct_of(), {})
    assert all(panel.std() > 10 and panel.max() > 90 for panel in panels.values())
    assert all((np.ptp(panel, axis=2) == 0).all() for panel in panels.values()), "grey alone"


def test_empty_mask_is_in_the_legend_and_nowhere_else():
    ct, masks = patient()
    assert not any(len(where(panel, "Larynx")) for panel in panels_of(ct, masks).values())
    assert len(where(pixels_of(draw_case(ct, masks)), "Larynx"))
    assert legend_note(empty=True, drawn=False) == " (empty)"
    assert legend_note(empty=False, drawn=False) == " (in other slices)"
    assert legend_note(empty=False, drawn=True) == ""


def test_structures_of_the_picture_stand_out():
    for structure in load_structures():
        colour = np.array(visible(structure.colour_rgb))
        assert colour.max() <= 255 and colour @ (0.299, 0.587, 0.114) > 108, structure.name


def test_oblique_grid_is_cut_along_the_patient():
    turn = sitk.Euler3DTransform()
    turn.SetRotation(0.0, 0.0, np.radians(20))
    grid = {"direction": np.array(turn.GetMatrix()).reshape(3, 3)}
    ct = ct_of(**grid)
    assert tilt_degrees(ct) == pytest.approx(20)
    assert tilt_degrees(ct_of()) == 0
    panels = panels_of(ct, {"Parotid_L": ball((18, 10, 5), **grid), "Parotid_R": ball((6, 10, 5), **grid)})
    right, left = where(panels[AXIAL], "Parotid_R"), where(panels[AXIAL], "Parotid_L")
    assert left[1] > right[1] and left[0] > right[0] + 0.1, "turned clockwise: the left side lies further back"


@pytest.mark.parametrize("size_ZYX", [(1, 20, 24), (1, 1, 1), (200, 5, 5), (5, 300, 6)])
def test_any_shape_can_be_drawn(size_ZYX):
    hu = np.zeros(size_ZYX, np.int16)
    full = image_of(np.ones(size_ZYX, np.uint8))
    assert max(pixels_of(draw_case(image_of(hu), {"Heart": full})).shape) < 1200


@pytest.mark.parametrize("spacing", [(1e-6, 1e-6, 1e-6), (1e5, 1e5, 1e5), (1.0, 1.0, 1e4)])
def test_any_spacing_can_be_drawn(spacing):
    assert max(pixels_of(draw_case(ct_of(spacing=spacing), {"Heart": ball((12, 10, 5), spacing=spacing)})).shape) < 1200


def test_values_that_are_no_number_are_drawn_as_air():
    hu = np.full(SIZE_ZYX, np.nan, np.float32)
    assert not panels_of(image_of(hu), {})[AXIAL].any()


def test_a_noisy_ct_with_many_masks_stays_small():
    size_ZYX = (20, 256, 256)
    hu = np.random.default_rng(1).normal(40, 40, size_ZYX).astype(np.int16)
    centres = np.random.default_rng(2).uniform((40, 40, 3), (216, 216, 17), (40, 3))
    masks = {
        structure.name: ball(centre, 15.0, size_ZYX=size_ZYX)
        for structure, centre in zip(load_structures(), centres, strict=False)
    }
    png = draw_case(image_of(hu), masks)
    assert len(png) < 300_000
    assert max(pixels_of(png).shape) < 1200


def test_a_name_that_is_no_structure_is_refused():
    with pytest.raises(StructureError, match="Nose"):
        draw_case(ct_of(), {"Nose": ball((12, 10, 5))})
