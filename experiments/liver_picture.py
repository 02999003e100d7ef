"""``python -m experiments.liver_picture``: a liver model trained on phantoms, shown on real abdominal CTs.

A sanity picture, no claim: phantoms have the place, size and grey value of organs and little else, so what is looked for is
only whether anything like a liver is found where one is. Two real CTs of ``../shared/data`` have a liver contour in all planes:
CHAOS with a drawn one, TotalSegmentator's example with that of another network. ``dicom_seg_liver`` has three slices.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from experiments.command import exit_code_of
from experiments.federation.template import REPOSITORY
from experiments.report.three_planes import Outline, draw_planes
from experiments.report.worst_case_pictures import DRAWN_COLOUR, PREDICTED_COLOUR
from experiments.scoring.patient_scan import PatientScan
from experiments.scoring.scored_model import load_scored_model, scored_masks
from experiments.whole_text import write_whole
from src.data.case_image import to_mask
from src.data.dataset_writer import DatasetWriter
from src.data.nifti_file import read_volume
from src.dicom.ct_pixels import read_ct
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.errors import DatasetError, ModelCardError
from src.exchange import whole_file
from src.model.saved_model import SavedModel

DATA = REPOSITORY.parent / "shared" / "data"
LIVER = "Liver"
SETTINGS = {"overlap": 0.25, "precision": "auto"}  # as in the liver plans
NO_CLAIM = "Trained on phantoms alone and never on a patient: a sanity picture, no claim about patients follows from it."
_TOTALSEGMENTATOR_LIVER = 5  # of its class map "total"


@dataclass(frozen=True, kw_only=True)
class RealLiver:
    """A real CT with a liver contour.

    Attributes:
        name: of the picture.
        folder: in the data folder.
        contour: whose it is, for the legend.
        source: for the caption.
        read: from that folder, the CT and its mask on the same grid.
    """

    name: str
    folder: str
    contour: str
    source: str
    read: Callable[[Path], tuple[sitk.Image, sitk.Image]]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What was drawn: the file, its caption, and the Dice of the two contours in it."""

    path: Path
    caption: str
    dice: float


def read_chaos(folder: Path) -> tuple[sitk.Image, sitk.Image]:
    """The CT and the drawn liver; slices of the contour lie from the head down."""
    ct = read_ct(stack_slices(scan_export(folder / "DICOM_anon").patients[0].series[0]))
    slices = [sitk.GetArrayFromImage(sitk.ReadImage(str(path))) for path in sorted((folder / "Ground").glob("*.png"))]
    return ct, to_mask(np.stack(slices)[::-1] > 0, ct)


def read_totalsegmentator(folder: Path) -> tuple[sitk.Image, sitk.Image]:
    """The CT and the liver of TotalSegmentator's own prediction."""
    ct = read_volume("totalsegmentator", folder / "example_ct.nii.gz", "CT")
    label = read_volume("totalsegmentator", folder / "example_ct_label62.nii.gz", "label map")
    return ct, sitk.Cast(label == _TOTALSEGMENTATOR_LIVER, sitk.sitkUInt8)


LIVERS = (
    RealLiver(
        name="chaos",
        folder="chaos_liver",
        contour="drawn",
        source="CHAOS challenge (zenodo 3362844, CC BY-SA 4.0), contrast CT of a living donor, the challenge's contour",
        read=read_chaos,
    ),
    RealLiver(
        name="totalsegmentator",
        folder="totalsegmentator_example",
        contour="TotalSegmentator's prediction",
        source="TotalSegmentator's example CT (Apache-2.0) at 3 mm, its own prediction and no drawn contour",
        read=read_totalsegmentator,
    ),
)


def picture_livers(model: Path, output: Path, data: Path = DATA, livers: Sequence[RealLiver] = LIVERS) -> list[Picture]:
    """A picture of three planes for each real CT that is there, and ``captions.md``.

    Args:
        model: a saved model of the liver anatomy.
        output: made if need be; files of the same name are replaced.
        data: folder of the real files.
        livers: what to look for in it.

    Raises:
        DatasetError: none of the real CTs is there.
        ModelCardError: the model cannot be read, is of another anatomy, or never learned the liver.
    """
    saved = load_scored_model(model, "liver", SETTINGS)
    if LIVER not in saved.card.trained_structures:
        raise ModelCardError(f"expected a model that was trained for {LIVER}, '{model.name}' was not; give another")
    there = [liver for liver in livers if (data / liver.folder).is_dir()]
    if not there:
        folders = ", ".join(liver.folder for liver in livers)
        raise DatasetError(f"expected real CTs ({folders}) in '{data.name}', found none; give their folder with --data")
    output.mkdir(parents=True, exist_ok=True)
    pictures = [_picture(saved, liver, data, output) for liver in there]
    write_whole(
        output / "captions.md", "".join(f"![{one.path.stem}]({one.path.name})\n\n{one.caption}\n\n" for one in pictures)
    )
    return pictures


def _picture(saved: SavedModel, liver: RealLiver, data: Path, output: Path) -> Picture:
    ct, mask = liver.read(data / liver.folder)
    with tempfile.TemporaryDirectory() as folder:
        # A dataset of one case, so that the model meets the CT as scoring would hand it over.
        writer = DatasetWriter(Path(folder) / "real", anatomy="liver", site="real")
        writer.add_case(liver.name, ct, {LIVER: mask})
        scan = PatientScan(writer.dataset, liver.name)
        ((_, predicted_XYZ),) = scored_masks(saved, scan)
        dice, drawn_XYZ = scan.truth((LIVER,)).dice(0, predicted_XYZ), scan.truth_mask((LIVER,), 0)
        image = writer.dataset.read_ct(liver.name)
    outlines = [
        Outline(liver.contour, DRAWN_COLOUR, "-", drawn_XYZ),
        Outline("predicted" if predicted_XYZ.any() else "nothing predicted", PREDICTED_COLOUR, "-", predicted_XYZ),
    ]
    png = draw_planes(image, outlines, title=f"{LIVER}, {liver.name}: a model of phantoms on a real CT, no claim")
    path = output / f"{liver.name}.png"
    whole_file.write_whole(path, [png])
    return Picture(path=path, caption=_caption(saved, liver, _volumes(drawn_XYZ, predicted_XYZ, image), dice), dice=dice)


def _volumes(drawn_XYZ: np.ndarray, predicted_XYZ: np.ndarray, image: sitk.Image) -> Mapping[str, float]:
    voxel_cm3 = float(np.prod(image.GetSpacing())) / 1000
    return {"drawn": drawn_XYZ.sum() * voxel_cm3, "predicted": predicted_XYZ.sum() * voxel_cm3}


def _caption(saved: SavedModel, liver: RealLiver, cm3: Mapping[str, float], dice: float) -> str:
    whose = saved.card.site or "all sites"
    return (
        f"{NO_CLAIM} The planes go through the deepest disagreement of the two contours. {liver.source}. Contour "
        f"{cm3['drawn']:.0f} cm³, predicted {cm3['predicted']:.0f} cm³, Dice {dice:.2f}; model of {whose} "
        f"after {saved.card.round} rounds, SHA-256 {saved.sha256[:12]}."
    )


def main() -> None:
    """Draws, and says where."""
    parser = argparse.ArgumentParser(prog="python -m experiments.liver_picture", description=__doc__)
    parser.add_argument("--model", required=True, type=Path, help="a saved .safetensors of a liver plan")
    parser.add_argument("--output", required=True, type=Path, help="folder for the pictures and captions.md")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real files (default: ../shared/data)")
    given = parser.parse_args()
    for picture in picture_livers(given.model, given.output, given.data):
        print(f"{picture.path}: {picture.caption}")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
