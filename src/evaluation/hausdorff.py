"""How far two contours lie apart in mm: at their worst but for stray voxels, and on average.

* HD95: per direction the 95th percentile of the distances (linear between ranks), then the larger of the two directions, as
  MONAI and DeepMind do. Others pool both directions or take their mean, which is up to a third less for the same liver.
* ASSD: the mean of the distances of both directions together, as MONAI and CHAOS do; every surface voxel counts alike.

Both count surface voxels, not area: on thick slices, the slanted parts of a surface weigh more than their area.

Source: Huttenlocher 1993, doi:10.1109/34.232073; Heimann 2009, doi:10.1109/TMI.2009.2013851 (ASSD).
"""

import numpy as np

from src.evaluation.surface import SurfaceDistances


def hausdorff_mm(distances: SurfaceDistances, percentile: float = 95.0) -> float:
    """The larger of the two directed percentiles.

    Args:
        distances: of two masks that are not empty.
        percentile: 95 for HD95, 100 for the Hausdorff distance itself.
    """
    directions = (distances.pred_to_truth_mm, distances.truth_to_pred_mm)
    return max(float(np.percentile(direction, percentile)) for direction in directions)


def assd_mm(distances: SurfaceDistances) -> float:
    """Average symmetric surface distance of two masks that are not empty."""
    return float(np.concatenate([distances.pred_to_truth_mm, distances.truth_to_pred_mm]).mean())
