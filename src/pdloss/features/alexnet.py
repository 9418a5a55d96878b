"""The convolutions of AlexNet up to the layers asked for, frozen; torchvision's state-dict keys, no classifier.

Krizhevsky 2014, https://arxiv.org/abs/1404.5997 (the one-column variant). ``conv2`` is the map before its ReLU,
``relu2`` after it, ``pool2`` after the max pooling that follows.
"""

from collections.abc import Sequence
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from pdloss.features.imagenet import ImageNetFeatures

# Input channels, output channels, kernel, stride, padding.
_CONVOLUTIONS = {
    "conv1": (3, 64, 11, 4, 2),
    "conv2": (64, 192, 5, 1, 2),
    "conv3": (192, 384, 3, 1, 1),
    "conv4": (384, 256, 3, 1, 1),
    "conv5": (256, 256, 3, 1, 1),
}


class AlexNetFeatures(ImageNetFeatures):
    """Computes maps of a pretrained AlexNet.

    Only the layers needed are computed, in float32 even under autocast (float64 for float64 images). The weights are
    buffers, on no optimiser's list and in no state dict, and the module stays in eval mode whatever its parent does.

    Args:
        layers: Names such as ``relu2`` (after the ReLU), ``conv2`` (before it), ``pool2``.
        weights: A safetensors file with torchvision's keys; by default ``alexnet-torchvision``.

    Raises:
        SpecError: If a layer does not exist.
        AssetError: If the weights are not at hand, lack a key, or hold a kernel of another shape.
    """

    every = (
        *("conv1", "relu1", "pool1", "conv2", "relu2", "pool2"),
        *("conv3", "relu3", "conv4", "relu4", "conv5", "relu5", "pool5"),
    )
    name, called, asset = "alexnet", "AlexNet", "alexnet-torchvision"

    def __init__(self, layers: Sequence[str], weights: Path | None = None) -> None:
        super().__init__(layers, weights)
        self.minimum_side = _minimum_side(self.plan)

    def kernels(self) -> dict[str, tuple[int, int, int, int]]:
        """Returns the shape of every kernel in the plan, by its key without ``.weight``."""
        planned = ((index, *_CONVOLUTIONS[name]) for index, name in enumerate(self.plan) if name in _CONVOLUTIONS)
        return {f"features.{index}": (maps, channels, size, size) for index, channels, maps, size, _, _ in planned}

    def layer(self, key: str, name: str, x: Tensor) -> Tensor:
        """Returns what the layer of that key and name makes of x, if it is no ReLU."""
        if name.startswith("pool"):
            return F.max_pool2d(x, kernel_size=3, stride=2)
        _, _, _, stride, padding = _CONVOLUTIONS[name]
        return self.convolution(key, x, stride, padding)


def _minimum_side(plan: Sequence[str]) -> int:
    """Returns the smallest side that leaves one position after the last layer: 7, 15 or 31, or 63 for ``pool5``."""
    side = 1
    for name in reversed(plan):
        if name.startswith("pool"):
            side = 2 * (side - 1) + 3
        elif name == "conv1":  # the only convolution that changes the size by itself
            _, _, size, stride, padding = _CONVOLUTIONS[name]
            side = stride * (side - 1) + size - 2 * padding
    return side
