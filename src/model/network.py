"""A MONAI backbone and one output row per structure.

The backbone ends in ``features`` channels, which are normalised; a 1×1×1 convolution, ``head``, turns them into one logit per
structure. So the only
weights that belong to one structure are its row of ``head.weight`` and ``head.bias``: what partial labels must leave
untouched, and what is averaged only over the sites that contour it, is exactly that row, whatever the backbone.
"""

import inspect

import monai.networks.nets
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from src.errors import PlanSettingError

HEAD_TENSORS = ("head.weight", "head.bias")
# Logit of a share of voxels of 5 %: without it the first hundred steps only learn that most voxels are no organ.
_FIRST_BIAS = -3.0
_OURS = ("spatial_dims", "in_channels", "out_channels")


class SegmentationNetwork(nn.Module):
    """A backbone and a head with one sigmoid channel per structure.

    Args:
        backbone: maps (B, 1, X, Y, Z) to (B, ``features``, X, Y, Z).
        features: channels the backbone ends in.
        num_structures: rows of the head.
    """

    def __init__(self, backbone: nn.Module, features: int, num_structures: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.norm = nn.InstanceNorm3d(features, affine=True)
        self.head = nn.Conv3d(features, num_structures, kernel_size=1)
        nn.init.constant_(self.head.bias, _FIRST_BIAS)

    def forward(self, image_B1XYZ: torch.Tensor) -> torch.Tensor:
        """Logits (B, C, X, Y, Z), one channel per structure, of a window-scaled CT (B, 1, X, Y, Z)."""
        return self.head(nn.functional.leaky_relu(self.norm(self.backbone(image_B1XYZ)), negative_slope=0.01))


def build_network(settings: dict, num_structures: int) -> SegmentationNetwork:
    """Builds the network a plan names, with freshly drawn weights.

    Args:
        settings: ``name`` (a class of ``monai.networks.nets``), ``features`` (channels between backbone and head, at least 1)
            and ``arguments`` (what the class takes, but for dimensions and channels in and out, which are ours).
        num_structures: structures of the plan.

    Raises:
        PlanSettingError: MONAI has no such class, an argument is unknown or impossible, or the network uses batch norm.
    """
    if unknown := set(settings) - {"name", "features", "arguments"}:
        raise PlanSettingError(
            f"task_runner.network: unknown setting '{sorted(unknown)[0]}'; known are name, features, arguments"
        )
    name, features, arguments = settings.get("name"), settings.get("features"), dict(settings.get("arguments") or {})
    network_class = getattr(monai.networks.nets, str(name), None)
    if not (inspect.isclass(network_class) and issubclass(network_class, nn.Module)):
        raise PlanSettingError(f"task_runner.network.name: expected a network class of monai.networks.nets, found '{name}'")
    if not isinstance(features, int) or features < 1:
        raise PlanSettingError(f"task_runner.network.features: expected a whole number of at least 1, found {features!r}")
    if taken := set(arguments) & set(_OURS):
        raise PlanSettingError(f"task_runner.network.arguments: {sorted(taken)[0]} follows from the plan; leave it out")
    try:
        backbone = network_class(spatial_dims=3, in_channels=1, out_channels=features, **arguments)
    except (TypeError, ValueError, AssertionError, KeyError) as error:
        raise PlanSettingError(f"task_runner.network.arguments: {name} refuses them: {error}") from error
    if any(isinstance(module, _BatchNorm) for module in backbone.modules()):
        raise PlanSettingError(
            "task_runner.network.arguments: batch norm keeps statistics of one site's patients, which averaging breaks; "
            "use norm: instance or group"
        )
    return SegmentationNetwork(backbone, features, num_structures)
