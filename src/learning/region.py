"""Where one network teaches another: around each structure, not in all the air and fat that both know to be none of it.

Structure c, in one case of the batch::

    contoured there       R_c = dilate(contour_c, d) ∪ {p_self,c > 0.5} ∪ {p_peer,c > 0.5}
    not contoured there   R_c = dilate({p_peer,c > 0.5}, d) ∪ {p_self,c > 0.5} ∪ a random sample of all voxels

Without the sample, false positives of a structure that nobody contours here would grow unseen, far from what the peer shows.

Source of the idea that models should agree in the region of the organs: arXiv:2503.03883; the region itself is this project's.

Sets of voxels are kept as bits, as the loader gives them: bit c of a voxel is structure c, so one pass widens all structures.
Shape suffixes: B batch, C structures, XYZ voxels.
"""

from collections.abc import Sequence

import torch

# One voxel in 64 of the patch: about as many as a middle-sized organ has.
_VOXELS_PER_SAMPLE = 64


def dilation_voxels(dilation_mm: float, spacing_mm: Sequence[float]) -> tuple[int, ...]:
    """A distance in voxels of each axis, rounded to the nearest.

    Args:
        dilation_mm: at least 0.
        spacing_mm: voxel size in x, y, z.
    """
    return tuple(int(dilation_mm / spacing + 0.5) for spacing in spacing_mm)


def dilate(bits_BXYZ: torch.Tensor, radius_XYZ: Sequence[int]) -> torch.Tensor:
    """Each bit's set of voxels, widened to a box of ``radius_XYZ`` voxels to both sides of every axis; a new tensor.

    The maximum over a box is the maximum over its axes one after the other; of bits, the maximum is "or".
    """
    for axis, radius in enumerate(radius_XYZ, start=1):
        widened = bits_BXYZ.clone()
        length = bits_BXYZ.shape[axis]
        for shift in range(1, min(radius, length - 1) + 1):
            widened.narrow(axis, shift, length - shift).bitwise_or_(bits_BXYZ.narrow(axis, 0, length - shift))
            widened.narrow(axis, 0, length - shift).bitwise_or_(bits_BXYZ.narrow(axis, shift, length - shift))
        bits_BXYZ = widened
    return bits_BXYZ if radius_XYZ else bits_BXYZ.clone()


def teaching_region(
    own_logits_BCXYZ: torch.Tensor,
    peer_logits_BCXYZ: torch.Tensor,
    bits_BXYZ: torch.Tensor,
    contoured_BC: torch.Tensor,
    *,
    taught_C: torch.Tensor,
    radius_XYZ: Sequence[int],
    seed: int,
) -> torch.Tensor:
    """R_c of the structures that are taught; a function of its arguments alone.

    Args:
        own_logits_BCXYZ: of the network that learns, p_self = σ of them.
        peer_logits_BCXYZ: of the network that teaches.
        bits_BXYZ: int32, bit c of a voxel is set where structure c is contoured.
        contoured_BC: bool, structure contoured in that case.
        taught_C: bool, whose region is wanted; the others cost nothing.
        radius_XYZ: d in voxels, see ``dilation_voxels``.
        seed: of the sample.

    Returns:
        bool (B, C, X, Y, Z); False in all channels that are not taught.
    """
    region = torch.zeros(own_logits_BCXYZ.shape, dtype=torch.bool, device=own_logits_BCXYZ.device)
    channels = taught_C.nonzero().flatten().tolist()
    if not channels:
        return region
    known_BC = contoured_BC.cpu()
    core = bits_BXYZ & _bits_of(known_BC & taught_C.cpu()).to(bits_BXYZ.device)
    for channel in channels:
        shown = (peer_logits_BCXYZ[:, channel] > 0) & ~contoured_BC[:, channel, None, None, None]
        if not known_BC[:, channel].all():
            core |= shown.to(torch.int32) << channel
    near = dilate(core, radius_XYZ)
    sample_BXYZ = None if known_BC[:, channels].all() else _sample(bits_BXYZ.shape, seed).to(bits_BXYZ.device)
    for channel in channels:
        # One comparison for both, and in float32: comparing bfloat16 takes a CPU twice as long.
        higher_BXYZ = torch.maximum(own_logits_BCXYZ[:, channel], peer_logits_BCXYZ[:, channel]).float()
        region[:, channel] = (near & (1 << channel)).bool() | (higher_BXYZ > 0)
        if not known_BC[:, channel].all():
            region[:, channel] |= sample_BXYZ & ~contoured_BC[:, channel, None, None, None]
    return region


def _bits_of(chosen_BC: torch.Tensor) -> torch.Tensor:
    """int32 (B, 1, 1, 1) with bit c set where ``chosen_BC``."""
    place_C = 1 << torch.arange(chosen_BC.shape[1], dtype=torch.int32)
    return (chosen_BC * place_C).sum(dim=1).to(torch.int32)[:, None, None, None]


def _sample(shape_BXYZ: Sequence[int], seed: int) -> torch.Tensor:
    """bool (B, X, Y, Z), True in about one voxel of ``_VOXELS_PER_SAMPLE``; drawn on the CPU, so alike on every machine."""
    sample = torch.zeros(tuple(shape_BXYZ), dtype=torch.bool)
    voxels = sample[0].numel()
    drawn = torch.randint(
        voxels, (len(sample), max(1, voxels // _VOXELS_PER_SAMPLE)), generator=torch.Generator().manual_seed(seed)
    )
    sample.flatten(1).scatter_(1, drawn, True)
    return sample
