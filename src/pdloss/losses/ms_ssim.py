"""Structural similarity at several scales to train with: MS-SSIM, alone or mixed with the pixels' difference.

A metric that was trained with no longer judges the result: report another one beside it.
"""

from dataclasses import dataclass
from typing import Annotated

from jaxtyping import Float
from msgspec import Meta
from torch import Tensor

from pdloss import metrics
from pdloss._types import Images
from pdloss.losses.checks import check_side
from pdloss.losses.choice import LossChoice
from pdloss.losses.image_loss import ImageLoss
from pdloss.losses.pixel import pixel_loss
from pdloss.metrics.ssim import minimum_side

__all__ = ["MSSSIM", "MSSSIML1", "MSSSIML1Loss", "MSSSIMLoss", "ms_ssim_l1_loss", "ms_ssim_loss"]

Scales = Annotated[int, Meta(ge=1, le=len(metrics.MS_SSIM_WEIGHTS))]


def ms_ssim_weights(scales: int) -> tuple[float, ...]:
    """Returns the exponents of the first scales: the published ones for five, else as many, scaled to sum to one.

    Raises:
        ValueError: If `scales` is not from 1 to 5.

    Example:
        >>> [round(weight, 3) for weight in ms_ssim_weights(3)]
        [0.071, 0.453, 0.476]
    """
    if not 1 <= scales <= len(metrics.MS_SSIM_WEIGHTS):
        raise ValueError(f"scales must be from 1 to {len(metrics.MS_SSIM_WEIGHTS)}, got {scales}")
    if scales == len(metrics.MS_SSIM_WEIGHTS):
        return metrics.MS_SSIM_WEIGHTS
    first = metrics.MS_SSIM_WEIGHTS[:scales]
    return tuple(weight / sum(first) for weight in first)


def ms_ssim_loss(restored: Images, target: Images, *, scales: int = 5) -> Float[Tensor, " b"]:
    """Returns one minus the multi-scale structural similarity of each image, from 0 for equal images to 1.

    With fewer than five scales, smaller images will do: 11, 21, 41, 81 and 161 pixels a side are the least for one to
    five. The value then is not that of the metric, since the exponents are scaled to sum to one.

    Args:
        restored: RGB in [0, 1], (B, 3, H, W).
        target: RGB in [0, 1], (B, 3, H, W).
        scales: How many, from 1 to 5; each halves the image of the one before.

    Raises:
        ValueError: If a side is too short for the scales.

    References:
        | Multi-scale Structural Similarity for Image Quality Assessment (Wang et al., 2003)
        | https://ieeexplore.ieee.org/document/1292216
    """
    weights = ms_ssim_weights(scales)
    check_side(restored, minimum_side(scales), f"ms_ssim(scales={scales})", _fewer_scales(restored))
    return 1 - metrics.ms_ssim(restored, target, weights)


def ms_ssim_l1_loss(restored: Images, target: Images, *, alpha: float = 0.84, scales: int = 5) -> Float[Tensor, " b"]:
    r"""Returns the mix of structure and pixels that Zhao et al. train with, one value per image.

    .. math:: \alpha \left(1 - \mathrm{MS\text{-}SSIM}(\hat x, x)\right)
              + (1 - \alpha) \frac{1}{N} \sum_i |\hat x_i - x_i|

    The paper cuts patches of one window each: it weights the absolute differences with the widest Gaussian, centred on
    the patch, and makes its scales of wider and wider Gaussians instead of smaller and smaller images. Taken at every
    position and averaged, such a weight only matters near the border: here every pixel counts the same, and MS-SSIM is
    the usual one. The paper's :math:`\alpha` is 0.84; the code published with it defaults to 0.025.

    Args:
        restored: RGB in [0, 1], (B, 3, H, W).
        target: RGB in [0, 1], (B, 3, H, W).
        alpha: Share of MS-SSIM, from 0 to 1.
        scales: See `ms_ssim_loss`.

    Raises:
        ValueError: If a side is too short for the scales.

    References:
        | Loss Functions for Image Restoration with Neural Networks (Zhao et al., 2017)
        | https://arxiv.org/abs/1511.08861
    """
    structure = ms_ssim_loss(restored, target, scales=scales)
    return alpha * structure + (1 - alpha) * pixel_loss(restored, target)


class MSSSIMLoss(ImageLoss):
    """Measures the lack of structural similarity at several scales, `ms_ssim_loss`, averaged over the batch.

    Where a scale's structure is inverted on average, the similarity is 0 and so is its gradient: start from images
    that resemble their targets, as a network that adds to its input does.

    Args:
        scales: How many, from 1 to 5.

    Raises:
        ValueError: If `scales` is not from 1 to 5.
    """

    def __init__(self, *, scales: int = 5) -> None:
        super().__init__()
        ms_ssim_weights(scales)
        self.scales = scales

    def distance(self, restored: Images, target: Images) -> Float[Tensor, " b"]:
        """Returns one value per image."""
        return ms_ssim_loss(restored, target, scales=self.scales)


class MSSSIML1Loss(ImageLoss):
    """Measures a mix of structure and pixels, `ms_ssim_l1_loss`, averaged over the batch.

    Args:
        alpha: Share of MS-SSIM, from 0 to 1.
        scales: How many, from 1 to 5.

    Raises:
        ValueError: If a value is out of its range.
    """

    def __init__(self, *, alpha: float = 0.84, scales: int = 5) -> None:
        super().__init__()
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be from 0 to 1, got {alpha}")
        ms_ssim_weights(scales)
        self.alpha, self.scales = alpha, scales

    def distance(self, restored: Images, target: Images) -> Float[Tensor, " b"]:
        """Returns one value per image."""
        return ms_ssim_l1_loss(restored, target, alpha=self.alpha, scales=self.scales)


@dataclass(frozen=True)
class MSSSIM(LossChoice, name="ms_ssim", module=MSSSIMLoss):
    """One minus the structural similarity at several scales; fewer scales take smaller crops."""

    scales: Scales = 5


@dataclass(frozen=True)
class MSSSIML1(LossChoice, name="ms_ssim_l1", module=MSSSIML1Loss):
    """Structural similarity at several scales mixed with the mean absolute difference (Zhao et al. 2017)."""

    alpha: Annotated[float, Meta(ge=0, le=1)] = 0.84
    scales: Scales = 5


def _fewer_scales(images: Tensor) -> str:
    fit = sum(minimum_side(scales) <= min(images.shape[-2:]) for scales in range(1, len(metrics.MS_SSIM_WEIGHTS) + 1))
    return "train on larger crops" + (f", or with scales={fit}" if fit else "")
