"""The projected distribution loss: features compared as distributions, eq. (5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, cast

import torch
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor, nn

from pdloss.losses.choice import FeatureChoice
from pdloss.losses.feature_loss import FeatureLoss
from pdloss.losses.random_draws import DrawCount
from pdloss.ops import max_sliced_wasserstein, projections, sliced_wasserstein, wasserstein_1d
from pdloss.ops.options import check_option
from pdloss.ops.streams import generator

__all__ = ["PDL", "MultilayerPDL", "ProjectedDistributionLoss", "projected_distribution_loss"]

Projection = Literal["identity", "pairs", "perturbed", "sphere", "orthogonal", "max"]


def projected_distribution_loss(
    restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h2 w2"], *, p: float = 1.0
) -> Float[Tensor, " b"]:
    r"""Returns the mean over channels of the 1-D Wasserstein cost between their values, one value per image.

    .. math:: \frac{1}{M} \sum_{k=1}^{M} W_p^p\left(\hat F_k, F_k\right)

    where :math:`F_k` is the sample of all values that channel k takes over the image, eq. (5) with the identity
    projection. Positions are sorted away: shuffling the pixels changes nothing, shuffling the channels does. Samples
    are compared within one image, never across the batch.

    Args:
        restored: Features of the restored images (B, C, H, W).
        target: Features of the targets; height and width may differ.
        p: Order of the cost, at least 1; no root is taken.

    Example:
        >>> import torch
        >>> features = torch.rand(1, 4, 8, 8)
        >>> elsewhere = features.flatten(2)[:, :, torch.randperm(64)].view(1, 4, 8, 8)
        >>> projected_distribution_loss(features, elsewhere)
        tensor([0.])
        >>> projected_distribution_loss(features, elsewhere + 2)
        tensor([2.])

    References:
        | Projected Distribution Loss for Image Enhancement (Delbracio, Talebi and Milanfar, 2021)
        | https://arxiv.org/abs/2012.09289
    """
    return wasserstein_1d(restored.flatten(2), target.flatten(2), p).mean(-1)


class ProjectedDistributionLoss(FeatureLoss):
    """Measures how differently features are distributed, wherever in the image they lie, along many directions.

    Directions are drawn anew for every value, in training mode: the n-th drawing depends on `seed` and n alone, on any
    device, and n is part of the state dict, so that a resumed training draws what it would have drawn. In eval mode,
    or without `redraw`, they stay as they are.

    Args:
        features: Backbone and layers, such as ``"vgg16.relu4_3"`` (the paper's) or ``"distilled.relu4_3"`` (ships with
            the package); or any module that maps RGB images in [0, 1] to feature maps. See `FeatureLoss`.
        p: Order of the cost, at least 1.
        projection: What to project on: ``identity``, each channel by itself (the paper's choice); or directions drawn
            at random, ``pairs`` (R2P), ``perturbed`` (RPP), ``sphere`` (RSP), ``orthogonal``, see
            `pdloss.ops.projections`; or ``max``, the costliest direction found from ``sphere``.
        ratio: Directions per channel.
        epsilon: Tangent of the angle by which ``perturbed`` turns the channels' axes.
        ascents: Steps of ``max`` towards a costlier direction.
        redraw: Whether to draw new directions every time.
        seed: Chooses the directions, and the offsets.
        directions: A ready matrix (M, C) instead: `projection` is then ``identity`` and none is drawn.
        samples: In training, a map of more positions than that is compared at so many of them, the same of restored
            and target, drawn anew from `seed` for every value as directions are. Sorting maps of the image's own side
            costs more than computing them, and a few hundred values say what a channel's distribution is. In eval
            mode, where no gradient is asked for, and with 0, all positions count.
        extractor: See `FeatureLoss`.
        layer_weights: See `FeatureLoss`.
        offset: See `FeatureLoss`; drawn from the same `seed`.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import torch
        >>> loss = ProjectedDistributionLoss("distilled.relu4_3", projection="sphere", ratio=0.5)
        >>> image = torch.rand(1, 3, 32, 32)
        >>> loss(image, image)
        tensor(0.)
    """

    given: Tensor | None

    def __init__(
        self,
        features: str | nn.Module = "vgg16.relu4_3",
        *,
        p: float = 1.0,
        extractor: nn.Module | None = None,
        projection: Projection = "identity",
        ratio: float = 1.0,
        epsilon: float = 0.1,
        ascents: int = 5,
        redraw: bool = True,
        seed: int = 0,
        directions: Float[Tensor, "m c"] | None = None,
        layer_weights: Sequence[float] | None = None,
        offset: int = 0,
        samples: int = 0,
    ) -> None:
        if not p >= 1:
            raise ValueError(f"p must be at least 1, got {p}")
        check_option(Projection, projection=projection)
        if not ratio > 0:
            raise ValueError(f"ratio must be positive, got {ratio}: it is the number of directions per channel")
        if directions is not None and projection != "identity":
            raise ValueError(f"directions are given, so there are none to draw by {projection!r}; leave one out")
        if samples < 0:
            raise ValueError(f"samples must not be negative, got {samples}: it is a number of positions; 0 takes all")
        super().__init__(features, extractor=extractor, layer_weights=layer_weights, offset=offset, seed=seed)
        self.p, self.projection, self.ratio, self.epsilon, self.ascents = p, projection, ratio, epsilon, ascents
        self.seed, self.samples = seed, samples
        self.drawings = DrawCount() if redraw and projection != "identity" else None
        self.samplings = DrawCount() if samples else None
        self.register_buffer("given", directions, persistent=False)

    def compare(self, restored: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
        """Returns the loss of maps already computed: averaged over the batch, summed over this loss's layers."""
        value = super().compare(restored, target)
        if self.drawings is not None and self.training:
            self.drawings.advance()
        if self.samplings is not None and self._trains(value):
            self.samplings.advance()
        return value

    def distance(self, restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h2 w2"]) -> Float[Tensor, " b"]:
        """Returns one value per image for the maps of one layer."""
        restored, target = self._sampled(restored, target)
        if self.given is not None:
            return sliced_wasserstein(restored, target, self.given, self.p)
        if self.projection == "identity":
            return projected_distribution_loss(restored, target, p=self.p)
        drawn = self.draw(restored.shape[1])
        if self.projection == "max":
            return max_sliced_wasserstein(restored, target, drawn, self.p, self.ascents)
        return sliced_wasserstein(restored, target, drawn, self.p)

    def _sampled(self, restored: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Returns both maps at the positions drawn next, as (B, C, N, 1), or as they are."""
        if self.samplings is None or not self._trains(restored) or restored[0, 0].numel() <= self.samples:
            return restored, target
        stream = generator("samples", self.seed, self.samplings.here(), restored[0, 0].numel())
        places = _places(restored, self.samples, stream)
        same = restored.shape[2:] == target.shape[2:]
        return _at(restored, places), _at(target, places if same else _places(target, self.samples, stream))

    def _trains(self, restored: Tensor) -> bool:
        return self.training and torch.is_grad_enabled() and restored.requires_grad

    def draw(self, channels: int) -> Float[Tensor, "m c"]:
        """Returns the directions of the next value, for that many channels.

        Raises:
            ValueError: If the ratio draws none, or there are too few channels.
        """
        stream = generator("directions", self.seed, 0 if self.drawings is None else self.drawings.here(), channels)
        scheme = "sphere" if self.projection == "max" else cast(projections.Drawn, self.projection)
        return projections.directions(scheme, channels, self.ratio, stream, self.epsilon)


def _places(maps: Tensor, count: int, stream: torch.Generator) -> Tensor:
    return torch.randperm(maps[0, 0].numel(), generator=stream)[:count].to(maps.device)


def _at(maps: Float[Tensor, "b c h w"], places: Tensor) -> Float[Tensor, "b c n 1"]:
    """Returns maps at some positions, read along the channels, which lie side by side where convolutions left them."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2).index_select(1, places).transpose(1, 2).unsqueeze(-1)


@dataclass(frozen=True)
class PDL(FeatureChoice, name="pdl", module=ProjectedDistributionLoss):
    """The projected distribution loss, eq. (5): by default with each channel as its own projection."""

    p: Annotated[float, Meta(ge=1)] = 1.0
    projection: Projection = "identity"
    ratio: Annotated[float, Meta(gt=0)] = 1.0
    epsilon: Annotated[float, Meta(gt=0)] = 0.1
    ascents: Annotated[int, Meta(ge=0)] = 5
    redraw: bool = True
    seed: int = 0
    samples: Annotated[int, Meta(ge=0)] = field(default=0, kw_only=True)
    later_options: ClassVar[tuple[str, ...]] = (*FeatureChoice.later_options, "samples")


@dataclass(frozen=True)
class MultilayerPDL(PDL, name="multilayer_pdl", module=ProjectedDistributionLoss):
    """Ours, to start from: `pdl` on four layers that ship, the first at full resolution, at places drawn anew."""

    features: str = "distilled.relu1_2+relu2_2+relu3_3+relu4_3"
    samples: Annotated[int, Meta(ge=0)] = field(default=256, kw_only=True)
    later_options: ClassVar[tuple[str, ...]] = ()
