"""All formats that were asked for, each verified, in one folder; or no folder."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from torch import nn

from src.errors import ExportError
from src.model.inference import Predictor
from src.model.saved_model import SavedModel
from src.predict.export.licence import write_licence
from src.predict.export.model_facts import ExportedModel, model_facts
from src.predict.export.monai_bundle import run_bundle, write_bundle
from src.predict.export.torchscript import TORCHSCRIPT_FILE, read_torchscript, write_torchscript
from src.predict.export.verification import FEW_VOXELS, LARGEST_SHARE, Agreement, check_drawn, draw, read_masks, verify
from src.predict.openvino_model import convert, read_optimised, write_optimised
from src.predict.whole_folder import whole_folder

TORCHSCRIPT, OPENVINO, BUNDLE = FORMATS = ("torchscript", "openvino", "monai_bundle")
FACTS_FILE, REPORT_FILE = "model.json", "export.json"
REPORT_VERSION = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Export:
    """One saved model, to be written and verified.

    Attributes:
        saved: the model.
        model: what is told of it.
        ct_path: NIfTI that every format is verified on; its name says nothing of a patient.
        ct: the same, read.
    """

    saved: SavedModel
    model: ExportedModel
    ct_path: Path
    ct: sitk.Image

    def write(self, output: Path, formats: Sequence[str], done: Callable[[str, Mapping[str, Agreement]], None]) -> None:
        """Writes and verifies.

        Args:
            output: folder, not there yet; whole afterwards, or still not there.
            formats: of ``FORMATS``.
            done: called with each format and how it agrees with the saved model.

        Raises:
            ExportError: something is at ``output``, or a format does not draw what the saved model draws.
            LibraryMissing: OpenVINO is asked for and not installed.
            DiskError: the disk is full or refuses.
        """
        if output.exists():
            raise ExportError(f"expected '{output.name}' not to be there yet, found it; choose another folder, or delete it")
        network = deepcopy(self.saved.predictor.network).to("cpu").eval()
        expected = self._drawn_by(self._predictor(network))
        check_drawn(expected)
        writers = {TORCHSCRIPT: self._torchscript, OPENVINO: self._openvino, BUNDLE: self._bundle}
        with whole_folder(output) as partial:
            agreements = {}
            for name in formats:
                found = writers[name](partial / name, network)
                agreements[name] = verify(name, expected, found, every_voxel=name != OPENVINO)
                done(name, agreements[name])
            _write_json(partial / REPORT_FILE, self._report(agreements))

    def _torchscript(self, folder: Path, network: nn.Module) -> dict[str, np.ndarray]:
        folder.mkdir()
        write_torchscript(folder / TORCHSCRIPT_FILE, network, self.model.card.patch_voxels)
        self._tell(folder)
        return self._drawn_by(self._predictor(read_torchscript(folder / TORCHSCRIPT_FILE)))

    def _openvino(self, folder: Path, network: nn.Module) -> dict[str, np.ndarray]:
        converted = convert(network, self.model.card.patch_voxels)
        write_optimised(
            folder, converted, self.model.card, source={"saved_model_sha256": self.model.sha256, "precision": "float32"}
        )
        self._tell(folder)
        return self._drawn_by(read_optimised(folder, overlap=self.model.overlap, precision="float32").engine)

    def _bundle(self, folder: Path, network: nn.Module) -> dict[str, np.ndarray]:
        write_bundle(folder, network, self.model)
        with tempfile.TemporaryDirectory() as masks:
            run_bundle(folder, self.ct_path, Path(masks))
            return read_masks(Path(masks), self.model.structures)

    def _tell(self, folder: Path) -> None:
        _write_json(folder / FACTS_FILE, model_facts(self.model))
        write_licence(folder)

    def _predictor(self, network: nn.Module) -> Predictor:
        """As the saved model is applied, in float32 on the CPU: what the formats have in common."""
        return Predictor(
            network,
            patch_voxels=self.model.card.patch_voxels,
            window_hu=self.model.card.preprocessing["window_hu"],
            overlap=self.model.overlap,
            precision=torch.float32,
            device=torch.device("cpu"),
        )

    def _drawn_by(self, engine) -> dict[str, np.ndarray]:
        return draw(engine, self.ct, self.saved.preprocessing, self.model.structures)

    def _report(self, agreements: Mapping[str, Mapping[str, Agreement]]) -> dict:
        return {
            "report_version": REPORT_VERSION,
            "saved_model_sha256": self.model.sha256,
            "verified_on": {"size": list(self.ct.GetSize()), "spacing_mm": list(self.ct.GetSpacing())},
            "may_differ": {
                OPENVINO: f"up to {LARGEST_SHARE:.1%} of a structure's voxels, and {FEW_VOXELS}",
                "others": "nowhere",
            },
            "agreement": {
                name: {structure: agreement.to_json() for structure, agreement in compared.items()}
                for name, compared in agreements.items()
            },
        }


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
