"""``configs/inference.json`` and ``configs/metadata.json`` of a MONAI bundle.

Source: the MONAI bundle specification, https://docs.monai.io/en/stable/mb_specification.html, and its metadata schema of
2024-07-25, which names the fields that must be there.
"""

from importlib.metadata import version

import monai
import numpy as np
import torch

from src.predict.export.model_facts import ExportedModel
from src.predict.export.torchscript import TORCHSCRIPT_FILE

_SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"


def inference_config(model: ExportedModel) -> dict:
    """What ``python -m monai.bundle run`` does: a CT in, a mask per structure out."""
    settings = model.card.preprocessing
    return {
        "imports": ["$import torch", "$from scripts.segment_ct import segment"],
        "bundle_root": ".",
        "ct": "$@bundle_root + '/ct.nii.gz'",
        "output_dir": "$@bundle_root + '/eval'",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "structures": {str(channel): name for channel, name in model.structures.items()},
        "network_def": {
            "_target_": "torch.jit.load",
            "f": f"$@bundle_root + '/models/{TORCHSCRIPT_FILE}'",
            "map_location": "@device",
        },
        "preprocessing": {
            "_target_": "scripts.preprocessing.Preprocessing",
            "spacing_mm": f"${tuple(settings['spacing_mm'])}",
            "window_hu": f"${tuple(settings['window_hu'])}",
            "body_margin_mm": settings["body_margin_mm"],
        },
        "predictor": {
            "_target_": "scripts.inference.Predictor",
            "network": "@network_def",
            "patch_voxels": list(model.card.patch_voxels),
            "window_hu": list(settings["window_hu"]),
            "overlap": model.overlap,
            "precision": "$torch.float32",
            "device": "@device",
        },
        "run": ["$segment(@ct, @output_dir, @predictor, @preprocessing, @structures)"],
    }


def bundle_metadata(model: ExportedModel) -> dict:
    """What the bundle is, for people and for programs that offer bundles."""
    card, names = model.card, list(model.structures.values())
    drawn = ", ".join(names)
    release = card.code_version.split()[-1]
    return {
        "schema": _SCHEMA,
        "version": release,
        "changelog": {release: f"exported from a model of {card.code_version}, round {card.round}"},
        "monai_version": monai.__version__,
        "pytorch_version": torch.__version__.split("+")[0],
        "numpy_version": np.__version__,
        "required_packages_version": {"SimpleITK": version("SimpleITK")},
        "name": f"openfl-oar {card.anatomy}",
        "task": f"Segmentation of organs at risk on planning CT ({card.anatomy})",
        "description": f"Draws {drawn} on a CT. Trained with openfl-oar{f' at {card.site}' if card.site else ''}.",
        "authors": card.site or "openfl-oar",
        "copyright": "Code: Apache-2.0, see LICENSE. Data it was trained on: see docs/data_license.txt",
        "data_source": model.data_licence,
        "data_type": "nifti",
        "image_classes": "one channel, CT in HU",
        "label_classes": f"one mask per structure: {drawn}",
        "pred_classes": f"one mask per structure, which may overlap: {drawn}",
        "eval_metrics": {
            "validation_dice": {name: round(dice, 4) for name, dice in card.validation_dice.items() if dice is not None}
        },
        "intended_use": "Research, and proposals that a person checks. Not a medical device",
        "references": [],
        "network_data_format": {"inputs": {"image": _input_format(model)}, "outputs": {"pred": _output_format(model)}},
    }


def _input_format(model: ExportedModel) -> dict:
    return {
        "type": "image",
        "format": "hounsfield",
        "modality": "CT",
        "num_channels": 1,
        "spatial_shape": list(model.card.patch_voxels),
        "dtype": "float32",
        "value_range": [-1, 1],
        "is_patch_data": True,
        "channel_def": {"0": "CT, window-scaled"},
    }


def _output_format(model: ExportedModel) -> dict:
    return {
        "type": "image",
        "format": "segmentation",
        "num_channels": len(model.card.structures),
        "spatial_shape": list(model.card.patch_voxels),
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": True,
        "channel_def": {
            str(channel): name if channel in model.structures else f"{name}, not trained: do not use"
            for channel, name in enumerate(model.card.structures)
        },
    }
