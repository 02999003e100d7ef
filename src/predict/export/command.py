"""``python -m src.predict export``: a saved model for other programs, as TorchScript, OpenVINO and a MONAI bundle.

Each is verified before the command ends well: on a CT it draws what the saved model draws. Otherwise nothing is left.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import SimpleITK as sitk

from src.data.case_image import as_int16
from src.data.nifti_file import read_volume
from src.errors import ModelCardError, PlanSettingError
from src.model.saved_model import load_saved_model
from src.predict.export.every_format import FORMATS, Export
from src.predict.export.made_up_ct import made_up_ct
from src.predict.export.model_facts import DATA_LICENCE_UNKNOWN, ExportedModel
from src.predict.export.verification import Agreement


def main(arguments: Sequence[str] | None = None) -> int:
    """Exports; 0 when every format is there and verified.

    Raises:
        OarError: nothing was exported.
    """
    given = _parser().parse_args(arguments)
    formats = _formats(given.format)
    if not 0 <= given.overlap < 1:
        raise PlanSettingError(f"expected --overlap from 0 to below 1, found {given.overlap:g}")
    saved = load_saved_model(given.model, overlap=given.overlap, precision="float32")
    licence = given.data_licence or DATA_LICENCE_UNKNOWN
    model = ExportedModel(card=saved.card, sha256=saved.sha256, overlap=given.overlap, data_licence=licence)
    if not model.structures:
        raise ModelCardError(f"expected structures that were trained in '{given.model.name}', found none; train it first")
    # The name of somebody's CT may be a patient's, and the bundle's own messages would quote it.
    with tempfile.TemporaryDirectory() as folder:
        ct_path = Path(folder) / "ct.nii.gz"
        sitk.WriteImage(_verification_ct(given.verify_on, model), str(ct_path))
        Export(saved=saved, model=model, ct_path=ct_path, ct=sitk.ReadImage(str(ct_path))).write(given.output, formats, _print)
    print(f"exported to '{given.output.name}'; not a medical device")
    if not given.data_licence:
        print("the licence of the data it was trained on is not told in it: find it out, and give --data-licence")
    return 0


def _verification_ct(path: Path | None, model: ExportedModel) -> sitk.Image:
    if path is None:
        print("verifying on a made-up CT; --verify-on takes one of yours", flush=True)
        return made_up_ct(model.card.preprocessing["spacing_mm"], model.card.patch_voxels)
    return as_int16("--verify-on", read_volume("--verify-on", path, "CT"))


def _print(name: str, compared: Mapping[str, Agreement]) -> None:
    voxels, differing = (sum(getattr(one, what) for one in compared.values()) for what in ("voxels", "differing_voxels"))
    dice = min(one.dice for one in compared.values())
    print(f"{name}: {differing} of {voxels} voxels differ from the saved model's, lowest Dice {dice:.5f}", flush=True)


def _formats(wanted: str) -> list[str]:
    formats = list(dict.fromkeys(part.strip() for part in wanted.split(",")))
    if unknown := [name for name in formats if name not in FORMATS]:
        raise PlanSettingError(f"expected --format of {', '.join(FORMATS)}, with commas, found '{unknown[0]}'")
    return formats


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m src.predict export", description=__doc__, allow_abbrev=False)
    parser.add_argument("--model", type=Path, required=True, help="a .safetensors file that training saved")
    parser.add_argument("--output", type=Path, required=True, help="folder, not there yet; a folder per format is made in it")
    parser.add_argument("--format", default=",".join(FORMATS), help="with commas (default: %(default)s)")
    parser.add_argument("--verify-on", type=Path, metavar="CT", help="NIfTI CT to verify on (default: a made-up one)")
    parser.add_argument(
        "--overlap", type=float, default=0.25, help="share of a window its neighbour repeats (default %(default)s)"
    )
    parser.add_argument("--data-licence", metavar="TEXT", help="licence of the CTs and contours it was trained on")
    return parser
