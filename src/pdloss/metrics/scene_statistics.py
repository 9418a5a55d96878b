"""Statistics of an image's blocks that all good photographs share, and blurred or noisy ones do not; see `niqe`.

In double precision, with MATLAB's conversion to gray and its halving.
"""

import functools
import math
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pdloss._types import check_pair
from pdloss.metrics.psnr import inside
from pdloss.ops.color import gray_levels, luma
from pdloss.ops.filters import gaussian_kernel
from pdloss.ops.options import check_option
from pdloss.ops.resize import resize

Gray = Literal["gray", "y"]
"""MATLAB's ``rgb2gray``, or the luma of its ``rgb2ycbcr``."""

BLOCK = 96
"""Side of a block in pixels."""
FEATURES = 36
"""Numbers that describe a block: 18 at each of two scales."""
MINIMUM_SIDE = 2 * BLOCK
"""Four blocks; the covariance of fewer says nothing."""

_WINDOW, _SIGMA = 7, 7 / 6
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Down and to the right, to the neighbours that a coefficient is multiplied with."""
_NOTHING = 1e-9
"""Differences of gray levels below this are rounding."""


class Blocks(NamedTuple):
    """What is known of the blocks of each image."""

    features: Float[Tensor, "b n 36"]
    """NaN where undefined."""
    sharpness: Float[Tensor, "b n"]
    """Mean local deviation in gray levels."""


@torch.no_grad()
def block_features(images: Tensor, gray: Gray = "gray", border: int = 0) -> Blocks:
    """Returns the 36 features of every block of 96x96 pixels, and its sharpness.

    At two scales, the second half as large, the gray levels less their local mean are divided by their local deviation
    plus one. Features are shape and scale of the distribution of these coefficients in the block, and shape, mean, left
    and right scale of that of their products with four neighbours; a block's neighbours beyond its border are on its
    other side.

    A block without coefficients of one sign lacks that scale, and its shape counts as 0.2, as published.

    Args and errors: see `niqe`.

    Returns:
        Features (B, n, 36) and sharpness (B, n), float64.
    """
    levels = _levels(images, gray, border)
    rows, columns = levels.shape[-2] // BLOCK, levels.shape[-1] // BLOCK
    levels = levels[:, : rows * BLOCK, : columns * BLOCK]
    features, sharpness = [], levels
    for scale in (1, 2):
        deviation, spread = _local(levels)
        blocks = _blocks(deviation.div_(spread + 1), BLOCK // scale)
        # 64 blocks at a time: more need more memory, and are slower once they leave the processor's cache.
        some = max(1, 64 // len(blocks))
        features.append(torch.cat([_features(part) for part in torch.split(blocks, some, dim=1)], dim=1))
        if scale == 1:
            sharpness = _blocks(spread, BLOCK).mean(dim=(2, 3))
            levels = resize(levels, 0.5)
    return Blocks(torch.cat(features, dim=2), sharpness)


@torch.no_grad()
def flat_share(images: Tensor, gray: Gray = "gray", border: int = 0) -> Float[Tensor, " b"]:
    """Returns the share of each image's pixels that lie in the middle of 7x7 pixels of one gray level.

    Where it is not small, implementations of NIQE differ by tenths.

    Args and errors: see `niqe`.

    Returns:
        One value per image in [0, 1], :math:`(B)`, float64.

    Example:
        >>> halves = torch.zeros(1, 3, 200, 200)
        >>> halves[..., 100:] = torch.rand(200, 100)
        >>> flat_share(halves)
        tensor([0.4850], dtype=torch.float64)
    """
    levels = F.pad(_levels(images, gray, border)[:, None], (_WINDOW // 2,) * 4, mode="replicate")
    highest = F.max_pool2d(levels, _WINDOW, stride=1)
    lowest = -F.max_pool2d(-levels, _WINDOW, stride=1)
    return (highest == lowest).double().mean(dim=(1, 2, 3))


def _levels(images: Tensor, gray: Gray, border: int) -> Tensor:
    """Returns the gray levels, whole numbers from 0 to 255, (B, H, W), float64."""
    check_pair(images, images)
    check_option(Gray, gray=gray)
    images = inside(images, border)
    height, width = images.shape[-2:]
    if min(height, width) < MINIMUM_SIDE:
        raise ValueError(
            f"images of {height}x{width} are too small for NIQE, which needs at least {MINIMUM_SIDE} pixels a side, "
            f"four blocks of {BLOCK}x{BLOCK}"
        )
    if not math.isfinite(images.sum()) and not bool(images.isfinite().all()):  # the sum is quick, and rarely overflows
        raise ValueError("images hold NaN or infinity, of which NIQE cannot be taken")
    colours = images.clamp(0, 1).mul_(255).add_(0.5).floor_()
    if gray == "y":
        return (255 * luma(colours.double() / 255)[:, 0]).add_(0.5).floor_()
    return gray_levels(colours)


def _local(levels: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the levels less their local mean, and their local standard deviation, (B, h, w) each."""
    padded = F.pad(levels[:, None], (_WINDOW // 2,) * 4, mode="replicate")[:, 0]
    mean = _smoothed(padded)
    variance = _smoothed(padded.square_()).addcmul_(mean, mean, value=-1)
    return F.hardshrink(levels - mean, _NOTHING), variance.abs_().sqrt_()


def _smoothed(padded: Tensor) -> Tensor:
    """Returns the means under the Gaussian window; in place, since fresh memory costs more than the sums."""
    taps = gaussian_kernel(_WINDOW, _SIGMA).tolist()
    for dim in (2, 1):
        length = padded.shape[dim] - _WINDOW + 1
        total = padded.narrow(dim, 0, length) * taps[0]
        for shift, tap in enumerate(taps[1:], start=1):
            total.add_(padded.narrow(dim, shift, length), alpha=tap)
        padded = total
    return padded


def _blocks(maps: Tensor, side: int) -> Tensor:
    """Returns the blocks of each map, (B, n, side, side)."""
    rows, columns = maps.shape[1] // side, maps.shape[2] // side
    grid = maps.reshape(-1, rows, side, columns, side).transpose(2, 3)
    return grid.flatten(1, 2).contiguous()


def _features(blocks: Tensor) -> Tensor:
    """Returns the 18 features of one scale, (B, n, 18)."""
    shape, left, right, _ = _asymmetric(blocks)
    features = [shape, (left + right) / 2]
    for shift in _SHIFTS:
        shape, left, right, ratio = _asymmetric(blocks * blocks.roll(shift, (2, 3)))
        features += [shape, (right - left) * ratio, left, right]
    return torch.stack(features, dim=2)


def _asymmetric(values: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    r"""Returns the asymmetric generalised Gaussian of each block's values, (B, n) each, by matching moments.

    Its shape :math:`\alpha`, left and right scale, and :math:`\Gamma(2/\alpha) / \Gamma(1/\alpha)`.
    """
    values = values.flatten(2)
    above = values.clamp(min=0)
    below = values - above
    signs = values.sign()
    # Sums and norms in place of counts and squares: they need no memory.
    more, nonzero, energy_below, energy_above = signs.sum(dim=2), _energy(signs).round(), _energy(below), _energy(above)
    left = (2 * energy_below / (nonzero - more)).sqrt()  # 0/0 where there are none
    right = (2 * energy_above / (nonzero + more)).sqrt()
    ratio = left / right
    absolute = (above.sum(dim=2) - below.sum(dim=2)) / values.shape[2]
    peakedness = absolute.square() / ((energy_below + energy_above) / values.shape[2])
    wanted = peakedness * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1).square()
    shapes, moments, scales, ratios = (column.to(values.device) for column in _table())
    after = torch.searchsorted(moments, wanted).clamp(1, len(shapes) - 1)
    before = after - 1
    nearer = torch.where((moments[before] - wanted).square() <= (moments[after] - wanted).square(), before, after)
    place = torch.where(wanted.isnan(), 0, nearer)
    return shapes[place], left * scales[place], right * scales[place], ratios[place]


def _energy(values: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(values, dim=2)
    return norm.square()


@functools.cache
def _table() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Returns the shapes from 0.2 to 10 in steps of 0.001, and of each the moments' ratio and two ratios of gammas.

    The ratio of the moments rises with the shape, so that the nearest one is found by bisection.
    """
    shapes = 0.2 + 0.001 * torch.arange(9801, dtype=torch.float64)
    first, second, third = (torch.lgamma(k / shapes) for k in (1, 2, 3))
    return shapes, (2 * second - first - third).exp(), ((first - third) / 2).exp(), (second - first).exp()
