"""The contextual bilateral loss, CoBi, which seeks matches nearby: the paper's form, and that of the paper's code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor, nn

from pdloss.losses.choice import FeatureChoice
from pdloss.losses.contextual import MatchingLoss
from pdloss.ops import matching
from pdloss.ops.matching import Center
from pdloss.ops.options import check_option

__all__ = ["CoBi", "CoBiCode", "CoBiCodeLoss", "CoBiLoss", "cobi_code_loss", "cobi_loss"]

FEATURES, LAYER_WEIGHTS = "vgg19.relu1_2+relu2_2+relu3_2", (1.0, 1.0, 0.5)
"""The layers of the published code, and their weights."""


def cobi_loss(
    restored: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h2 w2"],
    *,
    spatial_weight: float = 0.1,
    block: int = matching.BLOCK,
) -> Float[Tensor, " b"]:
    r"""Returns the contextual bilateral loss of each image as its paper defines it.

    .. math:: \frac{1}{N} \sum_{i=1}^{N} \min_j \left( d_{ij} + w \, \|p_i - p_j\| \right)

    over the positions i of the restored map and j of the target's, where d is (1 - cosine)/2 of features around the
    mean of the image's target, and :math:`p = (r/H, c/W)` of row r and column c. No softmax, no logarithm: for maps of
    equal size it lies between 0, the value at equality up to rounding, and 1. No public code computes this form; how
    features are centred, how positions are scaled and the weight (that of the code's form) are our choice.

    Exact, whatever the size: the best match of each position is sought a block of rows at a time, and the gradient is
    that of the matches found. Computes in float32 at least, even under autocast. The target is a constant: gradients
    reach `restored` only.

    Args:
        restored: Features of the restored images (B, C, H, W).
        target: Features of the targets; height and width may differ.
        spatial_weight: w, not negative: how much better a match a whole width away must be.
        block: Pairs to hold at a time; changes the memory, never the value.

    Raises:
        ValueError: If batch or channels differ, or `spatial_weight` is negative.

    Example:
        >>> red, green, blue = torch.eye(3)
        >>> target = torch.stack([red, green, blue], dim=1).view(1, 3, 1, 3)
        >>> cobi_loss(target.flip(-1), target)  # two of three are found two thirds of the width away
        tensor([0.0444])

    References:
        | Zoom to Learn, Learn to Zoom (Zhang et al., 2019), section 4
        | https://arxiv.org/abs/1905.05169
    """
    _check_weight(spatial_weight)
    points_x, points_y = matching.points(restored, target, "dot")
    positions_x, positions_y = (matching.grid(maps, points_x.dtype) for maps in (restored, target))
    values = []
    for x, y in zip(points_x, points_y, strict=True):

        def cost(rows: Tensor, places: Tensor, y: Tensor = y) -> Tensor:
            away = matching.gaps(positions_x[places], positions_y)
            return matching.distances(rows, y, "dot") + spatial_weight * away

        found = matching.lowest(x.detach(), len(y), cost, block)
        d = ((1 - (x * y[found]).sum(1)) / 2).clamp(min=0)
        values.append((d + spatial_weight * (positions_x - positions_y[found]).norm(dim=1)).mean())
    return torch.stack(values)


def cobi_code_loss(
    restored: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h2 w2"],
    *,
    spatial_weight: float = 0.1,
    bandwidth: float = 0.5,
    center: Center = "image",
    position_scale: float = 255.0,
    epsilon: float = 1e-3,
    block: int = matching.BLOCK,
) -> Float[Tensor, " b"]:
    r"""Returns the contextual bilateral loss of each image as its authors' code defines it.

    .. math:: -\log \frac{1}{M} \sum_{j=1}^{M} \max_i \left( (1 - w) \, CX_{ij} + w \, CX^p_{ij} \right)

    where CX are the similarities of `contextual_loss` with ``dot``, and :math:`CX^p` those of the squared distances of
    positions :math:`s \cdot (r/H, c/W)`. This is not the paper's form, `cobi_loss`: the two are mixed after the
    softmax. At :math:`s = 255`, on maps of equal size and at most a thousand positions a side, :math:`CX^p` is 1 for
    the same position and 0 for every other, to the last bit of float32: a bonus for finding a feature exactly where it
    belongs, while nearby is no better than far away. At :math:`s = 1`, as another state of that code has it, being near
    counts. There maps have to be square; here they need not.

    The value lies between 0 and :math:`\log M`, at equality near 0. Exact in bounded memory, float32 at least and
    without a gradient to the target, as `contextual_loss`.

    Args:
        restored: Features of the restored images (B, C, H, W).
        target: Features of the targets; height and width may differ.
        spatial_weight: w, from 0 to 1.
        bandwidth: h of both softmaxes.
        center: See `contextual_loss`; the code has ``batch``.
        position_scale: s.
        epsilon: Steadies the division by the nearest distance, of both.
        block: Pairs to hold at a time; changes the memory, never the value.

    Raises:
        ValueError: If batch or channels differ, or an option makes no sense.

    Example:
        >>> red, green, blue = torch.eye(3)
        >>> target = torch.stack([red, green, blue], dim=1).view(1, 3, 1, 3)
        >>> (-cobi_code_loss(target.roll(1, -1), target)).exp()  # each found with 0.9, but none where it belongs
        tensor([0.9000])

    References:
        | https://github.com/ceciliavision/zoom-learn-zoom
    """
    _check_weight(spatial_weight, at_most=1)
    matching.check_positive(bandwidth=bandwidth, epsilon=epsilon, position_scale=position_scale)
    points_x, points_y = matching.points(restored, target, "dot", center)
    positions_x, positions_y = (position_scale * matching.grid(maps, points_x.dtype) for maps in (restored, target))
    values = []
    for x, y in zip(points_x, points_y, strict=True):

        def score(rows: Tensor, places: Tensor, y: Tensor = y) -> Tensor:
            away = matching.gaps(positions_x[places], positions_y).square()
            return _mixed(matching.distances(rows, y, "dot"), away, bandwidth, epsilon, spatial_weight)

        values.append(matching.highest(x, len(y), score, block).mean().reciprocal().log())
    return torch.stack(values)


class CoBiLoss(MatchingLoss):
    """Measures how different each restored position is from its best match nearby, as the paper defines it.

    Args:
        features: See `FeatureLoss`.
        spatial_weight: See `cobi_loss`.
        max_positions: Refuses maps of more positions than that.
        extractor: See `FeatureLoss`.
        layer_weights: See `FeatureLoss`; by default the published ones, 1, 1 and 0.5, for the published layers, and
            1/L for any others.
        offset: See `FeatureLoss`.

    Raises:
        ValueError: If an option makes no sense.
    """

    def __init__(
        self,
        features: str | nn.Module = FEATURES,
        *,
        spatial_weight: float = 0.1,
        max_positions: int | None = None,
        extractor: nn.Module | None = None,
        layer_weights: Sequence[float] | None = None,
        offset: int = 0,
    ) -> None:
        _check_weight(spatial_weight)
        super().__init__(
            features,
            max_positions=max_positions,
            extractor=extractor,
            layer_weights=_published(layer_weights, features),
            offset=offset,
        )
        self.spatial_weight = spatial_weight

    def distance(self, restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h2 w2"]) -> Float[Tensor, " b"]:
        """Returns one value per image for the maps of one layer."""
        self.check_positions(restored, target)
        return cobi_loss(restored, target, spatial_weight=self.spatial_weight)


class CoBiCodeLoss(MatchingLoss):
    """Measures how well every position of the target is found in the restored features, best where it belongs.

    Args:
        features: See `FeatureLoss`.
        spatial_weight: See `cobi_code_loss`.
        bandwidth: See there.
        center: See there.
        position_scale: See there.
        max_positions: Refuses maps of more positions than that.
        extractor: See `FeatureLoss`.
        layer_weights: See `CoBiLoss`.
        offset: See `FeatureLoss`.

    Raises:
        ValueError: If an option makes no sense.
    """

    def __init__(
        self,
        features: str | nn.Module = FEATURES,
        *,
        spatial_weight: float = 0.1,
        bandwidth: float = 0.5,
        center: Center = "image",
        position_scale: float = 255.0,
        max_positions: int | None = None,
        extractor: nn.Module | None = None,
        layer_weights: Sequence[float] | None = None,
        offset: int = 0,
    ) -> None:
        _check_weight(spatial_weight, at_most=1)
        check_option(Center, center=center)
        matching.check_positive(bandwidth=bandwidth, position_scale=position_scale)
        super().__init__(
            features,
            max_positions=max_positions,
            extractor=extractor,
            layer_weights=_published(layer_weights, features),
            offset=offset,
        )
        self.spatial_weight, self.bandwidth = spatial_weight, bandwidth
        self.center, self.position_scale = center, position_scale

    def distance(self, restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h2 w2"]) -> Float[Tensor, " b"]:
        """Returns one value per image for the maps of one layer."""
        self.check_positions(restored, target)
        return cobi_code_loss(
            restored, target, spatial_weight=self.spatial_weight, bandwidth=self.bandwidth, center=self.center,
            position_scale=self.position_scale,
        )  # fmt: skip


@dataclass(frozen=True)
class CoBi(FeatureChoice, name="cobi", module=CoBiLoss):
    """The contextual bilateral loss as its paper defines it."""

    features: str = FEATURES
    spatial_weight: Annotated[float, Meta(ge=0)] = 0.1
    max_positions: Annotated[int, Meta(ge=1)] | None = None


@dataclass(frozen=True)
class CoBiCode(FeatureChoice, name="cobi_code", module=CoBiCodeLoss):
    """The contextual bilateral loss as its authors' code defines it."""

    features: str = FEATURES
    spatial_weight: Annotated[float, Meta(ge=0, le=1)] = 0.1
    bandwidth: Annotated[float, Meta(gt=0)] = 0.5
    center: Center = "image"
    position_scale: Annotated[float, Meta(gt=0)] = 255.0
    max_positions: Annotated[int, Meta(ge=1)] | None = None


def _mixed(features: Tensor, positions: Tensor, bandwidth: float, epsilon: float, spatial_weight: float) -> Tensor:
    """Returns the similarities of features and of positions, from the distances of both, mixed by the weight."""
    alike, near = (matching.similarities(apart, bandwidth, epsilon) for apart in (features, positions))
    return torch.lerp(alike, near, spatial_weight)


def _published(layer_weights: Sequence[float] | None, features: str | nn.Module) -> Sequence[float] | None:
    return LAYER_WEIGHTS if layer_weights is None and features == FEATURES else layer_weights


def _check_weight(spatial_weight: float, at_most: float = float("inf")) -> None:
    if not 0 <= spatial_weight <= at_most:
        raise ValueError(f"spatial_weight must be at least 0 and at most {at_most:g}, got {spatial_weight:g}")
