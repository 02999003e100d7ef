"""The supervised loss: soft Dice and cross-entropy per structure, over what is contoured.

Shape suffixes: B batch, C structures, N contoured (case, structure) pairs, XYZ voxels.
"""

import torch
import torch.nn.functional as F

# One voxel: a structure absent from a patch costs little as long as next to nothing is predicted there.
_SMOOTH_VOXELS = 1.0
# Beyond this a structure of a handful of voxels would drown the others.
_HIGHEST_WEIGHT = 30.0


def unpack_labels(bits_BXYZ: torch.Tensor, num_structures: int) -> torch.Tensor:
    """Masks (B, C, X, Y, Z), float32 of 0 and 1, from voxels whose bit c says "in structure c"."""
    # One channel after the other: five times faster than one broadcast shift over all of them.
    return torch.stack([(bits_BXYZ & (1 << channel)) != 0 for channel in range(num_structures)], dim=1).float()


def segmentation_loss(logits_BCXYZ: torch.Tensor, masks_BCXYZ: torch.Tensor, contoured_BC: torch.Tensor) -> torch.Tensor:
    """Mean over structures of (1 − soft Dice) + binary cross-entropy, over the structures contoured in each case.

    For structure c, over the cases b of the batch in which it is contoured and all their voxels v::

        L_c = 1 − (2 Σ p g + 1) / (Σ p + Σ g + 1)  +  mean [ −w g log p − (1 − g) log (1 − p) ]
        w   = min(30, 1 / √(share of the patch's voxels in c))

    Structures are averaged after voxels, so that a chiasm counts like a liver. The weight w, per case and structure, is why
    small organs start to be learnt at all within a few hundred steps.

    Args:
        logits_BCXYZ: network output, any float dtype; the loss is computed in float32.
        masks_BCXYZ: 0 and 1; what stands in channels that are not contoured is never read.
        contoured_BC: bool, structure contoured in that case.

    Returns:
        A float32 scalar. Logits of structures that are not contoured get a gradient of exactly zero; where nothing is contoured
        at all the loss is 0, with a zero gradient.
    """
    if not contoured_BC.any():
        return (logits_BCXYZ.float() * 0.0).sum()
    structure_N = contoured_BC.nonzero()[:, 1]
    logits_NV = logits_BCXYZ[contoured_BC].float().flatten(1)
    masks_NV = masks_BCXYZ[contoured_BC].float().flatten(1)
    share_N1 = masks_NV.mean(dim=1, keepdim=True)
    weight_NV = 1 + masks_NV * (share_N1.clamp(min=_HIGHEST_WEIGHT**-2).rsqrt() - 1)
    cross_entropy_N = F.binary_cross_entropy_with_logits(logits_NV, masks_NV, weight_NV, reduction="none").mean(dim=1)
    probability_NV = torch.sigmoid(logits_NV)
    sums_N3 = torch.stack([(probability_NV * masks_NV).sum(1), probability_NV.sum(1) + masks_NV.sum(1), cross_entropy_N], dim=1)
    num_structures = contoured_BC.shape[1]
    sums_C3 = torch.zeros(num_structures, 3, device=sums_N3.device).index_add(0, structure_N, sums_N3)
    cases_C = contoured_BC.sum(dim=0)
    overlap_C, size_C, cross_entropy_C = sums_C3.unbind(1)
    dice_C = (2 * overlap_C + _SMOOTH_VOXELS) / (size_C + _SMOOTH_VOXELS)
    present_C = cases_C > 0
    return (1 - dice_C + cross_entropy_C / cases_C.clamp(min=1))[present_C].mean()
