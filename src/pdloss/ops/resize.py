"""Resizing as MATLAB's ``imresize`` does it, with the exact transpose; super-resolution is measured against this.

Rows and columns are weighted sums over a few neighbours. They are computed as products with small dense matrices, one
per run of output pixels: a few more multiplications than necessary, by code that is fast at them.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.options import check_option

Kernel = Literal["bicubic", "lanczos3", "bilinear", "area"]

_Array = NDArray[np.float64]


def _bicubic(x: _Array) -> _Array:
    """The cubic through 1 at 0 and 0 at 1 and 2 whose slope at 1 is a = -1/2."""
    x = np.abs(x)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _lanczos3(x: _Array) -> _Array:
    lobes: _Array = np.sinc(x) * np.sinc(x / 3)
    return np.where(np.abs(x) < 3, lobes, 0.0)


def _bilinear(x: _Array) -> _Array:
    return np.where(np.abs(x) < 1, 1 - np.abs(x), 0.0)


def _area(x: _Array) -> _Array:
    return np.where((x >= -0.5) & (x < 0.5), 1.0, 0.0)


_KERNELS: dict[str, tuple[Callable[[_Array], _Array], int]] = {
    "bicubic": (_bicubic, 4),
    "lanczos3": (_lanczos3, 6),
    "bilinear": (_bilinear, 2),
    "area": (_area, 1),
}
"""Each kernel with the width outside of which it is zero."""


class _Axis(NamedTuple):
    """How one axis is resized."""

    inputs: int
    outputs: int
    scale: float
    kernel: str
    antialias: bool


class _Block(NamedTuple):
    """The weights of one run of output pixels, (outputs, inputs), on the input pixels that any of them uses."""

    outputs: slice
    inputs: slice
    weights: Tensor


_Passes = tuple[tuple[int, _Axis], tuple[int, _Axis]]
"""The dimension, -2 or -1, and the resizing of the first pass and of the second."""


def resize(
    images: Float[Tensor, "*batch h w"],
    size_or_scale: tuple[int, int] | float,
    kernel: Kernel = "bicubic",
    antialias: bool = True,
) -> Float[Tensor, "*batch h2 w2"]:
    r"""Returns the images resized as MATLAB's ``imresize`` resizes floating-point images: no clipping, no rounding.

    Along each axis, with scale :math:`s`, kernel :math:`k` and pixels counted from 1,

    .. math:: y_i = \frac{\sum_j k(t (u_i - j)) \, x_j}{\sum_j k(t (u_i - j))}, \quad
              u_i = \frac{i}{s} + \frac{1}{2}\left(1 - \frac{1}{s}\right)

    where :math:`t = \min(s, 1)` widens the kernel when shrinking, or :math:`t = 1` without `antialias`. Beyond the
    border the image goes on mirrored, the pixel at the border repeated. The axis with the smaller scale comes first,
    at equal scales the vertical one.

    The cubic has :math:`a = -1/2` (PyTorch without antialiasing: -3/4), so that bicubic and Lanczos results overshoot
    [0, 1] at edges. ``area`` is MATLAB's box: the mean of the pixels whose centres lie in the output pixel, which for
    whole factors is the mean of blocks, and in enlarging takes the nearest pixel.

    A NaN or an infinity reaches a neighbourhood larger than the kernel. The gradient is the exact transpose, and can be
    differentiated again. Half precision comes back as float32, and autocast changes nothing.

    Args:
        images: Values, :math:`(*, H, W)`, of any range.
        size_or_scale: The height and width wanted, or one factor for both: results have
            :math:`\lceil s H \rceil \times \lceil s W \rceil` pixels, where MATLAB's last bit counts too (50 pixels
            become 56 at 1.1, whose double is a little more).
        kernel: ``bicubic``, ``lanczos3``, ``bilinear`` or ``area``.
        antialias: Whether to widen the kernel when shrinking.

    Raises:
        ValueError: If the images are not floating-point or have no pixels, or the size, scale or kernel is none.

    Example:
        >>> ramp = torch.arange(8.0).expand(4, 8)
        >>> resize(ramp, 1 / 4, kernel="area")
        tensor([[1.5000, 5.5000]])

    References:
        | MATLAB's function reference, imresize
        | https://www.mathworks.com/help/matlab/ref/imresize.html
    """
    _check_float(images)
    passes = _passes((images.shape[-2], images.shape[-1]), size_or_scale, kernel, antialias)
    return _Resized.apply(at_least_float32(images), passes, False)  # type: ignore[no-any-return, no-untyped-call]


def resize_bytes(
    images: UInt8[Tensor, "*batch h w"],
    size_or_scale: tuple[int, int] | float,
    kernel: Kernel = "bicubic",
    antialias: bool = True,
    round_between: bool = True,
) -> UInt8[Tensor, "*batch h2 w2"]:
    """Returns 8-bit images resized as MATLAB's ``imresize`` resizes 8-bit images, which rounds after each pass.

    As :func:`resize`, except that results are cut off at 0 and 255 and rounded, halves up, and that by default those of
    the first pass are too. MATLAB's bicubic files for super-resolution, at factors 2, 3 and 4, come out bit for bit
    only so.

    The sums are taken in double precision, in which those of the bicubic kernel at factors 2, 4 and 8 are exact: halves
    occur there, and no order of summation turns one the wrong way.

    Args:
        images: Values, :math:`(*, H, W)`.
        size_or_scale: The height and width wanted, or one factor for both.
        kernel: ``bicubic``, ``lanczos3``, ``bilinear`` or ``area``.
        antialias: Whether to widen the kernel when shrinking.
        round_between: Whether to round after the first pass too.

    Raises:
        ValueError: If the images have no pixels, or are not 8-bit, or the size, scale or kernel is none.

    Example:
        >>> checkers = torch.tensor([[0, 255], [255, 1]], dtype=torch.uint8)
        >>> resize_bytes(checkers, 1 / 2, kernel="area")
        tensor([[128]], dtype=torch.uint8)
    """
    if images.dtype != torch.uint8:
        raise ValueError(f"expected 8-bit images (torch.uint8), got {images.dtype}; use resize for floating-point ones")
    _check_pixels(images)
    passes = _passes((images.shape[-2], images.shape[-1]), size_or_scale, kernel, antialias)
    first = _along(images, *passes[0], False, torch.float64)
    return _rounded(_along(_rounded(first) if round_between else first, *passes[1], False, torch.float64))


def resize_adjoint(
    images: Float[Tensor, "*batch h2 w2"],
    size: tuple[int, int],
    scale: float | None = None,
    kernel: Kernel = "bicubic",
    antialias: bool = True,
) -> Float[Tensor, "*batch h w"]:
    r"""Returns the images put through the transpose of :func:`resize`.

    With :math:`A` for :func:`resize` it is the map of which :math:`\langle A x, y \rangle = \langle x, A^T y \rangle`:
    the gradient by the larger image of what was computed from the smaller, and the step back in iterative
    super-resolution. It is not the inverse, nor resizing the other way.

    Args:
        images: Values as large as the results of :func:`resize`.
        size: Height and width of what :func:`resize` was given.
        scale: The factor that :func:`resize` was given, if it was not given a size.
        kernel: As given to :func:`resize`.
        antialias: As given to :func:`resize`.

    Raises:
        ValueError: As :func:`resize`; also if the images are not as large as its results.

    Example:
        >>> resize_adjoint(torch.ones(1, 2), (2, 4), kernel="area")
        tensor([[0.2500, 0.2500, 0.2500, 0.2500],
                [0.2500, 0.2500, 0.2500, 0.2500]])
    """
    _check_float(images)
    given = (images.shape[-2], images.shape[-1])
    passes = _passes(size, given if scale is None else scale, kernel, antialias)
    outputs = {dim: axis.outputs for dim, axis in passes}
    if given != (outputs[-2], outputs[-1]):
        raise ValueError(
            f"resizing {size[0]}x{size[1]} by {scale} gives {outputs[-2]}x{outputs[-1]} (height x width), "
            f"but the images are {given[0]}x{given[1]}"
        )
    return _Resized.apply(at_least_float32(images), passes, True)  # type: ignore[no-any-return, no-untyped-call]


class _Resized(torch.autograd.Function):
    """Both passes, or their transpose: each is the other's gradient."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, passes: _Passes, adjoint: bool) -> Tensor:
        """Returns the resized images, or what the transpose makes of them."""
        ctx.passes, ctx.adjoint = passes, adjoint
        for dim, axis in passes:
            images = _along(images, dim, axis, adjoint, images.dtype)
        return images

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Returns the gradient by the images."""
        return _Resized.apply(gradient, ctx.passes, not ctx.adjoint), None, None  # type: ignore[no-untyped-call]


def _along(images: Tensor, dim: int, axis: _Axis, adjoint: bool, dtype: torch.dtype) -> Tensor:
    """Returns the images resized along one dimension, or put through the transpose of that, computed in `dtype`."""
    shape = list(images.shape)
    shape[dim] = axis.inputs if adjoint else axis.outputs
    result = torch.zeros(shape, dtype=dtype, device=images.device)
    # Autocast would multiply with eight bits.
    with torch.autocast(images.device.type, enabled=False):
        for outputs, inputs, weights in _blocks(axis, dtype, images.device):
            source, target, matrix = (outputs, inputs, weights.T) if adjoint else (inputs, outputs, weights)
            if dim == -2:
                result[..., target, :] += matrix @ images[..., source, :].to(dtype)
            else:
                result[..., target] += images[..., source].to(dtype) @ matrix.T
    return result


@lru_cache(maxsize=64)
def _blocks(axis: _Axis, dtype: torch.dtype, device: torch.device) -> tuple[_Block, ...]:
    """Returns the weights of all outputs, cut into runs short enough that few of them are zero."""
    indices, weights = _taps(axis)
    step = 16 if axis.outputs <= axis.inputs else 64
    blocks = []
    for start in range(0, axis.outputs, step):
        taps, values = indices[start : start + step], weights[start : start + step]
        low, high = int(taps.min()), int(taps.max()) + 1
        matrix = np.zeros((len(taps), high - low))
        np.add.at(matrix, (np.arange(len(taps))[:, None], taps - low), values)  # mirrored pixels come up twice
        blocks.append(_Block(slice(start, start + len(taps)), slice(low, high), torch.tensor(matrix).to(device, dtype)))
    return tuple(blocks)


def _taps(axis: _Axis) -> tuple[NDArray[np.int64], _Array]:
    """Returns, for each output, the input pixels it is a sum of, counted from 0, and their weights: (outputs, taps)."""
    kernel, width = _KERNELS[axis.kernel]
    tight = min(axis.scale, 1.0) if axis.antialias else 1.0
    centres = np.arange(1, axis.outputs + 1) / axis.scale + 0.5 * (1 - 1 / axis.scale)
    first = np.floor(centres - width / tight / 2).astype(np.int64)
    places = first[:, None] + np.arange(math.ceil(width / tight) + 2)
    weights = kernel(tight * (centres[:, None] - places))
    used = (weights != 0).any(axis=0)
    places, weights = places[:, used], weights[:, used]
    folded = (places - 1) % (2 * axis.inputs)
    indices = np.where(folded < axis.inputs, folded, 2 * axis.inputs - 1 - folded)
    return indices, weights / weights.sum(axis=1, keepdims=True)


def _passes(size: tuple[int, int], size_or_scale: tuple[int, int] | float, kernel: str, antialias: bool) -> _Passes:
    """Returns what to do along each dimension, the first pass first."""
    check_option(Kernel, kernel=kernel)
    if min(size) < 1:
        raise ValueError(f"an image needs pixels, got {size[0]}x{size[1]}")
    if isinstance(size_or_scale, tuple):
        if min(size_or_scale) < 1:
            raise ValueError(f"the size to resize to must be positive, got {size_or_scale[0]}x{size_or_scale[1]}")
        wanted = size_or_scale
        scales = (wanted[0] / size[0], wanted[1] / size[1])
    else:
        if not 0 < size_or_scale < math.inf:
            raise ValueError(f"the scale to resize by must be positive and finite, got {size_or_scale}")
        wanted = (math.ceil(size_or_scale * size[0]), math.ceil(size_or_scale * size[1]))
        scales = (float(size_or_scale), float(size_or_scale))
    vertical = (-2, _Axis(size[0], wanted[0], scales[0], kernel, antialias))
    horizontal = (-1, _Axis(size[1], wanted[1], scales[1], kernel, antialias))
    return (vertical, horizontal) if scales[0] <= scales[1] else (horizontal, vertical)


def _check_float(images: Tensor) -> None:
    if not images.is_floating_point():
        raise ValueError(f"expected floating-point images, got {images.dtype}; use resize_bytes for 8-bit ones")
    _check_pixels(images)


def _check_pixels(images: Tensor) -> None:
    if images.ndim < 2 or 0 in images.shape[-2:]:
        raise ValueError(f"expected images of shape (*, H, W) with pixels, got {tuple(images.shape)}")


def _rounded(levels: Tensor) -> Tensor:
    return (levels.clamp(0, 255) + 0.5).floor().to(torch.uint8)
