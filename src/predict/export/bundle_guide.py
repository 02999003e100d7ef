"""``docs/README.md`` of a MONAI bundle."""

from src.predict.export.model_facts import ExportedModel


def bundle_guide(model: ExportedModel) -> str:
    """How to run the bundle, what it draws and how well, and what it is not."""
    card = model.card
    rows = "\n".join(f"| {name} | {_dice(card.validation_dice.get(name))} |" for name in model.structures.values())
    return f"""# Organs at risk on planning CT ({card.anatomy})

Not a medical device. A person checks every contour before it is used; see the openfl-oar guide on commissioning.

## Run

In this folder, with Python 3.10 to 3.12 and `pip install monai torch SimpleITK fire`:

    python -m monai.bundle run --config_file configs/inference.json --meta_file configs/metadata.json \\
        --ct /path/to/ct.nii.gz --output_dir /path/to/masks

writes one mask per structure, on the CT's own grid. A GPU is used where there is one; masks then may differ in single voxels
from those of the processor, with which this bundle was verified. `scripts/` holds openfl-oar's own resampling, cut to the body
and sliding window, so the masks are those of `python -m src.predict --precision float32`.

## What it draws

| structure | mean validation Dice at {card.site or "the site"} |
|---|---|
{rows}

`docs/card.json` says what the network is fed with, what its channels mean, how it was trained, and what the CTs of the site
were like (`fingerprint`). On other CTs it may be wrong.

## Licences

The code: Apache-2.0, see `LICENSE`. The data it was trained on: see `docs/data_license.txt`.
"""


def _dice(value: float | None) -> str:
    return "no validation case" if value is None else f"{value:.3f}"
