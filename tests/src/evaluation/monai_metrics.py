"""The same measures by MONAI's own functions, each on the masks as they are."""

import warnings

import numpy as np
import torch
from monai.metrics import (
    compute_average_surface_distance,
    compute_dice,
    compute_hausdorff_distance,
    compute_surface_dice,
)


def monai_metrics(pred_XYZ: np.ndarray, truth_XYZ: np.ndarray, spacing_mm, tolerance_mm: float) -> dict[str, float]:
    """Dice, HD95, ASSD and surface Dice with sub-voxel areas, by the names of ``StructureMetrics``."""
    masks = [torch.from_numpy(np.ascontiguousarray(mask))[None, None].float() for mask in (pred_XYZ, truth_XYZ)]
    on_grid = {"include_background": True, "spacing": spacing_mm}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MONAI calls its own deprecated argument, and warns of empty masks
        return {
            "dice": float(compute_dice(*masks)),
            "hd95_mm": float(compute_hausdorff_distance(*masks, percentile=95, **on_grid)),
            "assd_mm": float(compute_average_surface_distance(*masks, symmetric=True, **on_grid)),
            "surface_dice": float(compute_surface_dice(*masks, [tolerance_mm], use_subvoxels=True, **on_grid)),
        }
