"""What AlexNet and SqueezeNet share: ImageNet's mean and deviation, full precision, one layer after another."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from pdloss._types import Images
from pdloss.features.frozen import Frozen
from pdloss.ops.dtypes import at_least_float32


class ImageNetFeatures(Frozen, ABC):
    """Base of the extractors with torchvision's weights that compute in float32 even under autocast.

    Attributes:
        plan: The layers up to the last one asked for, in torchvision's order: a layer's place is its index there.
    """

    plan: tuple[str, ...]

    def __init__(self) -> None:
        super().__init__()
        self.freeze("mean", torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1))
        self.freeze("std", torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1))

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
                x = self.layer(index, name, x)
                if name in self.layers:
                    maps[name] = x
        return {name: maps[name] for name in self.layers}

    @abstractmethod
    def layer(self, index: int, name: str, x: Tensor) -> Tensor:
        """Returns what the layer of that index and name makes of x."""
