"""The contextual loss: is every position of the target found somewhere in the restored image?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor, nn

from pdloss.errors import SpecError
from pdloss.losses.choice import FeatureChoice
from pdloss.losses.feature_loss import FeatureLoss
from pdloss.ops import matching
from pdloss.ops.matching import Center, Distance
from pdloss.ops.options import check_option

__all__ = ["Contextual", "ContextualLoss", "contextual_loss"]


def contextual_loss(
    restored: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h2 w2"],
    *,
    distance: Distance = "dot",
    bandwidth: float = 0.5,
    center: Center = "image",
    epsilon: float = 1e-5,
    block: int = matching.BLOCK,
) -> Float[Tensor, " b"]:
    r"""Returns the contextual loss of each image: minus the logarithm of how well the target's positions are matched.

    .. math:: -\log \frac{1}{M} \sum_{j=1}^{M} \max_i CX_{ij}, \quad
              CX_{ij} = \operatorname{softmax}_j\left(-\frac{d_{ij}}{h \, (\min_k d_{ik} + \epsilon)}\right)

    over the positions i of the restored map and j of the target's. Where in the image they lie does not matter. The
    rows of CX sum to one, so that the value lies between 0 and :math:`\log M`; one restored position repeated all over
    costs :math:`\log M`.

    At equality it is 0 up to rounding if all positions are well apart, and no lower value exists. It is
    :math:`-\log` of the mean of :math:`1/k_j` if position j occurs :math:`k_j` times: near-repetitions, as in flat
    regions, leave something too, and a constant target costs :math:`\log M` whatever is restored.

    Exact, whatever the size: pairs are taken a block of rows at a time, see `pdloss.ops.matching`. Computes in float32
    at least, even under autocast. The target is a constant: gradients reach `restored` only.

    Args:
        restored: Features of the restored images (B, C, H, W).
        target: Features of the targets; height and width may differ.
        distance: d is ``dot``, (1 - cosine)/2 of features around the target's mean; or ``l2``, the squared distance.
        bandwidth: h: 0.5 and 0.1 are in use; the smaller, the more only the best match counts.
        center: For ``dot``, the mean over positions is that of each ``image``'s target by itself; or of the ``batch``,
            as the published code has it, which makes the value of one image depend on the others.
        epsilon: Steadies the division by the nearest distance.
        block: Pairs to hold at a time; changes the memory, never the value.

    Raises:
        ValueError: If batch or channels differ, or an option makes no sense.

    Example:
        >>> red, green, blue = torch.eye(3)
        >>> target = torch.stack([red, green, blue], dim=1).view(1, 3, 1, 3)
        >>> contextual_loss(target.flip(-1), target)  # every position found, though elsewhere
        tensor([0.])
        >>> everywhere_red = torch.stack([red, red, red], dim=1).view(1, 3, 1, 3)
        >>> contextual_loss(everywhere_red, target).exp()
        tensor([3.])

    References:
        | The Contextual Loss for Image Transformation with Non-Aligned Data (Mechrez et al., 2018)
        | https://arxiv.org/abs/1803.02077
    """
    matching.check_positive(bandwidth=bandwidth, epsilon=epsilon)
    pairs = zip(*matching.points(restored, target, distance, center), strict=True)
    values = [_of_one(x, y, distance, bandwidth, epsilon, block) for x, y in pairs]
    return torch.stack(values)


def _of_one(x: Tensor, y: Tensor, distance: Distance, bandwidth: float, epsilon: float, block: int) -> Tensor:
    def score(rows: Tensor, _: Tensor) -> Tensor:
        return matching.similarities(matching.distances(rows, y, distance), bandwidth, epsilon)

    return matching.highest(x, len(y), score, block).mean().reciprocal().log()


class MatchingLoss(FeatureLoss):
    """Base of the losses whose cost grows with the square of the number of positions; refuses maps that have too many.

    Args:
        features: See `FeatureLoss`.
        max_positions: Largest number of positions of a map, or None for no limit. Time grows with its square.
        extractor: See `FeatureLoss`.
        layer_weights: See `FeatureLoss`.
        offset: See `FeatureLoss`.

    Raises:
        ValueError: If `max_positions` is not positive.
    """

    def __init__(
        self,
        features: str | nn.Module,
        *,
        max_positions: int | None,
        extractor: nn.Module | None,
        layer_weights: Sequence[float] | None,
        offset: int,
    ) -> None:
        if max_positions is not None and max_positions < 1:
            raise ValueError(f"max_positions must be at least 1, or None for no limit, got {max_positions}")
        super().__init__(features, extractor=extractor, layer_weights=layer_weights, offset=offset)
        self.max_positions = max_positions

    def check_positions(self, *maps: Float[Tensor, "b c _ _"]) -> None:
        """Refuses maps with too many positions.

        Raises:
            SpecError: If one has more than `max_positions`.
        """
        for height, width in (features.shape[-2:] for features in maps):
            if self.max_positions is not None and height * width > self.max_positions:
                raise SpecError(
                    f"features of {height}x{width} have {height * width} positions, more than "
                    f"max_positions={self.max_positions}; use a deeper layer, smaller crops, or a larger max_positions"
                )


class ContextualLoss(MatchingLoss):
    """Measures how well every position of the target's features is found in the restored ones (Mechrez et al. 2018).

    Args:
        features: See `FeatureLoss`.
        distance: ``dot`` or ``l2``, see `contextual_loss`.
        bandwidth: h, see there.
        center: ``image`` or ``batch``, see there.
        max_positions: Refuses maps of more positions than that.
        extractor: See `FeatureLoss`.
        layer_weights: See `FeatureLoss`.
        offset: See `FeatureLoss`.

    Raises:
        ValueError: If an option makes no sense.

    References:
        | https://arxiv.org/abs/1803.02077
        | Maintaining Natural Image Statistics with the Contextual Loss (Mechrez et al., 2018)
        | https://arxiv.org/abs/1803.04626
    """

    def __init__(
        self,
        features: str | nn.Module = "vgg16.relu4_3",
        *,
        distance: Distance = "dot",
        bandwidth: float = 0.5,
        center: Center = "image",
        max_positions: int | None = None,
        extractor: nn.Module | None = None,
        layer_weights: Sequence[float] | None = None,
        offset: int = 0,
    ) -> None:
        check_option(Distance, distance=distance)
        check_option(Center, center=center)
        matching.check_positive(bandwidth=bandwidth)
        super().__init__(
            features, max_positions=max_positions, extractor=extractor, layer_weights=layer_weights, offset=offset
        )
        self.pairwise, self.bandwidth, self.center = distance, bandwidth, center

    def distance(self, restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h2 w2"]) -> Float[Tensor, " b"]:
        """Returns one value per image for the maps of one layer."""
        self.check_positions(restored, target)
        return contextual_loss(restored, target, distance=self.pairwise, bandwidth=self.bandwidth, center=self.center)


@dataclass(frozen=True)
class Contextual(FeatureChoice, name="contextual", module=ContextualLoss):
    """The contextual loss: every position of the target's features should be found in the restored ones, anywhere."""

    distance: Distance = "dot"
    bandwidth: Annotated[float, Meta(gt=0)] = 0.5
    center: Center = "image"
    max_positions: Annotated[int, Meta(ge=1)] | None = None
