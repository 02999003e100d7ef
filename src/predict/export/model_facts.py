"""What one must know to use an exported network, in a file beside it: what goes in, what comes out, its card, the licences."""

from dataclasses import dataclass

from src.model.card import ModelCard

FACTS_VERSION = 1
DATA_LICENCE_UNKNOWN = (
    "Not told. The licence of the CTs and contours that this model was trained on may bind whoever uses or hands on the model; "
    "whoever does must find it out."
)
_NO_DEVICE = "Not a medical device. Check every contour before it is used."


@dataclass(frozen=True, kw_only=True)
class ExportedModel:
    """What all formats are made of.

    Attributes:
        card: of the saved model.
        sha256: of the saved model's file.
        overlap: share of a window that its neighbour repeats.
        data_licence: of what the model was trained on, in words.
    """

    card: ModelCard
    sha256: str
    overlap: float
    data_licence: str = DATA_LICENCE_UNKNOWN

    @property
    def structures(self) -> dict[int, str]:
        """Channel -> TG-263 name, of the channels that were trained."""
        names = enumerate(self.card.structures)
        return {channel: name for channel, name in names if name in self.card.trained_structures}


def model_facts(model: ExportedModel) -> dict:
    """The file's content, in plain JSON types."""
    card, patch = model.card, list(model.card.patch_voxels)
    low, high = card.preprocessing["window_hu"]
    spacing_mm = card.preprocessing["spacing_mm"]
    return {
        "facts_version": FACTS_VERSION,
        "not_a_medical_device": _NO_DEVICE,
        "input": {
            "name": "image",
            "shape": ["batch", 1, *patch],
            "dtype": "float32",
            "meaning": f"windows of a CT in RAS+ at {spacing_mm} mm (x, y, z), cut to the body; HU clipped "
            f"to {low} … {high} and scaled linearly to -1 … 1; beyond the CT -1",
        },
        "output": {
            "name": "logits",
            "shape": ["batch", len(card.structures), *patch],
            "dtype": "float32",
            "meaning": "a logit per structure, above 0 inside; its sigmoid is the probability. Structures may overlap. "
            "Interpolate logits, not masks, onto the CT's own grid",
        },
        "channels": [
            {"channel": channel, "structure": name, "trained": channel in model.structures}
            for channel, name in enumerate(card.structures)
        ],
        "sliding_window": {"overlap": model.overlap, "blending": "Gaussian, as of MONAI's SlidingWindowInferer"},
        "card": card.to_json(),
        "saved_model_sha256": model.sha256,
        "licence": "Apache-2.0, see LICENSE",
        "data_licence": model.data_licence,
    }
