"""Wasserstein Distortion: means and spreads of features within a width that may differ from place to place."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from pdloss._types import Images
from pdloss.assets.catalogue import IMAGENET_MEAN, IMAGENET_STD
from pdloss.losses.choice import FeatureChoice
from pdloss.losses.feature_loss import FeatureLoss, next_offset, pair_of_maps
from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.filters import filter_valid

__all__ = ["WassersteinDistortion", "WassersteinDistortionLoss", "wasserstein_distortion_loss"]

FEATURES = "vgg16-torchvision.relu1_2+relu2_2+relu3_3+relu4_3+relu5_3"
LEVELS = 5
WIDEST = 2**LEVELS
"""The largest width in pixels: what the last level stands for."""

_TAPS = (0.25, 0.5, 0.25)


def wasserstein_distortion_loss(
    restored: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h2 w2"],
    *,
    log2_sigma: Float[Tensor, "#b 1 h3 w3"],
    levels: int = LEVELS,
    steepest: float = 1e6,
) -> Float[Tensor, " b"]:
    r"""Returns the squared Wasserstein distance of local Gaussians, in widths given by a map, one value per image.

    .. math:: \sum_{i=0}^{L} \operatorname{mean}\left(
              \max(0, 1 - |\log_2 \sigma - i|) \, \big((\mu_i - \mu'_i)^2 + (s_i - s'_i)^2\big)\right)

    where :math:`\mu_i` and :math:`s_i` are local means and standard deviations of the features, in windows that double
    from level to level, and :math:`\mu_0` are the features themselves, :math:`s_0 = 0`. Where :math:`\sigma` is one
    position, this is the squared difference; where it is large, only the texture counts, not where its grains lie.

    Follows the authors' JAX release: windows (1, 2, 1)/4 with zeros beyond the border; from level 1 on every second
    position is kept, and the map is filtered along, with zeros as well, so that its right and bottom edges, or all four
    at odd sizes, tend to narrower widths. Negative variances count as zero, and the root's slope is limited: see
    `limited_root`.

    Args:
        restored: Features of the restored images (B, C, H, W).
        target: Features of the targets, of the same shape.
        log2_sigma: Logarithm of the width in positions, from 0 to `levels`: (B, 1, H, W), or (1, 1, H, W) for all.
        levels: L, the levels beside the features themselves.
        steepest: Largest slope of the root that makes a standard deviation of a variance.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> stripes = torch.tensor([0.0, 1.0]).repeat(64, 32).view(1, 1, 64, 64)
        >>> narrow, wide = torch.zeros(1, 1, 64, 64), torch.full((1, 1, 64, 64), 3.0)
        >>> wasserstein_distortion_loss(stripes, 1 - stripes, log2_sigma=narrow)  # black for white, at every position
        tensor([1.])
        >>> bool(wasserstein_distortion_loss(stripes, 1 - stripes, log2_sigma=wide) < 0.01)
        True

    References:
        | Wasserstein Distortion: Unifying Fidelity and Realism (Qiu et al., 2023)
        | https://arxiv.org/abs/2310.03629
        | Good, Cheap, and Fast: Overfitted Image Compression with Wasserstein Distortion (Ballé et al., 2025)
        | https://arxiv.org/abs/2412.00505
    """
    if restored.shape != target.shape or restored.shape[2:] != log2_sigma.shape[2:]:
        raise ValueError(
            f"features and log2_sigma must agree in height and width, and features in all, got "
            f"{tuple(restored.shape)}, {tuple(target.shape)} and log2_sigma {tuple(log2_sigma.shape)}"
        )
    restored, target = at_least_float32(restored), at_least_float32(target)
    width = log2_sigma.to(restored.dtype)
    total = _weighted(width, 0, (restored - target).square())
    pairs = zip(_statistics(restored, levels, steepest), _statistics(target, levels, steepest), strict=True)
    for level, ((mean, spread), (target_mean, target_spread)) in enumerate(pairs, start=1):
        total = total + _weighted(width, level, (mean - target_mean).square() + (spread - target_spread).square())
        width = low_pass(width, stride=2)
    return total


def low_pass(x: Float[Tensor, "b c h w"], stride: int = 1) -> Float[Tensor, "b c h2 w2"]:
    """Returns the maps under the window (1, 2, 1)/4 along rows and columns, with zeros beyond the border.

    Padded as ``SAME`` is in JAX and TensorFlow: with stride 2, windows lie around the positions 1, 3, 5 … of an even
    side, and around 0, 2, 4 … of an odd one.

    Args:
        x: Maps (B, C, H, W).
        stride: 1, or 2 for every second position: ⌈H/2⌉ and ⌈W/2⌉ of them.

    Example:
        >>> low_pass(torch.ones(1, 1, 1, 4))[0, 0, 0]  # the rows above and below are zeros
        tensor([0.3750, 0.5000, 0.5000, 0.3750])
        >>> low_pass(torch.ones(1, 1, 3, 4), stride=2)[0, 0, 1]
        tensor([0.7500, 0.5625])
    """
    height, width = (stride == 1 or side % 2 for side in x.shape[-2:])  # whether a zero goes before the first
    padded = F.pad(x, (int(width), 1, int(height), 1))
    return filter_valid(padded, _TAPS)[..., ::stride, ::stride]


def sigma_of_layer(log2_sigma: Float[Tensor, "b 1 h w"], height: int, width: int) -> Float[Tensor, "b 1 h2 w2"]:
    """Returns a map of widths for a smaller feature map: resized, and less by the logarithm of the downscale.

    Resized linearly in the logarithm with antialiasing; the downscale is the geometric mean of both sides'. Widths that
    fall below one position are one position.

    Args:
        log2_sigma: Logarithm of the width in pixels (B, 1, H, W).
        height: Height of the feature map.
        width: Width of the feature map.

    Example:
        >>> round(sigma_of_layer(torch.full((1, 1, 16, 16), 3.0), 4, 4).mean().item(), 4)  # 8 pixels are 2 positions
        1.0
    """
    resized = F.interpolate(log2_sigma, (height, width), mode="bilinear", align_corners=False, antialias=True)
    ratio = math.log2(log2_sigma.shape[-2] / height) + math.log2(log2_sigma.shape[-1] / width)
    return F.relu(resized - ratio / 2)


class WassersteinDistortionLoss(FeatureLoss):
    """Measures how local means and spreads of features differ, at several scales of the image.

    The maps are those of all layers for the image itself and for its halves and quarters, and the image after
    ImageNet's mean and standard deviation; `wasserstein_distortion_loss` of each is averaged over the batch and summed.
    A width `sigma` of up to one pixel gives the mean squared difference of features, 32 is the widest; the authors take
    a map of widths and name no constant one, so that 4 is our choice. Computes in float32 even under autocast. Follows
    the authors' JAX release, but for its backbone's pooling:

    The release takes VGG16 as torchvision trained it, with averages in place of the maxima of its pooling. Named in
    text, the backbone keeps its maxima. For the published one, give the module itself, ``VGG16Features(layers,
    weights, pool=average)``, where ``average`` halves a map by means of 2x2 blocks. Features in Caffe's convention are
    about 57 times larger and the value, being squared, about 3300 times; beside them the image itself hardly counts.

    Args:
        features: Backbone and layers, see `FeatureLoss`. A module may bring layers of any size.
        sigma: Width of the windows in pixels of the image, from 0 to 32.
        scales: Scales of the image, each half the one before; 3 as published.
        extractor: See `FeatureLoss`.
        layer_weights: One weight per layer, at every scale; by default all are 1, as published: maps are summed, not
            averaged. The image itself has the weight 1.
        offset: See `FeatureLoss`.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> loss = WassersteinDistortionLoss("distilled.relu4_3", sigma=4)
        >>> image = torch.rand(1, 3, 32, 32)
        >>> loss(image, image)
        tensor(0.)

    References:
        | https://github.com/balle-lab/codex, commit 1209092d: codex/loss/wasserstein.py, and for the scales of the
          image and their features codex/loss/pretrained_features.py
        | Without the scales of the image: https://github.com/google/codex, commit 00ab47b0, codex/loss/wasserstein.py
    """

    def __init__(
        self,
        features: str | nn.Module = FEATURES,
        *,
        sigma: float = 4.0,
        scales: int = 3,
        extractor: nn.Module | None = None,
        layer_weights: Sequence[float] | None = None,
        offset: int = 0,
    ) -> None:
        if not 0 <= sigma <= WIDEST:
            raise ValueError(f"sigma must be from 0 to {WIDEST} pixels, got {sigma}")
        if scales < 1:
            raise ValueError(f"scales must be at least 1, got {scales}")
        super().__init__(features, extractor=extractor, layer_weights=layer_weights, offset=offset)
        self.extractor = ImageScales(self.extractor, scales)
        self.sigma = sigma

    def forward(self, restored: Tensor, target: Tensor, sigma: Tensor | None = None) -> Tensor:
        """Returns the loss of two image batches (B, 3, H, W) in [0, 1]; gradients reach `restored` only.

        Args:
            restored: Restored images.
            target: What they should be.
            sigma: Width in pixels at each place (B, 1, H, W), or (1, 1, H, W) for all images, such as small where
                people look and large in grass; beyond 1 and 32 it counts as these. By default the same everywhere.

        Raises:
            ValueError: If the images are not floating-point RGB batches of one shape, or too small for the smallest
                scale, or the widths have another shape.
        """
        self.check(restored, target)
        if sigma is not None and (
            sigma.shape[1:] != (1, *restored.shape[2:]) or sigma.shape[0] not in (1, restored.shape[0])
        ):
            raise ValueError(
                f"sigma must be (B, 1, H, W), one width per pixel, got {tuple(sigma.shape)} for images of shape "
                f"{tuple(restored.shape)}"
            )
        y, x = next_offset([self], restored)
        maps = pair_of_maps(self.extractor, restored[..., y:, x:], target[..., y:, x:])
        return self._compare(*maps, None if sigma is None else _log2(sigma.detach()[..., y:, x:]))

    def compare(self, restored: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
        """Returns the loss of maps already computed, those of `ImageScales`, with the same width everywhere."""
        return self._compare(restored, target, None)

    def distance(
        self,
        restored: Float[Tensor, "b c h w"],
        target: Float[Tensor, "b c h w"],
        log2_sigma: Float[Tensor, "#b 1 h w"] | None = None,
    ) -> Float[Tensor, " b"]:
        """Returns one value per image for the maps of one layer; the width is by default `sigma` in its positions."""
        if log2_sigma is None:
            log2_sigma = self._everywhere(restored)
        return wasserstein_distortion_loss(restored, target, log2_sigma=log2_sigma)

    def _compare(
        self, restored: Mapping[str, Tensor], target: Mapping[str, Tensor], log2_sigma: Tensor | None
    ) -> Tensor:
        if log2_sigma is None:
            log2_sigma = self._everywhere(restored["image"])
        values = [
            weight * self.distance(restored[name], target[name], sigma_of_layer(log2_sigma, *restored[name].shape[-2:]))
            for name, weight in self._weight_of_maps(list(restored)).items()
        ]
        return torch.stack(values).sum(dim=0).mean()

    def _everywhere(self, like: Tensor) -> Tensor:
        width = math.log2(max(self.sigma, 1))
        return torch.full((1, 1, *like.shape[-2:]), width, device=like.device, dtype=at_least_float32(like).dtype)

    def _weight_of_maps(self, names: Sequence[str]) -> dict[str, float]:
        layer_of = {name: name.rpartition("/")[0] for name in names if name != "image"}
        layers = self.layers or tuple(dict.fromkeys(layer_of.values()))
        weights = dict(zip(layers, self._weights(layers), strict=True))
        return {"image": 1.0} | {name: weights[layer] for name, layer in layer_of.items() if layer in weights}

    def _weights(self, layers: Sequence[str]) -> Sequence[float]:
        return [1.0] * len(layers) if self.layer_weights is None else super()._weights(layers)


class ImageScales(nn.Module):
    """Computes an extractor's maps of an image and of its halves, quarters and so on, and the normalised image itself.

    Args:
        extractor: Maps RGB images (B, 3, H, W) in [0, 1] to one map or to a dictionary of them.
        scales: How many sizes of the image.
    """

    def __init__(self, extractor: nn.Module, scales: int) -> None:
        super().__init__()
        self.extractor, self.scales = extractor, scales

    def forward(self, images: Images) -> dict[str, Tensor]:
        """Returns ``image`` and the maps by layer and downscale, as ``relu4_3/2``.

        Raises:
            ValueError: If the smallest scale is too small for the extractor.
        """
        self._check_side(images)
        exact = at_least_float32(images)
        mean, std = (exact.new_tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
        normalised = (exact - mean) / std
        maps, scaled = {"image": normalised}, normalised
        for factor in (2**scale for scale in range(self.scales)):
            if factor > 1:
                scaled = low_pass(scaled, stride=2)  # zeros beyond the border are ImageNet's mean colour
            made = self.extractor(images if factor == 1 else scaled * std + mean)
            named = {"maps": made} if isinstance(made, Tensor) else made
            maps |= {f"{layer}/{factor}": features for layer, features in named.items()}
        return maps

    @property
    def minimum_side(self) -> int:
        """The smallest height and width of an image whose smallest scale is large enough for the extractor."""
        # An odd side is halved upwards: n positions are left of (n - 1) 2^k + 1 pixels after k times.
        minimum: int = getattr(self.extractor, "minimum_side", 1)
        least: int = (minimum - 1) * 2 ** (self.scales - 1) + 1
        return least

    def _check_side(self, images: Tensor) -> None:
        minimum, least = getattr(self.extractor, "minimum_side", 1), self.minimum_side
        height, width = images.shape[-2:]
        if min(height, width) < least:
            fit = sum((minimum - 1) * 2**more < min(height, width) for more in range(self.scales))
            raise ValueError(
                f"images of {height}x{width} are too small for {self.scales} scales of the image, which need at least "
                f"{least} pixels a side; use larger images" + (f", or scales={fit}" if fit else "")
            )


@dataclass(frozen=True)
class WassersteinDistortion(FeatureChoice, name="wasserstein_distortion", module=WassersteinDistortionLoss):
    """Local means and spreads of features in windows of `sigma` pixels (Qiu et al. 2023): fidelity to texture."""

    features: str = FEATURES
    sigma: Annotated[float, Meta(ge=0, le=WIDEST)] = 4.0
    scales: Annotated[int, Meta(ge=1)] = 3


def limited_root(x: Float[Tensor, "*shape"], steepest: float) -> Float[Tensor, "*shape"]:
    """Returns the square root of max(x, 0), whose slope is at most `steepest`.

    Below zero the slope is `steepest` as well, but only for gradients that lift x by descent; others stop there.

    Example:
        >>> x = torch.tensor([4.0, 0.0, -1.0], requires_grad=True)
        >>> (-limited_root(x, steepest=100.0)).sum().backward()
        >>> x.grad
        tensor([  -0.2500, -100.0000, -100.0000])
    """
    return _Root.apply(x, steepest)  # type: ignore[no-any-return, no-untyped-call]


class _Root(torch.autograd.Function):
    """See `limited_root`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, steepest: float) -> Tensor:
        """Returns the roots."""
        root = x.clamp(min=0).sqrt()
        ctx.save_for_backward(root, x < 0)
        ctx.steepest = steepest
        return root

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Returns the gradient by x."""
        root, below = ctx.saved_tensors
        by_x = gradient * (0.5 / root).clamp(max=ctx.steepest)
        return by_x.masked_fill(below & (by_x > 0), 0.0), None


def _statistics(features: Tensor, levels: int, steepest: float) -> list[tuple[Tensor, Tensor]]:
    """Returns local means and standard deviations of every level, each half as large as the one before."""
    means, squares, statistics = features, features.square(), []
    for _ in range(levels):
        means, squares = low_pass(means), low_pass(squares)
        statistics.append((means, limited_root(squares - means.square(), steepest)))
        means, squares = means[..., ::2, ::2], squares[..., ::2, ::2]
    return statistics


def _weighted(log2_sigma: Tensor, level: int, differences: Tensor) -> Tensor:
    """Returns the mean over channels and positions of one level's part, one value per image."""
    return (F.relu(1 - (log2_sigma - level).abs()) * differences).mean(dim=(1, 2, 3))


def _log2(sigma: Tensor) -> Tensor:
    return at_least_float32(sigma).clamp(1, WIDEST).log2()
