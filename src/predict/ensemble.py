"""Logits of structures from one model or several: the mean of their probabilities, written as a logit again.

The mean is at one half exactly where its logit is zero, so an ensemble's surface is found like that of one model.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import expit, logit

from src.errors import CaseError
from src.predict.choice import DrawnBy
from src.predict.open_model import OpenedModel

# Beyond it a float32 probability is 0 or 1, which has no logit.
_FARTHEST_LOGIT = 10.0


def structure_logits(
    label: str, drawn: Sequence[DrawnBy], hu_XYZ: np.ndarray, done: Callable[[str], None] = lambda step: None
) -> dict[str, np.ndarray]:
    """The logits of structures on the working grid.

    Args:
        label: of the CT, for the message.
        drawn: structures of models with one working grid.
        hu_XYZ: the CT on it, int16.
        done: called after each model with what was done.

    Returns:
        Structure -> float32 (X, Y, Z), above 0 inside. The order of an ensemble's models changes no bit.

    Raises:
        CaseError: a model's values are not finite.
    """
    by_digest = {model.sha256: model for one in drawn for model in one.models}
    logits: dict[str, np.ndarray] = {}
    for digest in sorted(by_digest):
        model = by_digest[digest]
        logits_CXYZ = _finite_logits(label, model, hu_XYZ)
        for one in (one for one in drawn if model in one.models):
            logits_XYZ = logits_CXYZ[model.card.structures.index(one.structure)]
            if len(one.models) == 1:
                logits[one.structure] = logits_XYZ
            else:
                share_XYZ = expit(logits_XYZ) / len(one.models)
                logits[one.structure] = logits.get(one.structure, 0) + share_XYZ
        done("model")
    return {one.structure: _as_logit(logits[one.structure], len(one.models)) for one in drawn}


def _finite_logits(label: str, model: OpenedModel, hu_XYZ: np.ndarray) -> np.ndarray:
    logits_CXYZ = model.engine.logits(hu_XYZ)
    if not np.isfinite(logits_CXYZ).all():
        raise CaseError(label, f"'{model.name}' computed values that are no numbers; try --precision float32")
    return logits_CXYZ


def _as_logit(values_XYZ: np.ndarray, num_models: int) -> np.ndarray:
    if num_models == 1:
        return values_XYZ
    return np.clip(logit(values_XYZ.astype(np.float32)), -_FARTHEST_LOGIT, _FARTHEST_LOGIT)
