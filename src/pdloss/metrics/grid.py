"""A pattern that repeats every few pixels, as networks that shuffle pixels leave it on even surfaces."""

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss._types import Images, check_pair
from pdloss.ops.dtypes import at_least_float32

BLOCK = 16
"""Side of a block in periods, and so the distance of two harmonics in bins: far enough apart for a ring about each, and
the ring so near its harmonic that blur, which changes the spectrum smoothly, changes both alike."""

_RING = 3
# A Hann window spreads a wave over the bins next to its own; the ring begins behind them.

_VISIBLE = 1 / 255
# Standard deviation of noise that nobody sees: patterns far below one level of 8 bits count for nothing.


def grid(restored: Tensor, target: Tensor, factor: int = 4) -> Float[Tensor, " b"]:
    r"""Returns how far a pattern of `factor` pixels' period stands out of each restored image, beyond its target.

    In blocks of :math:`16 f` pixels, windowed (Hann) and half overlapping, with the power spectrum :math:`P` summed
    over the channels, the excess of an image is

    .. math:: E = 10 \log_{10} \operatorname*{mean}_{\text{blocks},\,k}
        \frac{P_k + \epsilon}{\operatorname{mean}_{|l - k|_\infty = 3} P_l + \epsilon}

    over all harmonics :math:`k = (i/f, j/f) \neq 0` cycles a pixel, the Nyquist frequencies among them for an even
    factor; :math:`\epsilon` is the power of white noise of one grey level. The value is :math:`E(x) - E(y)`: 0 is as
    even as the target, and below 0 more even: photographs themselves are not free of such patterns. Since every block
    counts by its ratio, a mesh on a sky is not hidden by the texture elsewhere.

    Args:
        restored: RGB in [0, 1], :math:`(B, 3, H, W)`.
        target: RGB in [0, 1], :math:`(B, 3, H, W)`.
        factor: The period in pixels, at least 2: 4 finds those of 2 and 4 (shuffles, strides), 8 that of 8 too.

    Returns:
        One value per image in dB, :math:`(B)`; 0 for equal images.

    Raises:
        ValueError: If the shapes differ or are not RGB batches, a side is shorter than a block, or the factor below 2.

    Example:
        >>> flat = torch.full((1, 3, 64, 64), 0.5)
        >>> mesh = flat.clone()
        >>> mesh[..., ::4, ::4] += 8 / 255
        >>> grid(mesh, flat).item() > 10
        True
    """
    check_pair(restored, target)
    return _excess(restored, factor) - _excess(target, factor)


def blocks(restored: Tensor, target: Tensor, factor: int = 4) -> Float[Tensor, " b"]:
    r"""Returns how far edges that repeat every `factor` pixels stand out of each restored image, beyond its target.

    Where enlarged pixels are seen as squares, each is as bright as the picture: no wave repeats, and `grid` finds
    nothing. What repeats is where edges are. So its excess is taken of the images' absolute differences to the pixel
    below and to the one at the right (zero at the last row and column); of the two the larger is returned:

    .. math:: \max_{d \in \{\downarrow, \rightarrow\}} E(|\partial_d x|) - E(|\partial_d y|)

    Args:
        restored: RGB in [0, 1], :math:`(B, 3, H, W)`.
        target: RGB in [0, 1], :math:`(B, 3, H, W)`.
        factor: The period in pixels, at least 2.

    Returns:
        One value per image in dB, :math:`(B)`; 0 for equal images.

    Raises:
        ValueError: If the shapes differ or are not RGB batches, a side is shorter than 16 periods, or the factor below
            2.

    Example:
        >>> picture = torch.rand(1, 3, 96, 96)
        >>> squares = picture[..., ::4, ::4].repeat_interleave(4, -1).repeat_interleave(4, -2)
        >>> blocks(squares, picture).item() > 10, grid(squares, picture).item() > 10
        (True, False)
    """
    check_pair(restored, target)
    found = [_excess(_edges(restored, dim), factor) - _excess(_edges(target, dim), factor) for dim in (-2, -1)]
    return torch.maximum(*found)


def _edges(images: Images, dim: int) -> Images:
    """Returns the absolute differences along a side, as many as there are pixels."""
    return images.diff(dim=dim, append=images.narrow(dim, -1, 1)).abs()


def _excess(images: Images, factor: int) -> Float[Tensor, " b"]:
    if factor < 2:
        raise ValueError(f"a grid's period must be at least 2 pixels, got {factor}")
    side = BLOCK * factor
    height, width = images.shape[-2:]
    if min(height, width) < side:
        raise ValueError(f"a grid of {factor} pixels is measured in blocks of {side}x{side}, got {height}x{width}")
    window = torch.hann_window(side, dtype=torch.float64, device=images.device)
    window = (window[:, None] * window).to(at_least_float32(images).dtype)
    invisible = 3 * _VISIBLE**2 * window.square().sum()
    ratios, count = torch.zeros(len(images), dtype=torch.float64, device=images.device), 0
    for top in range(
        0, height - side + 1, side // 2
    ):  # a row of blocks at a time: memory does not grow with the height
        strip = at_least_float32(images[..., top : top + side, :])
        blocks = strip.unfold(-1, side, side // 2).movedim(-2, 1)  # (B, n, 3, side, side)
        power = torch.fft.fft2(blocks * window).abs().square().sum(2)  # (B, n, side, side)
        ratios += _ratios(power, factor, invisible).double().sum((1, 2))
        count += blocks.shape[1] * (factor**2 - 1)
    return 10 * (ratios / count).log10()


def _ratios(power: Tensor, factor: int, invisible: Tensor) -> Tensor:
    """Returns the power of each harmonic over the mean of the ring about it: (B, n, factor² - 1)."""
    reach = range(-_RING, _RING + 1)
    ring = [(i, j) for i in reach for j in reach if max(abs(i), abs(j)) == _RING]
    around = torch.stack([power.roll(offset, (-2, -1)) for offset in ring]).mean(0)
    ratio = (power + invisible) / (around + invisible)
    return ratio[..., ::BLOCK, ::BLOCK].flatten(-2)[..., 1:]  # without the mean of the block
