"""Windows and pooling of images: the Gaussian kernel, separable filtering without a border, halving."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def gaussian_kernel(size: int, sigma: float) -> Float[Tensor, " size"]:
    r"""Returns the taps of a sampled Gaussian that sum to one.

    .. math:: k_i \propto \exp\left(-\frac{(i - (n - 1)/2)^2}{2 \sigma^2}\right), \quad i = 0 \dots n - 1

    The taps are computed in double precision.

    Args:
        size: Number of taps :math:`n`; an even one puts the centre between two taps.
        sigma: Standard deviation in pixels, positive.

    Returns:
        The taps, :math:`(n)`, float64.

    Raises:
        ValueError: If `size` or `sigma` is not positive.

    Example:
        >>> kernel = gaussian_kernel(3, sigma=1.0)
        >>> kernel / kernel[1]
        tensor([0.6065, 1.0000, 0.6065], dtype=torch.float64)
    """
    return torch.tensor(gaussian_taps(size, sigma), dtype=torch.float64)


def gaussian_taps(size: int, sigma: float) -> tuple[float, ...]:
    """Returns the taps of `gaussian_kernel` as numbers, which `filter_valid` reads without a tensor's detour.

    Args:
        size: Number of taps.
        sigma: Standard deviation in pixels, positive.

    Raises:
        ValueError: If `size` or `sigma` is not positive.

    Example:
        >>> [round(tap, 4) for tap in gaussian_taps(3, sigma=1.0)]
        [0.2741, 0.4519, 0.2741]
    """
    if size < 1 or not sigma > 0:
        raise ValueError(f"a Gaussian kernel needs a positive size and sigma, got size {size} and sigma {sigma}")
    taps = [math.exp(-((place - (size - 1) / 2) ** 2) / (2 * sigma**2)) for place in range(size)]
    total = math.fsum(taps)
    return tuple(tap / total for tap in taps)


def filter_valid(
    images: Float[Tensor, "*batch h w"], kernel: Float[Tensor, " n"] | Sequence[float]
) -> Float[Tensor, "*batch h2 w2"]:
    """Returns the images correlated with the kernel along rows and along columns, whole windows only.

    No border is invented: each side shrinks by one less than the number of taps.

    The sum runs over shifted views instead of through a convolution, because convolutions are computed with
    ten-bit mantissas by default on recent GPUs, and in half precision under autocast; a variance taken as a
    difference of two such sums would be lost.

    Args:
        images: Images, :math:`(*, H, W)`.
        kernel: Taps, :math:`(n)`, as numbers, or as a tensor, which is read: one on a GPU costs a synchronisation, and
            in a compiled graph a break.

    Returns:
        The filtered images, :math:`(*, H - n + 1, W - n + 1)`, in the dtype of `images`.

    Raises:
        ValueError: If a side is shorter than the kernel.

    Example:
        >>> filter_valid(torch.arange(12.0).view(3, 4), torch.tensor([0.5, 0.5]))
        tensor([[2.5000, 3.5000, 4.5000],
                [6.5000, 7.5000, 8.5000]])
    """
    height, width = images.shape[-2:]
    taps = kernel.tolist() if isinstance(kernel, Tensor) else list(kernel)
    if min(height, width) < len(taps):
        raise ValueError(f"images of {height}x{width} are smaller than the window of {len(taps)}x{len(taps)} pixels")
    return _correlate(_correlate(images, taps, -1), taps, -2)


def halve(images: Float[Tensor, "*batch h w"]) -> Float[Tensor, "*batch h2 w2"]:
    """Returns the means of 2x2 blocks; an odd side first repeats its last row or column, as TensorFlow's MS-SSIM does.

    Args:
        images: Images, :math:`(*, H, W)`.

    Returns:
        The halved images, :math:`(*, ⌈H/2⌉, ⌈W/2⌉)`.

    Example:
        >>> halve(torch.tensor([[1.0, 3.0, 7.0], [5.0, 7.0, 9.0]]))
        tensor([[4., 8.]])
    """
    if images.shape[-2] % 2:
        images = torch.cat([images, images[..., -1:, :]], dim=-2)
    if images.shape[-1] % 2:
        images = torch.cat([images, images[..., -1:]], dim=-1)
    rows = images[..., 0::2, :] + images[..., 1::2, :]  # (*, H/2, W)
    return (rows[..., 0::2] + rows[..., 1::2]) / 4  # (*, H/2, W/2)


def _correlate(images: Tensor, taps: list[float], dim: int) -> Tensor:
    length = images.shape[dim] - len(taps) + 1
    total = images.narrow(dim, 0, length) * taps[0]
    for shift, tap in enumerate(taps[1:], start=1):
        total = total.add(images.narrow(dim, shift, length), alpha=tap)
    return total
