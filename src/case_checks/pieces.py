"""Does a mask hang together? Empty slices within it, and pieces far from the rest."""

from collections.abc import Iterator, Mapping

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from src.case_checks.finding import Finding, warning
from src.case_checks.mask_facts import MaskFacts
from src.case_checks.normal_anatomy import load_normal_anatomy

FAR_MM = 20.0
WITH_DIAGONALS = np.ones((3, 3, 3))


def check_pieces(case: str, masks: Mapping[str, MaskFacts]) -> Iterator[Finding]:
    """Slices left out, and stray pieces; not for structures that may lie in several pieces."""
    for name, facts in masks.items():
        if not facts.num_voxels or load_normal_anatomy()[name].in_pieces:
            continue
        if not facts.inside_ZYX.any(axis=(1, 2)).all():
            yield warning(case, f"{name} has empty slices between its first and last: were they left out in contouring?")
        if farthest_piece_mm(facts) > FAR_MM:
            yield warning(
                case, f"{name} has a piece more than {FAR_MM:g} mm from the rest: a stray click, or two organs under one name?"
            )


def farthest_piece_mm(facts: MaskFacts) -> float:
    """The distance of the most distant piece of a mask from its largest one; 0 where it is in one piece."""
    labels_ZYX, num_pieces = ndimage.label(facts.inside_ZYX, WITH_DIAGONALS)
    if num_pieces < 2:
        return 0.0
    largest = 1 + int(np.argmax(np.bincount(labels_ZYX.ravel())[1:]))
    edge_ZYX = facts.inside_ZYX & ~ndimage.binary_erosion(facts.inside_ZYX)
    positions_mm = np.argwhere(edge_ZYX) * facts.spacing_ZYX_mm
    labels = labels_ZYX[edge_ZYX]
    distances_mm, _ = KDTree(positions_mm[labels == largest]).query(positions_mm[labels != largest])
    nearest_mm = ndimage.minimum(distances_mm, labels[labels != largest], np.unique(labels[labels != largest]))
    return float(np.max(nearest_mm))
