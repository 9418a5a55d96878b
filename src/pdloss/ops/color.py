"""Luma and gray of RGB images, and rounding to the 256 levels of an 8-bit file."""

from jaxtyping import Float
from torch import Tensor

from pdloss._types import Images
from pdloss.ops.dtypes import at_least_float32

_LUMA = (65.481, 128.553, 24.966)
"""BT.601 weights of R, G and B; they sum to 219, the span from black at 16 to white at 235."""

_GRAY = (0.298936021293775, 0.587043074451121, 0.114020904255103)


def gray_levels(levels: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b h w"]:
    """Returns the gray of 8-bit RGB images as MATLAB's ``rgb2gray`` has it: whole levels, halves up, in float64.

    Its weights are the first row of the inverse of its YIQ matrix. The gradient is zero.

    Args:
        levels: Whole numbers from 0 to 255, :math:`(B, 3, H, W)`.

    Returns:
        Whole numbers from 0 to 255, :math:`(B, H, W)`.

    Example:
        >>> import torch
        >>> gray_levels(torch.tensor([255.0, 0.0, 0.0]).view(1, 3, 1, 1)).item()
        76.0
    """
    gray = _GRAY[0] * levels[:, 0].double()
    gray.add_(levels[:, 1], alpha=_GRAY[1]).add_(levels[:, 2], alpha=_GRAY[2])
    return gray.add_(0.5).floor_()


def luma(images: Images) -> Float[Tensor, "b 1 h w"]:
    r"""Returns the luma Y of RGB images: BT.601 in studio range, as MATLAB's ``rgb2ycbcr``.

    .. math:: Y = \frac{16 + 65.481 R + 128.553 G + 24.966 B}{255}

    Black is 16/255 and white 235/255, so that an error in Y is 255/219 times smaller than the same error in full-range
    luma, and its PSNR 1.3 dB higher. Y is not rounded to 8 bits.

    Args:
        images: RGB in [0, 1], :math:`(B, 3, H, W)`.

    Returns:
        Y in [16/255, 235/255], :math:`(B, 1, H, W)`.

    Example:
        >>> import torch
        >>> luma(torch.ones(1, 3, 1, 1)).item() * 255
        235.0...

    References:
        | ITU-R Recommendation BT.601-7, section 2.5
        | https://www.itu.int/rec/R-REC-BT.601
    """
    red, green, blue = images[:, 0:1], images[:, 1:2], images[:, 2:3]  # (B, 1, H, W) each
    return (16 + _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue) / 255


def quantize(images: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Returns the images as an 8-bit file would give them back: clamped to [0, 1], on the nearest of 256 levels.

    A value halfway between two levels goes up. Half-precision images come back as float32, since bfloat16 cannot hold
    the levels. The gradient is zero.

    Args:
        images: Values, of any shape; those outside [0, 1] are cut off.

    Returns:
        The nearest k/255, k = 0 ... 255, of the same shape.

    Example:
        >>> import torch
        >>> quantize(torch.tensor([-0.2, 0.4 / 255, 0.6 / 255, 1.7])) * 255
        tensor([  0.,   0.,   1., 255.])
    """
    return (at_least_float32(images).clamp(0, 1) * 255 + 0.5).floor() / 255
