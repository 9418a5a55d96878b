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

from pdloss import assets
from pdloss.errors import AssetError
from pdloss.features.frozen import chosen_layers, read_weights
from pdloss.features.imagenet import ImageNetFeatures

# A layer's place in this list is its index in torchvision's `features`.
_PLAN = (
    *("conv1", "relu1", "pool1", "fire2", "fire3", "pool3"),
    *("fire4", "fire5", "pool5", "fire6", "fire7", "fire8", "fire9"),
)

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

    def __init__(self, layers: Sequence[str], weights: Path | None = None) -> None:
        super().__init__()
        self.layers = chosen_layers(layers, _PLAN, "squeezenet")
        self.plan = _PLAN[: max(map(_PLAN.index, self.layers)) + 1]
        # conv1 makes n pixels (n - 1) // 2, and each pooling halves them, rounding down.
        self.minimum_side = 2 * 2 ** sum(name.startswith("pool") for name in self.plan) + 1
        path = weights or assets.path("squeezenet1_1-torchvision")
        self.origin = self.describe(path)
        self._load(path)

    def _load(self, path: Path) -> None:
        tensors = read_weights(path)
        for convolution, shape in _shapes(self.plan).items():
            try:
                kernel, bias = tensors[f"{convolution}.weight"].float(), tensors[f"{convolution}.bias"].float()
            except KeyError as error:
                raise AssetError(f"{path} is not a SqueezeNet with torchvision's keys: it lacks {error}") from None
            if kernel.shape != shape:
                got = f"{convolution}.weight is {tuple(kernel.shape)} instead of {shape}"
                raise AssetError(f"{path} is not torchvision's SqueezeNet 1.1: {got}")
            self.freeze(_buffer(convolution, "weight"), kernel)
            self.freeze(_buffer(convolution, "bias"), bias)

    def layer(self, index: int, name: str, x: Tensor) -> Tensor:
        """Returns what the layer of that index and name makes of x."""
        key = f"features.{index}"
        if name.startswith("relu"):
            return F.relu(x)
        if name.startswith("pool"):
            return F.max_pool2d(x, kernel_size=3, stride=2, ceil_mode=True)
        if name == "conv1":
            return self._convolution(key, x, stride=2)
        squeezed = F.relu(self._convolution(f"{key}.squeeze", x))
        small = self._convolution(f"{key}.expand1x1", squeezed)
        large = self._convolution(f"{key}.expand3x3", squeezed, padding=1)
        return F.relu(torch.cat([small, large], dim=1))

    def _convolution(self, key: str, x: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        weight, bias = (self.frozen(_buffer(key, part)).to(x.dtype) for part in ("weight", "bias"))
        return F.conv2d(x, weight, bias, stride, padding)


def _shapes(plan: Sequence[str]) -> dict[str, tuple[int, int, int, int]]:
    """Returns the kernel's shape of every convolution in the plan, by its key without ``.weight``."""
    shapes: dict[str, tuple[int, int, int, int]] = {"features.0": (64, 3, 3, 3)}
    for index, name in enumerate(plan):
        if name in _FIRES:
            channels, squeezed, expanded = _FIRES[name]
            shapes[f"features.{index}.squeeze"] = (squeezed, channels, 1, 1)
            shapes[f"features.{index}.expand1x1"] = (expanded, squeezed, 1, 1)
            shapes[f"features.{index}.expand3x3"] = (expanded, squeezed, 3, 3)
    return shapes


def _buffer(key: str, part: str) -> str:
    return f"{key}.{part}".replace(".", "_")  # a buffer's name has no dots
