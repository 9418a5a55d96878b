"""What losses on feature maps share: an extractor, a distance between maps, the sum over layers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pdloss.errors import SpecError
from pdloss.features import FeatureNames
from pdloss.losses.checks import CheckedPair
from pdloss.ops.dtypes import at_least_float32
from pdloss.specs.trust import TYPED

__all__ = ["FeatureLoss"]


class FeatureLoss(nn.Module, ABC):
    """Base of the losses on feature maps: `distance`, averaged over the batch and summed over layers by their weights.

    Args:
        features: A name such as ``"vgg19.relu3_4+relu4_4"``, or a module that maps RGB images (B, 3, H, W) in [0, 1] to
            one map (B, C, h, w) or to a dictionary of them.
        extractor: Computes at least the layers that `features` names, shared with other losses; by default built here.
        layer_weights: One weight per layer, in order; by default all are 1/L, which gives the mean over the L layers.

    Raises:
        SpecError: If the name is unknown, or there are not as many weights as layers.
        AssetError: If the weights are not at hand.
    """

    layers: tuple[str, ...] | None

    def __init__(
        self,
        features: str | nn.Module,
        *,
        extractor: nn.Module | None = None,
        layer_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.check = CheckedPair()
        if isinstance(features, nn.Module):
            self.extractor, self.layers = features, None
        else:
            names = FeatureNames.parse(features, TYPED)
            self.extractor = extractor or names.build()
            self.layers = names.layers or None
        self.layer_weights = layer_weights
        if self.layers is not None:
            self._weights(self.layers)

    @abstractmethod
    def distance(self, restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h2 w2"]) -> Float[Tensor, " b"]:
        """Returns one value per image for the maps of one layer."""

    def compare(self, restored: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
        """Returns the loss of maps already computed: averaged over the batch, summed over this loss's layers."""
        layers = self.layers or tuple(restored)
        values = [self.distance(restored[layer], target[layer]).mean() for layer in layers]
        return torch.stack([w * value for w, value in zip(self._weights(layers), values, strict=True)]).sum()

    def _weights(self, layers: Sequence[str]) -> Sequence[float]:
        if self.layer_weights is None:
            return [1 / len(layers)] * len(layers)
        if len(self.layer_weights) != len(layers):
            raise SpecError(f"{len(self.layer_weights)} layer weights for {len(layers)} layers ({', '.join(layers)})")
        return self.layer_weights

    def forward(self, restored: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of two image batches (B, 3, H, W) in [0, 1]; gradients reach `restored` only.

        Raises:
            ValueError: If the two are not floating-point RGB batches of one shape, or too small for the deepest layer.
        """
        self.check(restored, target)
        return self.compare(*pair_of_maps(self.extractor, restored, target))


def pair_of_maps(
    extractor: nn.Module, restored: Tensor, target: Tensor
) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
    """Returns the maps of both batches by layer; the target's without a graph.

    Half-precision images are seen as float32: which precision convolutions run in is for autocast to say.
    """
    with torch.no_grad():
        target_maps = _by_layer(extractor(at_least_float32(target)))
    return _by_layer(extractor(at_least_float32(restored))), target_maps


def _by_layer(maps: Tensor | Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    return {"maps": maps} if isinstance(maps, Tensor) else maps
