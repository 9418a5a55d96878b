"""The VGG16 that LPIPS and DISTS were fitted to: torchvision's, in full precision."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from pdloss import assets
from pdloss._types import Images
from pdloss.errors import AssetError
from pdloss.features.vgg import VGG16Features, max_pool


class TorchvisionVGG16(VGG16Features):
    """Computes maps of torchvision's VGG16 in float32, even under autocast and for images of another precision.

    Args:
        layers: See `VGG16Features`.
        weights: A safetensors file; by default ``vgg16-torchvision``.
        pool: See `VGG16Features`.

    Raises:
        SpecError: If a layer does not exist.
        AssetError: If the weights are not at hand, or follow Caffe's convention: those of another network, to which
            published channel weights do not apply.
    """

    def __init__(
        self, layers: Sequence[str], weights: Path | None = None, pool: Callable[[Tensor], Tensor] = max_pool
    ) -> None:
        path = weights or assets.path("vgg16-torchvision")
        super().__init__(layers, path, pool)
        if self.convention != "torchvision":
            raise AssetError(
                f"{path} follows the {self.convention} convention, but this metric was fitted to torchvision's VGG16; "
                "use vgg16-torchvision"
            )

    def forward(self, images: Images) -> dict[str, Tensor]:
        """Returns the maps (B, C, h, w) of the layers asked for, in the order asked for.

        Raises:
            ValueError: If a side is so small that the pooling leaves nothing.
        """
        with torch.autocast(images.device.type, enabled=False):
            return super().forward(images.float())
