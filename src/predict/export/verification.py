"""Whether an export draws what the saved model draws, structure by structure, on one CT."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from src.data.preprocessing import GridGeometry, Preprocessing, array_XYZ, to_working_grid
from src.errors import ExportError
from src.predict.engine import Engine
from src.predict.native_field import native_field

# Another library adds numbers in another order; where a logit is 0 to six digits a voxel may change sides.
LARGEST_SHARE, FEW_VOXELS = 0.001, 3


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Two masks of one structure.

    Attributes:
        voxels: of the saved model's.
        differing_voxels: of which one alone has them.
        dice: of the two; 1 where both are empty.
    """

    voxels: int
    differing_voxels: int
    dice: float

    @classmethod
    def of(cls, expected: np.ndarray, found: np.ndarray) -> "Agreement":
        """Compares two bool masks of one shape."""
        total = int(np.count_nonzero(expected)) + int(np.count_nonzero(found))
        differing = int(np.count_nonzero(expected != found))
        return cls(
            voxels=int(np.count_nonzero(expected)),
            differing_voxels=differing,
            dice=1 - differing / total if total else 1.0,
        )

    def to_json(self) -> dict:
        """In plain JSON types."""
        return asdict(self)


def draw(engine: Engine, ct: sitk.Image, preprocessing: Preprocessing, structures: Mapping[int, str]) -> dict[str, np.ndarray]:
    """Masks as ``python -m src.predict`` draws them: TG-263 name -> bool (X, Y, Z) on the CT's own grid."""
    working = to_working_grid(ct, preprocessing)
    grid, native = GridGeometry.of(working), GridGeometry.of(ct)
    logits_CXYZ = engine.logits(array_XYZ(working))
    return {name: native_field(name, logits_CXYZ[channel], grid, native).whole_mask_XYZ for channel, name in structures.items()}


def read_masks(folder: Path, structures: Mapping[int, str]) -> dict[str, np.ndarray]:
    """Masks that a bundle wrote, as ``draw`` gives them.

    Raises:
        ExportError: one is missing.
    """
    if missing := [name for name in structures.values() if not (folder / f"{name}.nii.gz").is_file()]:
        raise ExportError(f"expected a mask of {missing[0]} from the exported model, found none; please report it")
    return {name: array_XYZ(sitk.ReadImage(str(folder / f"{name}.nii.gz"))) > 0 for name in structures.values()}


def check_drawn(expected: Mapping[str, np.ndarray]) -> None:
    """Refuses a CT on which nothing is drawn: on it, every export agrees.

    Raises:
        ExportError: all masks are empty.
    """
    if not any(mask.any() for mask in expected.values()):
        raise ExportError(
            "expected structures on the CT that the export is verified on, found none at all; give --verify-on a CT that shows "
            "them"
        )


def verify(
    what: str, expected: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray], *, every_voxel: bool
) -> dict[str, Agreement]:
    """Compares masks.

    Args:
        what: the format, for the message.
        expected: of the saved model.
        found: of the exported one; the same names and shapes.
        every_voxel: whether all must be the same, or up to 0.1 % of a structure and three voxels of it may differ.

    Raises:
        ExportError: more differ; says where and how many.
    """
    compared = {name: Agreement.of(mask, found[name]) for name, mask in expected.items()}
    for name, agreement in compared.items():
        allowed = 0 if every_voxel else max(FEW_VOXELS, int(LARGEST_SHARE * agreement.voxels))
        if agreement.differing_voxels > allowed:
            raise ExportError(
                f"expected {what} to draw {name} as the saved model does (at most {allowed} voxels otherwise), found "
                f"{agreement.differing_voxels} of {agreement.voxels} that differ; nothing was exported, please report it"
            )
    return compared
