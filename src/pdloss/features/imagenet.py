"""What AlexNet and SqueezeNet share: torchvision's weights, ImageNet's mean and deviation, full precision."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from pdloss import assets
from pdloss._types import Images
from pdloss.assets.catalogue import IMAGENET_MEAN, IMAGENET_STD
from pdloss.errors import AssetError
from pdloss.features.frozen import Frozen, chosen_layers, read_weights
from pdloss.ops.dtypes import at_least_float32


class ImageNetFeatures(Frozen, ABC):
    """Base of the extractors with torchvision's weights that compute in float32 even under autocast.

    Attributes:
        every: All layers in torchvision's order: a layer's place is its index in torchvision's ``features``.
        plan: The layers up to the last one asked for.
        name: What text calls the network.
        called: What messages call it.
        asset: Its weights by default.
    """

    every: ClassVar[tuple[str, ...]]
    name: ClassVar[str]
    called: ClassVar[str]
    asset: ClassVar[str]
    plan: tuple[str, ...]

    def __init__(self, layers: Sequence[str], weights: Path | None = None) -> None:
        super().__init__()
        self.layers = chosen_layers(layers, self.every, self.name)
        self.plan = self.every[: max(map(self.every.index, self.layers)) + 1]
        self.freeze("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.freeze("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))
        path = weights or assets.path(self.asset)
        self.origin = self.describe(path)
        self._load(path)

    def _load(self, path: Path) -> None:
        tensors = read_weights(path)
        for key, shape in self.kernels().items():
            try:
                kernel, bias = tensors[f"{key}.weight"].float(), tensors[f"{key}.bias"].float()
            except KeyError as error:
                raise AssetError(f"{path} is not torchvision's {self.called}: it lacks {error}") from None
            if kernel.shape != shape:
                got = f"{key}.weight is {tuple(kernel.shape)} instead of {shape}"
                raise AssetError(f"{path} is not torchvision's {self.called}: {got}")
            self.freeze(_buffer(key, "weight"), kernel)
            self.freeze(_buffer(key, "bias"), bias)

    def forward(self, images: Images) -> dict[str, Tensor]:
        """Returns the maps (B, C, h, w) of the layers asked for, in the order asked for.

        Args:
            images: RGB in [0, 1], (B, 3, H, W); ImageNet's mean and standard deviation are applied here.

        Raises:
            ValueError: If a side is so small that the strides leave nothing.
        """
        self.check_side(images)
        maps = {}
        with torch.autocast(images.device.type, enabled=False):
            x = at_least_float32(images)
            x = (x - self.frozen("mean").to(x.dtype)) / self.frozen("std").to(x.dtype)
            for index, name in enumerate(self.plan):
                x = F.relu(x) if name.startswith("relu") else self.layer(f"features.{index}", name, x)
                if name in self.layers:
                    maps[name] = x
        return {name: maps[name] for name in self.layers}

    def convolution(self, key: str, x: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        """Returns x filtered by the kernel of that key in torchvision's state dict."""
        weight, bias = (self.frozen(_buffer(key, part)).to(x.dtype) for part in ("weight", "bias"))
        return F.conv2d(x, weight, bias, stride, padding)

    @abstractmethod
    def kernels(self) -> dict[str, tuple[int, int, int, int]]:
        """Returns the shape of every kernel in the plan, by its key without ``.weight``."""

    @abstractmethod
    def layer(self, key: str, name: str, x: Tensor) -> Tensor:
        """Returns what the layer of that key and name makes of x, if it is no ReLU."""


def _buffer(key: str, part: str) -> str:
    return f"{key}.{part}".replace(".", "_")  # a buffer's name has no dots
