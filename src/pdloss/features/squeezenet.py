"""SqueezeNet 1.1 up to the layers asked for, frozen; torchvision's state-dict keys, no classifier.

Iandola et al. 2016, https://arxiv.org/abs/1602.07360. ``conv1`` is the map before its ReLU, ``relu1`` after it;
``fire2`` to ``fire9`` are the modules' outputs, which end in a ReLU; ``pool3`` follows ``fire3``. LPIPS looks at
``relu1``, ``fire3``, ``fire5``, ``fire6``, ``fire7``, ``fire8`` and ``fire9``.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from pdloss.features.imagenet import ImageNetFeatures

# Input channels, channels after squeezing, channels of each of the two expansions.
_FIRES = {
    "fire2": (64, 16, 64),
    "fire3": (128, 16, 64),
    "fire4": (128, 32, 128),
    "fire5": (256, 32, 128),
    "fire6": (256, 48, 192),
    "fire7": (384, 48, 192),
    "fire8": (384, 64, 256),
    "fire9": (512, 64, 256),
}


class SqueezeNetFeatures(ImageNetFeatures):
    """Computes maps of a pretrained SqueezeNet 1.1.

    Its poolings round sizes up: a window that hangs over the border counts. Only the layers needed are computed, in
    float32 even under autocast (float64 for float64 images). The weights are buffers, on no optimiser's list and in no
    state dict, and the module stays in eval mode whatever its parent does.

    Args:
        layers: Names such as ``fire5``, ``relu1`` (after the ReLU), ``conv1`` (before it), ``pool3``.
        weights: A safetensors file with torchvision's keys; by default ``squeezenet1_1-torchvision``.

    Raises:
        SpecError: If a layer does not exist.
        AssetError: If the weights are not at hand, lack a key, or hold a kernel of another shape.
    """

    every = (
        *("conv1", "relu1", "pool1", "fire2", "fire3", "pool3"),
        *("fire4", "fire5", "pool5", "fire6", "fire7", "fire8", "fire9"),
    )
    name, called, asset = "squeezenet", "SqueezeNet 1.1", "squeezenet1_1-torchvision"

    def __init__(self, layers: Sequence[str], weights: Path | None = None) -> None:
        super().__init__(layers, weights)
        # conv1 makes n pixels (n - 1) // 2, and each pooling halves them, rounding down.
        self.minimum_side = 2 * 2 ** sum(name.startswith("pool") for name in self.plan) + 1

    def kernels(self) -> dict[str, tuple[int, int, int, int]]:
        """Returns the shape of every kernel in the plan, by its key without ``.weight``."""
        shapes: dict[str, tuple[int, int, int, int]] = {"features.0": (64, 3, 3, 3)}
        for index, name in enumerate(self.plan):
            if name in _FIRES:
                channels, squeezed, expanded = _FIRES[name]
                shapes[f"features.{index}.squeeze"] = (squeezed, channels, 1, 1)
                shapes[f"features.{index}.expand1x1"] = (expanded, squeezed, 1, 1)
                shapes[f"features.{index}.expand3x3"] = (expanded, squeezed, 3, 3)
        return shapes

    def layer(self, key: str, name: str, x: Tensor) -> Tensor:
        """Returns what the layer of that key and name makes of x, if it is no ReLU."""
        if name.startswith("pool"):
            return F.max_pool2d(x, kernel_size=3, stride=2, ceil_mode=True)
        if name == "conv1":
            return self.convolution(key, x, stride=2)
        squeezed = F.relu(self.convolution(f"{key}.squeeze", x))
        small = self.convolution(f"{key}.expand1x1", squeezed)
        large = self.convolution(f"{key}.expand3x3", squeezed, padding=1)
        return F.relu(torch.cat([small, large], dim=1))
