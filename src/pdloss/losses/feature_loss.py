"""What losses on feature maps share: an extractor, a distance between maps, the sum over layers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pdloss.errors import SpecError
from pdloss.features import FeatureNames
from pdloss.losses.checks import CheckedPair, check_side
from pdloss.losses.random_draws import Offsets
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
        offset: In training, features are taken of both images without their first rows and columns, as many of each
            as are drawn anew from 0 to ``offset - 1`` for every value: no lattice of poolings or strides then stands
            still against one that the network makes. The n-th drawing depends on n (and on the loss's seed, if it has
            one) alone, on any device, and n is part of the state dict. Nothing is drawn, nor counted, in eval mode or
            where no gradient is asked for: there the whole images count, as everywhere with 0.
        seed: Chooses the offsets.

    Raises:
        ValueError: If `offset` is negative.
        SpecError: If the name is unknown, or there are not as many weights as layers.
        AssetError: If the weights are not at hand.
    """

    layers: tuple[str, ...] | None
    least_positions: int = 1
    """The fewest positions along a side of a map that the loss can compare."""

    def __init__(
        self,
        features: str | nn.Module,
        *,
        extractor: nn.Module | None = None,
        layer_weights: Sequence[float] | None = None,
        offset: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.check = CheckedPair()
        self.offsets = Offsets(offset, seed)
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
        return self.compare(*shared_maps([self], restored, target))


def shared_maps(
    losses: Sequence[FeatureLoss], restored: Tensor, target: Tensor
) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
    """Returns the maps of both batches, computed once for losses with one extractor and one bound of offsets.

    Raises:
        ValueError: As `next_offset`.
    """
    y, x = next_offset(losses, restored)
    return pair_of_maps(losses[0].extractor, restored[..., y:, x:], target[..., y:, x:])


def next_offset(losses: Sequence[FeatureLoss], restored: Tensor) -> tuple[int, int]:
    """Returns the row and column at which the maps of losses that share them begin; the first loss draws for all.

    Raises:
        ValueError: If the images are too small for the largest offset that may come, whichever does.
    """
    first = losses[0]
    if not first.training or first.offsets.most == 0:
        return 0, 0
    least = getattr(first.extractor, "minimum_side", 1) * max(loss.least_positions for loss in losses)
    bound = f"offset={first.offsets.bound}, which leaves out up to {first.offsets.most} rows and columns,"
    check_side(restored, least + first.offsets.most, bound, "train on larger crops, or with a smaller offset")
    return first.offsets.draw() if torch.is_grad_enabled() and restored.requires_grad else (0, 0)


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
