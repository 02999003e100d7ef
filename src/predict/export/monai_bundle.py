"""A MONAI bundle: network, configuration and code in one folder that ``python -m monai.bundle run`` runs.

The code is openfl-oar's own, module by module as it is here: with another implementation of the resampling every edge would
differ.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from torch import nn

from src.errors import ExportError
from src.predict.export.bundle_configs import bundle_metadata, inference_config
from src.predict.export.bundle_guide import bundle_guide
from src.predict.export.licence import write_licence
from src.predict.export.model_facts import ExportedModel, model_facts
from src.predict.export.torchscript import TORCHSCRIPT_FILE, write_torchscript

_SOURCE = Path(__file__).resolve().parents[2]
_SHIPPED = (
    "errors.py",
    "data/preprocessing.py",
    "data/case_image.py",
    "data/nifti_bytes.py",
    "data/nifti_file.py",
    "model/inference.py",
    "model/precision.py",
    "predict/export/segment_ct.py",
)
_IMPORT = re.compile(r"^from src\.(?:\w+\.)*(\w+) import", re.MULTILINE)
# The command line of monai.bundle needs one library more; the function behind it does not.
_RUN = "import sys; from monai.bundle import run; run(**dict(argument.split('=', 1) for argument in sys.argv[1:]))"
# Of a traceback, the lines that name what was raised; the first one is the cause.
_RAISED = re.compile(r"^[\w.]*(?:Error|Exception)\b.*", re.MULTILINE)


def write_bundle(folder: Path, network: nn.Module, model: ExportedModel) -> None:
    """Writes the bundle.

    Args:
        folder: is made.
        network: on the CPU.
        model: its card, and what else is told.
    """
    for name in ("configs", "models", "docs", "scripts"):
        (folder / name).mkdir(parents=True)
    write_torchscript(folder / "models" / TORCHSCRIPT_FILE, network, model.card.patch_voxels)
    _write_json(folder / "configs" / "inference.json", inference_config(model))
    _write_json(folder / "configs" / "metadata.json", bundle_metadata(model))
    _write_json(folder / "docs" / "card.json", model_facts(model))
    (folder / "docs" / "README.md").write_text(bundle_guide(model), encoding="utf-8")
    (folder / "docs" / "data_license.txt").write_text(f"{model.data_licence}\n", encoding="utf-8")
    write_licence(folder)
    (folder / "scripts" / "__init__.py").write_text('"""openfl-oar\'s code that the bundle runs."""\n', encoding="utf-8")
    for name in _SHIPPED:
        module = _IMPORT.sub(r"from scripts.\1 import", (_SOURCE / name).read_text(encoding="utf-8"))
        (folder / "scripts" / Path(name).name).write_text(module, encoding="utf-8")


def run_bundle(folder: Path, ct: Path, output: Path) -> None:
    """Runs the bundle as its guide says, in a process of its own, on the processor.

    Args:
        folder: of the bundle.
        ct: NIfTI.
        output: folder of the masks.

    Raises:
        ExportError: it does not run.
    """
    arguments = [
        "config_file=configs/inference.json",
        "meta_file=configs/metadata.json",
        f"ct={ct.resolve()}",
        f"output_dir={output.resolve()}",
    ]
    # No module of the bundle may come from anywhere else, and nothing is left in it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        told = "; ".join(_RAISED.findall(done.stderr)) or f"exit code {done.returncode}"
        raise ExportError(f"expected the MONAI bundle to run, found that it does not; please report: {told}")


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
