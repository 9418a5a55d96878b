"""Structural similarity at one scale and at several, by TensorFlow's rule.

Implementations differ up to 0.01: this one uses whole windows only, population variances, each colour channel by
itself, the repeated last row or column of odd sizes, and negative contrast-structure clipped at zero.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss._types import check_pair
from pdloss.metrics.psnr import inside
from pdloss.ops.color import gray_levels, luma, quantize
from pdloss.ops.filters import filter_valid, gaussian_taps, halve
from pdloss.ops.options import check_option

MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, finest first."""

Channels = Literal["rgb", "y", "gray"]
"""Each colour by itself; the studio-range luma `pdloss.ops.color.luma` alone, as tables of super-resolution do; or
MATLAB's gray of 8-bit images, `pdloss.ops.color.gray_levels`, as the metrics' authors and rated image sets do."""


def ssim(
    restored: Tensor,
    target: Tensor,
    window: int = 11,
    sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    *,
    border: int = 0,
    channels: Channels = "rgb",
) -> Float[Tensor, " b"]:
    r"""Returns the structural similarity of each image: 1 for equal images, less for others.

    .. math:: \mathrm{SSIM} = \frac{2 \mu_x \mu_y + C_1}{\mu_x^2 + \mu_y^2 + C_1} \cdot
              \frac{2 \sigma_{xy} + C_2}{\sigma_x^2 + \sigma_y^2 + C_2}, \quad C_i = k_i^2

    The moments are taken under a Gaussian window that stays inside the image, with population variances; the mean runs
    over windows and over the three colour channels.

    Args:
        restored: RGB in [0, 1], :math:`(B, 3, H, W)`.
        target: RGB in [0, 1], :math:`(B, 3, H, W)`.
        window: Taps of the Gaussian window, a side.
        sigma: Standard deviation of the window in pixels.
        k1: Steadies the first fraction, for a peak of 1.
        k2: Steadies the second.
        border: Pixels left out on every side.
        channels: ``rgb``; ``y`` for the luma, whose peak is 1 too, that is 255 and not 219 levels; or ``gray`` for
            whole levels of gray, without a gradient.

    Returns:
        One value per image in [-1, 1], :math:`(B)`.

    Raises:
        ValueError: If the shapes differ or are not RGB batches, or a side inside the border is shorter than the window.

    Example:
        >>> image = torch.rand(1, 3, 16, 16)
        >>> ssim(image, image)
        tensor([1.])

    References:
        | Image Quality Assessment: From Error Visibility to Structural Similarity (Wang et al., 2004)
        | https://ieeexplore.ieee.org/document/1284395
    """
    check_pair(restored, target)
    restored, target = _planes(restored, border, channels), _planes(target, border, channels)
    _check_side(restored, window, "SSIM")
    luminance, contrast = _fractions(restored, target, gaussian_taps(window, sigma), k1, k2)
    return (luminance * contrast).mean(dim=(1, 2, 3))


def ms_ssim(
    restored: Tensor,
    target: Tensor,
    weights: Sequence[float] = MS_SSIM_WEIGHTS,
    window: int = 11,
    sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    *,
    border: int = 0,
    channels: Channels = "rgb",
) -> Float[Tensor, " b"]:
    r"""Returns the multi-scale structural similarity of each image, as ``tf.image.ssim_multiscale`` defines it.

    .. math:: \frac{1}{3} \sum_{c} \max(0, \overline{l \cdot cs}_{M})^{w_M} \prod_{j < M} \max(0, \overline{cs}_j)^{w_j}

    with :math:`l` and :math:`cs` the two fractions of `ssim`, the bar a mean over windows, and scale :math:`j + 1`
    half the size of scale :math:`j`. A scale whose structure is inverted counts as 0, with a zero gradient, so that
    finite images never give NaN.

    Args:
        restored: RGB in [0, 1], :math:`(B, 3, H, W)`.
        target: RGB in [0, 1], :math:`(B, 3, H, W)`.
        weights: Exponent of each scale, finest first; their number is the number of scales.
        window: Taps of the Gaussian window, a side.
        sigma: Standard deviation of the window in pixels.
        k1: Steadies the luminance, for a peak of 1.
        k2: Steadies the contrast-structure.
        border: Pixels left out on every side, at the first scale.
        channels: See `ssim`.

    Returns:
        One value per image in [0, 1], :math:`(B)`.

    Raises:
        ValueError: If the shapes differ or are not RGB batches, or a side inside the border is too short for the window
            at the last scale: 161 pixels are the least for five scales and 11 taps.

    Example:
        >>> image = torch.rand(1, 3, 161, 161)
        >>> ms_ssim(image, image)
        tensor([1.])

    References:
        | Multi-scale Structural Similarity for Image Quality Assessment (Wang et al., 2003)
        | https://ieeexplore.ieee.org/document/1292216
    """
    check_pair(restored, target)
    restored, target = _planes(restored, border, channels), _planes(target, border, channels)
    _check_side(restored, minimum_side(len(weights), window), f"MS-SSIM at {len(weights)} scales")
    kernel = gaussian_taps(window, sigma)
    product = restored.new_ones(restored.shape[:2])  # (B, channels)
    for scale, weight in enumerate(weights, start=1):
        if scale > 1:
            restored, target = halve(restored), halve(target)
        luminance, contrast = _fractions(restored, target, kernel, k1, k2)
        similarity = luminance * contrast if scale == len(weights) else contrast
        product = product * _clipped_power(similarity.mean(dim=(2, 3)), weight)
    return product.mean(dim=1)


def minimum_side(scales: int = len(MS_SSIM_WEIGHTS), window: int = 11) -> int:
    """Returns the smallest side whose last scale still holds one window; halving rounds up.

    Example:
        >>> minimum_side()
        161
    """
    return int((window - 1) * 2 ** (scales - 1) + 1)


def _planes(images: Tensor, border: int, channels: Channels) -> Tensor:
    """Returns what is compared, (B, 3, h, w) or (B, 1, h, w)."""
    check_option(Channels, channels=channels)
    images = inside(images, border)
    if channels == "gray":
        return (gray_levels(quantize(images) * 255) / 255).to(images.dtype)[:, None]
    return luma(images) if channels == "y" else images


def _fractions(x: Tensor, y: Tensor, kernel: Sequence[float], k1: float, k2: float) -> tuple[Tensor, Tensor]:
    """Returns the luminance and the contrast-structure of every window, (B, C, h, w) each.

    Both fractions are written as one minus a difference: with d = x - y, 2 σ_xy = σ_x² + σ_y² - σ_d² and
    2 μ_x μ_y = μ_x² + μ_y² - (μ_x - μ_y)². Equal images then give exactly 1 with a zero gradient. A variance does not
    depend on the level, so the mean of each channel is taken away first: E[x²] - E[x]² then loses far fewer digits.
    """
    level_x, level_y = _level(x), _level(y)
    x, y, d = x - level_x, y - level_y, x - y
    d = d - _level(d)
    mean_x, mean_y, squares, square_d = filter_valid(torch.stack([x, y, x * x + y * y, d * d]), kernel)
    spread = squares - mean_x.square() - mean_y.square()
    difference = square_d - (mean_x - mean_y).square()
    mean_x, mean_y = mean_x + level_x, mean_y + level_y
    luminance = 1 - (mean_x - mean_y).square() / (mean_x.square() + mean_y.square() + k1**2)
    return luminance, 1 - difference / (spread + k2**2)


def _level(images: Tensor) -> Tensor:
    return images.detach().mean(dim=(-2, -1), keepdim=True)


def _clipped_power(base: Tensor, exponent: float) -> Tensor:
    """Returns max(base, 0)^exponent with a zero gradient where it clips: 0^w has an infinite one, and 0·∞ is NaN."""
    positive = ~(base <= 0)  # NaN stays what it is: images that hold it have no score
    return torch.where(positive, torch.where(positive, base, 1.0).pow(exponent), 0.0)


def _check_side(images: Tensor, least: int, what: str) -> None:
    height, width = images.shape[-2:]
    if min(height, width) < least:
        raise ValueError(
            f"images of {height}x{width} are too small for {what}, which needs at least {least} pixels a side"
        )
