"""The convolutions of AlexNet up to the layers asked for, frozen; torchvision's state-dict keys, no classifier.

Krizhevsky 2014, https://arxiv.org/abs/1404.5997 (the one-column variant). ``conv2`` is the map before its ReLU,
``relu2`` after it, ``pool2`` after the max pooling that follows.
"""

from collections.abc import Sequence
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from pdloss import assets
from pdloss.errors import AssetError
from pdloss.features.frozen import chosen_layers, read_weights
from pdloss.features.imagenet import ImageNetFeatures

# A layer's place in this list is its index in torchvision's `features`.
_PLAN = (
    *("conv1", "relu1", "pool1", "conv2", "relu2", "pool2"),
    *("conv3", "relu3", "conv4", "relu4", "conv5", "relu5", "pool5"),
)

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

    def __init__(self, layers: Sequence[str], weights: Path | None = None) -> None:
        super().__init__()
        self.layers = chosen_layers(layers, _PLAN, "alexnet")
        self.plan = _PLAN[: max(map(_PLAN.index, self.layers)) + 1]
        self.minimum_side = _minimum_side(self.plan)
        path = weights or assets.path("alexnet-torchvision")
        self.origin = self.describe(path)
        self._load(path)

    def _load(self, path: Path) -> None:
        tensors = read_weights(path)
        for name in self.plan:
            if name not in _CONVOLUTIONS:
                continue
            key = f"features.{_PLAN.index(name)}"
            try:
                kernel, bias = tensors[f"{key}.weight"].float(), tensors[f"{key}.bias"].float()
            except KeyError as error:
                raise AssetError(f"{path} is not an AlexNet with torchvision's keys: it lacks {error}") from None
            channels, maps, size, _, _ = _CONVOLUTIONS[name]
            if kernel.shape != (maps, channels, size, size):
                expected, got = (maps, channels, size, size), tuple(kernel.shape)
                raise AssetError(f"{path} is not torchvision's AlexNet: {key}.weight is {got} instead of {expected}")
            self.freeze(f"{name}_weight", kernel)
            self.freeze(f"{name}_bias", bias)

    def layer(self, index: int, name: str, x: Tensor) -> Tensor:
        """Returns what the layer of that name makes of x."""
        if name.startswith("relu"):
            return F.relu(x)
        if name.startswith("pool"):
            return F.max_pool2d(x, kernel_size=3, stride=2)
        _, _, _, stride, padding = _CONVOLUTIONS[name]
        weight, bias = self.frozen(f"{name}_weight").to(x.dtype), self.frozen(f"{name}_bias").to(x.dtype)
        return F.conv2d(x, weight, bias, stride, padding)


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
