"""Restored × degraded → one value per image: does the restored image degrade back to what it was made from?

None of these looks at the clean image. A high score does not make a good restoration (the degraded image itself often
has one), but a low one shows that details were changed, not only added.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss._types import check_pair
from pdloss.images import to_bytes
from pdloss.metrics.psnr import psnr
from pdloss.ops.bayer import Pattern, bayer_plane
from pdloss.ops.convolution import convolve
from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.jpeg import Subsampling, jpeg_cells, jpeg_coefficients, jpeg_tables
from pdloss.ops.options import check_option
from pdloss.ops.resize import Kernel, resize_bytes


def lr_psnr(restored: Tensor, degraded: Tensor, kernel: Kernel = "bicubic") -> Float[Tensor, " b"]:
    """Returns the PSNR in dB between each restored image made small again and its input, both in 8 bits.

    The restored image is shrunk as `pdloss.degradations.Downscale` does it; equal images give infinity.

    Args:
        restored: RGB in [0, 1], :math:`(B, 3, f h, f w)`, with a whole factor :math:`f`.
        degraded: RGB in [0, 1], :math:`(B, 3, h, w)`.
        kernel: With which it was made small.

    Raises:
        ValueError: If the images are no RGB batches of one length, or their sizes have no whole factor.

    Example:
        >>> large = torch.full((1, 3, 8, 8), 0.4)
        >>> lr_psnr(large, torch.full((1, 3, 2, 2), 0.2)).round(decimals=1)
        tensor([14.])
    """
    check_pair(restored, restored)
    check_pair(degraded, degraded)
    height, width = degraded.shape[-2:]
    factor = restored.shape[-2] // height
    if len(restored) != len(degraded):
        raise ValueError(f"there are {len(restored)} restored images, but {len(degraded)} degraded ones")
    if factor < 1 or restored.shape[-2:] != (factor * height, factor * width):
        raise ValueError(
            f"restored images of {restored.shape[-2]}x{restored.shape[-1]} are not a whole number of times larger "
            f"than degraded ones of {height}x{width}"
        )
    small = resize_bytes(to_bytes(restored), (height, width), kernel, round_between=factor <= 4)
    return psnr(small.float() / 255, to_bytes(degraded).float() / 255)


def reblur_psnr(restored: Tensor, degraded: Tensor, kernel: Float[Tensor, "k l"]) -> Float[Tensor, " b"]:
    """Returns the PSNR in dB between each restored image, blurred again, and its input.

    Where the input has noise, a perfect restoration scores the PSNR of that noise, and a higher score means that noise
    was kept.

    Args:
        restored: RGB in [0, 1], :math:`(B, 3, H, W)`.
        degraded: RGB in [0, 1], :math:`(B, 3, H, W)`.
        kernel: With which it was blurred, :math:`(K, L)`, both odd, of sum 1.

    Raises:
        ValueError: If the shapes differ, or a side of the kernel is even.

    Example:
        >>> box = torch.full((3, 3), 1 / 9)
        >>> reblur_psnr(torch.full((1, 3, 4, 4), 0.6), torch.full((1, 3, 4, 4), 0.5), box)
        tensor([20.0000])
    """
    check_pair(restored, degraded)
    return psnr(convolve(restored, kernel), at_least_float32(degraded))


def remosaic_error(restored: Tensor, degraded: Tensor, pattern: Pattern = "RGGB") -> Float[Tensor, " b"]:
    """Returns the root mean square error of each restored image at the sites that the sensor measured, in [0, 1].

    0 is best where the mosaic had no noise; a perfect restoration of a noisy one scores the noise's deviation.

    Args:
        restored: RGB in [0, 1], :math:`(B, 3, H, W)`.
        degraded: Masked mosaics, :math:`(B, 3, H, W)`; values off the sites count nothing.
        pattern: Letters of row 0, then row 1.

    Raises:
        ValueError: If the shapes differ, or the pattern is unknown.

    Example:
        >>> remosaic_error(torch.full((1, 3, 4, 4), 0.6), torch.full((1, 3, 4, 4), 0.5))
        tensor([0.1000])
    """
    check_pair(restored, degraded)
    difference = bayer_plane(at_least_float32(restored) - at_least_float32(degraded), pattern)
    return difference.square().mean(dim=(1, 2, 3)).sqrt()


def jpeg_cell_share(
    restored: Tensor, degraded: Tensor, quality: int = 20, subsampling: Subsampling = "4:2:0"
) -> Float[Tensor, " b"]:
    """Returns the share of each restored image's cosine coefficients that JPEG would round as it did: 1 is best.

    Each rounded coefficient of the input stands for a cell as wide as its quantisation step, in which that of the
    clean image lay. Counted are the blocks that lie wholly inside the image. Most coefficients are zero before and
    after, so that shares are high, and their differences small. What `pdloss.ops.jpeg.jpeg_cells` reads wrongly keeps
    the share of clean photographs a little below 1: 0.9999 at quality 20, 0.999 at 75.

    Args:
        restored: RGB in [0, 1], :math:`(B, 3, H, W)`, sides of at least 8 pixels, or 16 with ``4:2:0``.
        degraded: Decoded JPEGs, RGB in [0, 1], :math:`(B, 3, H, W)`.
        quality: With which they were encoded, 1 to 100.
        subsampling: With which they were encoded.

    Raises:
        ValueError: If the shapes differ, a side is too small, the quality is outside 1 to 100, or the subsampling is
            unknown.

    Example:
        >>> grey = torch.full((1, 3, 16, 16), 0.5)
        >>> jpeg_cell_share(grey, grey)
        tensor([1.])
    """
    check_pair(restored, degraded)
    height, width = restored.shape[-2:]
    check_option(Subsampling, subsampling=subsampling)
    unit = 16 if subsampling == "4:2:0" else 8
    if min(height, width) < unit:
        raise ValueError(f"images of {height}x{width} hold no whole block of {unit}x{unit} pixels")
    luma, colour = jpeg_tables(quality)
    inside, count = torch.zeros(len(restored), device=restored.device), 0
    found, cells = jpeg_coefficients(restored, subsampling), jpeg_cells(degraded, quality, subsampling)
    for place, (values, wanted) in enumerate(zip(found, cells, strict=True)):
        side = unit if place else 8
        steps = (colour if place else luma).to(values)
        rows, columns = height // side, width // side
        away = (values[:, :rows, :columns] / steps - wanted[:, :rows, :columns]).abs()
        inside += (away <= 0.5).sum(dim=(1, 2, 3, 4))
        count += away[0].numel()
    return inside / count


def noise_correlation(restored: Tensor, degraded: Tensor, reach: int = 3) -> Float[Tensor, " b"]:
    r"""Returns how far what was removed from each image is from white noise: 0 is white, 1 all of a piece.

    .. math:: \sqrt{\operatorname{mean}_{c, d} \rho_c(d)^2}, \quad
              \rho_c(d) = \frac{\operatorname{mean}_p r_c(p) \, r_c(p + d)}{\operatorname{mean}_p r_c(p)^2}

    with the residual :math:`r` = degraded - restored, less its mean, and :math:`d` over all shifts of up to `reach`
    pixels but none. White noise on :math:`N` pixels scores about :math:`1 / \sqrt N`; edges that were removed with it
    score more, and so does noise that was clipped at black and white, whose mean follows the image. A channel from
    which nothing was removed counts as 1.

    Args:
        restored: RGB in [0, 1], :math:`(B, 3, H, W)`, sides longer than `reach`.
        degraded: RGB in [0, 1], :math:`(B, 3, H, W)`.
        reach: Largest shift in pixels, along each axis.

    Raises:
        ValueError: If the shapes differ, or a side is too short.

    Example:
        >>> degraded = torch.zeros(1, 3, 8, 8)
        >>> degraded[..., ::2] = 1  # stripes
        >>> noise_correlation(torch.full_like(degraded, 0.5), degraded)
        tensor([1.])
    """
    check_pair(restored, degraded)
    height, width = restored.shape[-2:]
    if min(height, width) <= reach:
        raise ValueError(f"images of {height}x{width} are too small for shifts of {reach} pixels")
    residual = at_least_float32(degraded) - at_least_float32(restored)
    residual = residual - residual.mean(dim=(2, 3), keepdim=True)
    power = residual.square().mean(dim=(2, 3))  # (B, 3)
    squares = []
    for down in range(reach + 1):
        for right in range(-reach if down else 1, reach + 1):
            left = max(0, -right)
            one = residual[..., : height - down, left : width - max(0, right)]
            other = residual[..., down:, left + right : width - max(0, right) + right]
            squares.append(((one * other).mean(dim=(2, 3)) / power).square())
    # Below, a residual is rounding of the images themselves.
    lost = power < 1e-12
    return torch.where(lost, 1, torch.stack(squares).mean(dim=0)).mean(dim=1).sqrt().clamp(max=1)
