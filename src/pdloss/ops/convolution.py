"""Convolution of images with a kernel, mirrored at the border, by sums or by Fourier transforms; and its transpose."""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.options import check_option

Method = Literal["auto", "direct", "fft"]

_MANY_TAPS = 100
"""From about so many non-zero taps on, three Fourier transforms cost less than the sum; measured on a CPU."""


def mirrored(images: Float[Tensor, "*b h w"], margin: tuple[int, int]) -> Float[Tensor, "*b h2 w2"]:
    """Returns the images with a margin above and below, and left and right, mirrored about the outermost pixel.

    The outermost pixel is not repeated. A margin wider than the image goes back and forth.

    Args:
        images: Values, :math:`(*, H, W)`.
        margin: Rows, and columns, on either side.

    Example:
        >>> mirrored(torch.tensor([[1.0, 2.0, 3.0]]), (0, 2))
        tensor([[3., 2., 1., 2., 3., 2., 1.]])
    """
    rows, columns = (_folded(images.shape[dim], margin[dim]).to(images.device) for dim in (-2, -1))
    return images.index_select(-2, rows).index_select(-1, columns)


def mirrored_adjoint(images: Float[Tensor, "*b h2 w2"], margin: tuple[int, int]) -> Float[Tensor, "*b h w"]:
    """Returns the images put through the transpose of `mirrored`: the margin is folded back in and added.

    Example:
        >>> mirrored_adjoint(torch.ones(1, 7), (0, 2))
        tensor([[2., 3., 2.]])
    """
    for dim in (-2, -1):
        size = images.shape[dim] - 2 * margin[dim]
        shape = list(images.shape)
        shape[dim] = size
        indices = _folded(size, margin[dim]).to(images.device)
        images = images.new_zeros(shape).index_add(dim, indices, images)
    return images


def convolve(
    images: Float[Tensor, "*b h w"], kernel: Float[Tensor, "k l"], method: Method = "auto"
) -> Float[Tensor, "*b h w"]:
    r"""Returns the images convolved with a kernel whose middle is its origin, mirrored at the border.

    .. math:: y_p = \sum_q k_q \, x_{p - q}

    A convolution, not a correlation: a single bright pixel becomes the kernel, not turned. Beyond the border the image
    goes on mirrored about its outermost pixel. Half precision comes back as float32.

    Args:
        images: Values, :math:`(*, H, W)`.
        kernel: Weights, :math:`(K, L)`, both odd; read as numbers by the direct sum, so it gets no gradient.
        method: ``direct``, ``fft``, or by default that which costs less; they differ by rounding only.

    Raises:
        ValueError: If a side of the kernel is even, the image has no pixels, or the method is unknown.

    Example:
        >>> image = torch.zeros(3, 5)
        >>> image[1, 2] = 1
        >>> convolve(image, torch.tensor([[0.25, 0.5, 0.0]]))[1]
        tensor([0.0000, 0.2500, 0.5000, 0.0000, 0.0000])
    """
    check_option(Method, method=method)
    images, margin = at_least_float32(images), _margin(images, kernel)
    return _valid(mirrored(images, margin), kernel, method)


def convolve_adjoint(
    images: Float[Tensor, "*b h w"], kernel: Float[Tensor, "k l"], method: Method = "auto"
) -> Float[Tensor, "*b h w"]:
    r"""Returns the images put through the transpose of :func:`convolve`.

    .. math:: \langle A x, y \rangle = \langle x, A^T y \rangle

    Inside it is the convolution with the kernel turned by half a turn; at the border, what the mirrored pixels saw is
    added to the pixels that they mirror.

    Args and errors: see `convolve`.
    """
    check_option(Method, method=method)
    images, (rows, columns) = at_least_float32(images), _margin(images, kernel)
    spread = F.pad(images, (2 * columns, 2 * columns, 2 * rows, 2 * rows))
    return mirrored_adjoint(_valid(spread, kernel.flip(0, 1), method), (rows, columns))


def _valid(padded: Tensor, kernel: Tensor, method: Method) -> Tensor:
    """Returns the convolution at all places where the kernel lies inside the padded image."""
    taps = int(kernel.count_nonzero())
    chosen = method if method != "auto" else "fft" if taps > _MANY_TAPS else "direct"
    return _by_fft(padded, kernel) if chosen == "fft" else _by_sums(padded, kernel)


def _by_sums(padded: Tensor, kernel: Tensor) -> Tensor:
    # Through shifted views, as in `pdloss.ops.filters`: GPUs' convolutions round; and kernels are mostly zeros.
    height, width = padded.shape[-2] - kernel.shape[0] + 1, padded.shape[-1] - kernel.shape[1] + 1
    result = torch.zeros_like(padded[..., :height, :width])
    weights = kernel.flip(0, 1).tolist()
    for row, line in enumerate(weights):
        for column, weight in enumerate(line):
            if weight:
                result = result.add(padded[..., row : row + height, column : column + width], alpha=weight)
    return result


def _by_fft(padded: Tensor, kernel: Tensor) -> Tensor:
    size = padded.shape[-2:]
    spectrum = torch.fft.rfft2(padded) * torch.fft.rfft2(kernel.to(padded), s=size)
    whole: Tensor = torch.fft.irfft2(spectrum, s=size)
    return whole[..., kernel.shape[0] - 1 :, kernel.shape[1] - 1 :]


def _margin(images: Tensor, kernel: Tensor) -> tuple[int, int]:
    if kernel.shape[0] % 2 == 0 or kernel.shape[1] % 2 == 0:
        raise ValueError(
            f"a kernel of {kernel.shape[0]}x{kernel.shape[1]} has no middle: add a row or column of zeros to make its "
            "sides odd"
        )
    if 0 in images.shape[-2:]:
        raise ValueError(f"expected images with pixels, got {tuple(images.shape)}")
    return kernel.shape[0] // 2, kernel.shape[1] // 2


def _folded(size: int, margin: int) -> Tensor:
    """Returns the indices of a mirrored row: from -margin to size + margin, folded back into the row."""
    period = max(2 * (size - 1), 1)
    places = torch.arange(-margin, size + margin) % period
    return torch.minimum(places, period - places) if size > 1 else torch.zeros_like(places)
