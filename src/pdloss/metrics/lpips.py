"""LPIPS version 0.1: the learned distance between unit-normalised feature maps of one of three networks."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss import assets
from pdloss._types import check_pair
from pdloss.features.alexnet import AlexNetFeatures
from pdloss.features.frozen import Frozen
from pdloss.features.recent import Recent
from pdloss.features.squeezenet import SqueezeNetFeatures
from pdloss.metrics.channel_weights import channel_weights
from pdloss.metrics.vgg16 import TorchvisionVGG16
from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.options import check_option

Net = Literal["alex", "squeeze", "vgg"]


class _Backbone(NamedTuple):
    label: str
    build: Callable[[Sequence[str], Path | None], Frozen]
    channels: dict[str, int]
    """Of each layer, by its name."""


_NETS: dict[Net, _Backbone] = {
    "alex": _Backbone(
        "AlexNet", AlexNetFeatures, {"relu1": 64, "relu2": 192, "relu3": 384, "relu4": 256, "relu5": 256}
    ),
    "squeeze": _Backbone(
        "SqueezeNet",
        SqueezeNetFeatures,
        {"relu1": 64, "fire3": 128, "fire5": 256, "fire6": 384, "fire7": 384, "fire8": 512, "fire9": 512},
    ),
    "vgg": _Backbone(
        "VGG16", TorchvisionVGG16, {"relu1_2": 64, "relu2_2": 128, "relu3_3": 256, "relu4_3": 512, "relu5_3": 512}
    ),
}


def lpips(
    restored: Sequence[Float[Tensor, "b _ _ _"]],
    target: Sequence[Float[Tensor, "b _ _ _"]],
    heads: Sequence[Float[Tensor, " _"]],
    eps: float = 1e-10,
) -> Float[Tensor, " b"]:
    r"""Returns the learned perceptual distance of each image, given its feature maps.

    .. math:: \sum_l \frac{1}{H_l W_l} \sum_{hw} \sum_c w_{lc}
              \left( \frac{f_{lchw}}{\sqrt{\epsilon + \sum_k f_{lkhw}^2}}
              - \frac{g_{lchw}}{\sqrt{\epsilon + \sum_k g_{lkhw}^2}} \right)^2

    The published definition adds :math:`10^{-10}` outside of the root, whose gradient is then NaN at a position where
    all features are zero. Inside, the gradient is finite everywhere.

    Args:
        restored: Feature maps :math:`f_l`, :math:`(B, C_l, H_l, W_l)` for each layer.
        target: Feature maps :math:`g_l`, of the same shapes.
        heads: Channel weights :math:`w_l`, :math:`(C_l)` for each layer; not negative.
        eps: Steadies the root.

    Returns:
        One value per image, :math:`(B)`; 0 for equal features.

    Raises:
        ValueError: If the numbers of layers differ, or there is none.

    Example:
        >>> red, green = torch.tensor([[1.0, 0.0], [0.0, 3.0]]).view(2, 1, 2, 1, 1)
        >>> lpips([red], [green], heads=[torch.tensor([0.5, 0.25])])
        tensor([0.7500])

    References:
        | The Unreasonable Effectiveness of Deep Features as a Perceptual Metric (Zhang et al., 2018), eq. 1
        | https://arxiv.org/abs/1801.03924
    """
    if not len(restored) == len(target) == len(heads) > 0:
        raise ValueError(
            f"restored, target and heads need the same layers, got {len(restored)}, {len(target)} and {len(heads)}"
        )
    layers = zip(restored, target, heads, strict=True)
    return torch.stack([_layer_distance(f, g, head, eps) for f, g, head in layers]).sum(dim=0)


class LPIPS(Frozen):
    r"""Measures the learned perceptual distance of each image: LPIPS version 0.1.

    Images are RGB in [0, 1], not in [-1, 1] as the published code expects them. That code shifts
    :math:`2x - 1` by (-0.030, -0.088, -0.188) and divides by (0.458, 0.448, 0.450), channel by channel, and

    .. math:: \frac{(2x - 1) - s}{t} = \frac{x - (1 + s)/2}{t/2}

    is :math:`x` minus (0.485, 0.456, 0.406), divided by (0.229, 0.224, 0.225): ImageNet's mean and standard deviation,
    which the backbones apply. The range is not looked at, since that would stop a GPU: images in [-1, 1] or
    [0, 255] give wrong values without a word.

    Computes in float32 even under autocast. The weights are buffers, on no optimiser's list and in no state dict.

    Args:
        net: ``alex``, ``squeeze`` or ``vgg``; values of one say nothing beside those of another.
        backbone: A safetensors file with the network's weights; by default ``alexnet-torchvision``,
            ``squeezenet1_1-torchvision`` or ``vgg16-torchvision``.
        heads: A safetensors file with ``lin0.weight``, ``lin1.weight`` …; by default ``lpips-alex``,
            ``lpips-squeeze`` or ``lpips-vgg``.

    Raises:
        ValueError: If the net is unknown.
        AssetError: If a file is not at hand, lacks a key, or holds a head of the wrong size or with negative weights.

    References:
        | https://github.com/richzhang/PerceptualSimilarity
    """

    def __init__(self, net: Net = "alex", backbone: Path | None = None, heads: Path | None = None) -> None:
        super().__init__()
        check_option(Net, net=net)
        chosen = _NETS[net]
        self.layers = tuple(chosen.channels)
        self.backbone = chosen.build(self.layers, backbone)
        self.minimum_side = self.backbone.minimum_side
        self._targets: Recent[dict[str, Tensor]] = Recent(keep=1)
        path = heads or assets.path(f"lpips-{net}")
        self.origin = self.backbone.origin | self.describe(path)
        sizes = {f"lin{index}.weight": channels for index, channels in enumerate(chosen.channels.values())}
        found = channel_weights(path, sizes, f"LPIPS heads for {chosen.label}")
        for index, head in enumerate(found.values()):
            self.freeze(f"head{index}", head)

    def forward(self, restored: Tensor, target: Tensor) -> Float[Tensor, " b"]:
        """Returns one value per image for two (B, 3, H, W) batches; 0 for equal images.

        Raises:
            ValueError: If the shapes differ or are not RGB batches, or a side is below 31 pixels (17 for ``squeeze``,
                16 for ``vgg``).
        """
        check_pair(restored, target)
        restored_maps, target_maps = self._maps(restored), self._targets(target, self._maps)
        heads = [self.frozen(f"head{index}") for index in range(len(self.layers))]
        return lpips(list(restored_maps.values()), list(target_maps.values()), heads)

    def _maps(self, images: Tensor) -> dict[str, Tensor]:
        # The convolutions' own layout on processors: a sixth faster. VGG16 takes to it by itself, and is to know the
        # images again that DISTS gives to it too.
        if not isinstance(self.backbone, TorchvisionVGG16):
            images = images.contiguous(memory_format=torch.channels_last)
        maps: dict[str, Tensor] = self.backbone(images)
        return maps


def _layer_distance(restored: Tensor, target: Tensor, head: Tensor, eps: float) -> Tensor:
    difference = _unit(at_least_float32(restored), eps) - _unit(at_least_float32(target), eps)  # (B, C, H, W)
    weighted = difference.square() * head.to(difference.dtype).view(1, -1, 1, 1)
    return weighted.sum(dim=1).mean(dim=(1, 2))


def _unit(features: Tensor, eps: float) -> Tensor:
    return features / (features.square().sum(dim=1, keepdim=True) + eps).sqrt()
