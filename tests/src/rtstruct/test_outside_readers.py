"""Other people's code reads the file: exactly where it asks for pixel centres, to a pixel's edge where it rounds points."""

from importlib.util import find_spec

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion

from experiments import plastimatch
from experiments.rtstruct_accuracy import READERS
from src.rtstruct.structure_field import StructureField
from src.rtstruct.write import write_rtstruct
from tests.small_export import SmallPatient
from tests.src.rtstruct.drawing import ORIGIN, ball, ct_of

SIZE = (40, 40, 8)  # square: rt-utils mixes up rows and columns of others


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The RTSTRUCT, the folder of its CT, the stack and the fields: a ball, and a box with a hole and an island in it."""
    folder = tmp_path_factory.mktemp("outside")
    stack = ct_of(folder / "CT", SmallPatient(size=SIZE, spacing_mm=(0.9, 0.9, 3.0), origin_mm=(-18.1, -16.3, 40.0)))
    box = np.zeros(SIZE, bool)
    box[4:36, 5:30, 2:6] = True
    box[12:26, 10:24, 3:5] = False
    box[17:20, 15:18, 3:5] = True
    fields = [StructureField.of_values("Brain", ball(SIZE, (19.3, 17.8, 4), 3.6)), StructureField.of_mask("Liver", box)]
    write_rtstruct(folder / "RS" / "RS.dcm", stack, fields, origin=ORIGIN)
    return folder / "RS" / "RS.dcm", folder / "CT", stack, fields


@pytest.mark.skipif(not plastimatch.PROGRAM.exists(), reason="no wheel of plastimatch for this machine")
def test_plastimatch_reads_every_voxel_as_it_was(written):
    path, ct, stack, fields = written
    masks = READERS["plastimatch"][1](path, ct, stack)
    for field in fields:
        assert (masks[field.name] == field.whole_mask_XYZ).all(), field.name


@pytest.mark.parametrize("name", ["rt-utils", "pydicomrt"])
def test_readers_that_round_points_to_pixels_are_off_by_one_pixel_at_most(written, name):
    path, ct, stack, fields = written
    module, reader = READERS[name]
    if find_spec(module) is None:
        pytest.skip(f"{name} is not installed")
    masks = reader(path, ct, stack)
    assert list(masks) == [field.name for field in fields]
    around = np.ones((3, 3, 1), bool)
    for field in fields:
        found, mask = masks[field.name], field.whole_mask_XYZ
        assert not (found & ~binary_dilation(mask, around)).any()
        assert not (binary_erosion(mask, around) & ~found).any()
        assert not found[..., ~mask.any(axis=(0, 1))].any()
