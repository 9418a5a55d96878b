"""Peak signal-to-noise ratio, in RGB and in luma."""

from jaxtyping import Float
from torch import Tensor

from pdloss._types import check_pair
from pdloss.ops.color import luma
from pdloss.ops.dtypes import at_least_float32


def psnr(restored: Tensor, target: Tensor, border: int = 0) -> Float[Tensor, " b"]:
    r"""Returns the peak signal-to-noise ratio of each image in dB, over all pixels and the three channels together.

    .. math:: \mathrm{PSNR} = -10 \log_{10} \frac{1}{3HW} \sum (x - y)^2

    The peak is 1. Nothing is rounded or clamped here: for the number that 8-bit files give, apply
    `pdloss.ops.color.quantize` to both images first. Equal images give infinity.

    Args:
        restored: RGB in [0, 1], :math:`(B, 3, H, W)`.
        target: RGB in [0, 1], :math:`(B, 3, H, W)`.
        border: Pixels left out on every side.

    Returns:
        One value per image, :math:`(B)`.

    Raises:
        ValueError: If the shapes differ or are not RGB batches, or the border is negative or leaves no pixel.

    Example:
        >>> import torch
        >>> psnr(torch.full((1, 3, 4, 4), 0.6), torch.full((1, 3, 4, 4), 0.5))
        tensor([20.0000])
    """
    check_pair(restored, target)
    return _psnr(inside(restored, border), inside(target, border))


def psnr_y(restored: Tensor, target: Tensor, border: int = 0) -> Float[Tensor, " b"]:
    """Returns the peak signal-to-noise ratio of each image in dB, of the studio-range luma `pdloss.ops.color.luma`.

    The peak is 1, that is 255 and not 219 levels, as the tables of super-resolution have it; Y is not rounded. The
    same error in all three channels scores 1.3 dB more than in `psnr`.

    Args and errors: see `psnr`.

    Returns:
        One value per image, :math:`(B)`.

    Example:
        >>> import torch
        >>> psnr_y(torch.full((1, 3, 4, 4), 0.6), torch.full((1, 3, 4, 4), 0.5))
        tensor([21.3219])
    """
    check_pair(restored, target)
    return _psnr(luma(inside(restored, border)), luma(inside(target, border)))


def inside(images: Tensor, border: int) -> Tensor:
    """Returns the images without `border` pixels on every side, in float32 at least.

    Raises:
        ValueError: If the border is negative or leaves no pixel.
    """
    height, width = images.shape[-2:]
    if not 0 <= 2 * border < min(height, width):
        raise ValueError(f"a border of {border} pixels on every side leaves nothing of images of {height}x{width}")
    return at_least_float32(images)[..., border : height - border, border : width - border]


def _psnr(restored: Tensor, target: Tensor) -> Tensor:
    return -10 * (restored - target).square().mean(dim=(1, 2, 3)).log10()
