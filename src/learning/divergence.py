"""How far one network's opinion of a structure is from another's: a Bernoulli divergence per structure.

With q = σ(z_peer), held fixed, p = σ(z_own), and the voxels v of the region R_c of structure c::

    KL(q ‖ p) = q (log σ(z_peer) − log σ(z_own)) + (1 − q) (log σ(−z_peer) − log σ(−z_own)),      ∂KL / ∂z_own = p − q
    D_c       = mean over v ∈ R_c of KL_v(q ‖ p);  0 where R_c is empty

Each structure is averaged over its own region before anything is summed, so that a chiasm teaches like a liver. Logarithms come
from logits; a clipped p would have no gradient just where the models differ most.

Sources: gossip mutual learning, arXiv:2401.06180 and arXiv:2401.15434; its class-wise form, arXiv:2503.03883. They publish the
idea; the region, the weight and the normalisation are this project's.

Shape suffixes: B batch, C structures, XYZ voxels, N voxels of one region.
"""

import math

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable


def class_divergence(
    own_logits_BCXYZ: torch.Tensor,
    peer_logits_BCXYZ: torch.Tensor,
    region_BCXYZ: torch.Tensor,
    trust_BCXYZ: torch.Tensor | None = None,
) -> torch.Tensor:
    """D_c of the formula above, in float32.

    Args:
        own_logits_BCXYZ: of the network that learns; any float dtype.
        peer_logits_BCXYZ: of the network that teaches; never gets a gradient.
        region_BCXYZ: bool; what lies outside is not read.
        trust_BCXYZ: factor of each voxel's divergence, 0 to 1; the mean still divides by the number of voxels. None is 1.

    Returns:
        float32 (C,); exactly 0, with a gradient of exactly 0, for a structure without region and for identical logits.
    """
    return _ClassDivergence.apply(own_logits_BCXYZ, peer_logits_BCXYZ.detach(), region_BCXYZ, trust_BCXYZ)


class _ClassDivergence(torch.autograd.Function):
    """Reads only the voxels of the regions, forth and back; its gradient p − q is exactly 0 where the models agree."""

    @staticmethod
    def forward(ctx, own_BCXYZ, peer_BCXYZ, region_BCXYZ, trust_BCXYZ):
        divergence_C = torch.zeros(own_BCXYZ.shape[1], device=own_BCXYZ.device)
        ctx.shape, ctx.dtype, ctx.channels, saved = own_BCXYZ.shape, own_BCXYZ.dtype, [], []
        for channel in range(len(divergence_C)):
            # Found once, used for both models and on the way back.
            voxel_N = region_BCXYZ[:, channel].flatten().nonzero().flatten()
            if not len(voxel_N):
                continue
            own_N, peer_N = (logits[:, channel].flatten()[voxel_N].float() for logits in (own_BCXYZ, peer_BCXYZ))
            divergence_N, slope_N = _bernoulli_divergence(own_N, peer_N), torch.sigmoid(own_N) - torch.sigmoid(peer_N)
            if trust_BCXYZ is not None:
                trust_N = trust_BCXYZ[:, channel].flatten()[voxel_N]
                divergence_N, slope_N = trust_N * divergence_N, trust_N * slope_N
            divergence_C[channel] = divergence_N.mean()
            ctx.channels.append(channel)
            saved += [voxel_N, slope_N / len(slope_N)]
        ctx.save_for_backward(*saved)
        return divergence_C

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient_C):
        gradient_BCXYZ = torch.zeros(ctx.shape, dtype=ctx.dtype, device=gradient_C.device)
        batch_size, _, *size_XYZ = ctx.shape
        for place, channel in enumerate(ctx.channels):
            voxel_N, slope_N = ctx.saved_tensors[2 * place : 2 * place + 2]
            gradient_V = torch.zeros(batch_size * math.prod(size_XYZ), dtype=ctx.dtype, device=gradient_C.device)
            gradient_V[voxel_N] = (gradient_C[channel] * slope_N).to(ctx.dtype)
            gradient_BCXYZ[:, channel] = gradient_V.view(batch_size, *size_XYZ)
        return gradient_BCXYZ, None, None, None


def _bernoulli_divergence(own_N: torch.Tensor, peer_N: torch.Tensor) -> torch.Tensor:
    """KL(q ‖ p) of each voxel; rounding can leave it a hair below 0, which is cut."""
    inside = torch.sigmoid(peer_N) * (F.logsigmoid(peer_N) - F.logsigmoid(own_N))
    outside = torch.sigmoid(-peer_N) * (F.logsigmoid(-peer_N) - F.logsigmoid(-own_N))
    return (inside + outside).clamp_(min=0)
