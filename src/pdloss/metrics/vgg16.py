"""The VGG16 that LPIPS and DISTS were fitted to: torchvision's, in full precision."""

import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from pdloss import assets
from pdloss._types import Images
from pdloss.errors import AssetError
from pdloss.features.recent import Recent
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
        self._first = _shared(f"{path} {assets.sha256(path)} {len(self.plan[:4])}")
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

    def first_block(self, images: Tensor) -> dict[str, Tensor]:
        """Returns the maps of the first block, which LPIPS and DISTS share: they differ in the pooling behind it."""
        return self._first(images, super().first_block)


_FIRST: "weakref.WeakValueDictionary[str, Recent[dict[str, Tensor]]]" = weakref.WeakValueDictionary()
"""What the networks of the same weights that are in use remember together."""


def _shared(weights: str) -> Recent[dict[str, Tensor]]:
    found = _FIRST.get(weights)
    if found is None:
        found = _FIRST[weights] = Recent(keep=2)
    return found
