"""JPEG in tensors: libjpeg's tables and steps, with a gradient through the rounding; and the cells of its coefficients.

Follows libjpeg as it works by default: JFIF's full-range YCbCr, colour halved by means of 2x2 pixels, the 8x8 cosine
transform, the tables of the standard's annex K scaled by the quality, and colour enlarged by the triangle filter.
"""

from functools import lru_cache
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pdloss._types import Images
from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.options import check_option

Subsampling = Literal["4:2:0", "4:4:4"]
Rounding = Literal["straight", "cubic"]

_LUMA_TABLE = """
16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99
"""
_COLOUR_TABLE = """
17 18 24 47 99 99 99 99  18 21 26 66 99 99 99 99  24 26 56 99 99 99 99 99  47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99
"""
"""Tables K.1 and K.2 of ITU-T T.81, rows of vertical frequencies, lowest first."""

_HALF_WAVES = (
    (8192, 8192, 8192, 8192),
    (11363, 9633, 6437, 2260),
    (10703, 4433, -4433, -10703),
    (9633, -2259, -11362, -6436),
    (8192, -8192, -8192, 8192),
    (6437, -11362, 2261, 9633),
    (4433, -10704, 10704, -4433),
    (2260, -6436, 9633, -11363),
)
"""Waves at the first four of eight places; last digits are as libjpeg's factors, shared by several, add up."""


class Coefficients(NamedTuple):
    """Cosine coefficients of levels from -128 to 127, each (B, rows of blocks, columns of blocks, 8, 8)."""

    luma: Float[Tensor, "b r c 8 8"]
    blue: Float[Tensor, "b r2 c2 8 8"]
    red: Float[Tensor, "b r2 c2 8 8"]


def jpeg_tables(quality: int) -> tuple[Float[Tensor, "8 8"], Float[Tensor, "8 8"]]:
    """Returns libjpeg's quantisation tables, of luma and of colour, at a quality of 1 to 100.

    Raises:
        ValueError: If the quality is outside 1 to 100.

    Example:
        >>> jpeg_tables(20)[0][0]
        tensor([ 40.,  28.,  25.,  40.,  60., 100., 128., 153.])
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"a JPEG quality is a whole number from 1 to 100, got {quality}")
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    luma, colour = (
        torch.tensor([float(min(255, max(1, (int(entry) * percent + 50) // 100))) for entry in table.split()])
        for table in (_LUMA_TABLE, _COLOUR_TABLE)
    )
    return luma.view(8, 8), colour.view(8, 8)


def jpeg(
    images: Images, quality: int = 20, subsampling: Subsampling = "4:2:0", rounding: Rounding = "straight"
) -> Images:
    r"""Returns the images as JPEG would give them back, with a useful gradient.

    With ``straight`` rounding the values are those that Pillow gives with libjpeg-turbo, bit for bit, and the gradient
    is that of the same steps without rounding. With ``cubic``, coefficients are not quite rounded,
    :math:`[x] + (x - [x])^3`, so that the gradient vanishes in the middle of a cell and grows towards its borders.
    Either way results lie on the 256 levels of a file. Values outside [0, 1] are cut off, with a zero gradient.

    Args:
        images: RGB in [0, 1], :math:`(B, 3, H, W)`.
        quality: Of libjpeg's scale, 1 to 100.
        subsampling: ``4:2:0``, colour at half the resolution, or ``4:4:4``.
        rounding: ``straight`` or ``cubic``.

    Raises:
        ValueError: If the quality is outside 1 to 100, another option unknown, or the images are no RGB batch with
            pixels.

    Example:
        >>> grey = torch.full((1, 3, 8, 8), 128 / 255)
        >>> torch.allclose(jpeg(grey), grey)
        True

    References:
        | Information technology: Digital compression and coding of continuous-tone still images (ITU-T T.81, 1992)
        | https://www.w3.org/Graphics/JPEG/itu-t81.pdf
        | JPEG-resistant Adversarial Images (Shin and Song, 2017), for the cubic rounding
        | https://machine-learning-and-security.github.io/papers/mlsec17_paper_54.pdf
    """
    check_option(Rounding, rounding=rounding)
    images = at_least_float32(images)
    tables = jpeg_tables(quality)
    steps = [table.to(images) for table in (tables[0], tables[1], tables[1])]
    soften = _cubic if rounding == "cubic" else _straight_from_zero
    coefficients = jpeg_coefficients(images, subsampling)
    blocks = [soften(c / step) * step for c, step in zip(coefficients, steps, strict=True)]
    height, width = images.shape[-2:]
    half = -(-height // 2), -(-width // 2)
    sizes = [(height, width), *(2 * [half] if subsampling == "4:2:0" else 2 * [(height, width)])]
    planes = [_straight(_joined(b)[..., :h, :w] + 128).clamp(0, 255) for b, (h, w) in zip(blocks, sizes, strict=True)]
    luma, blue, red = (p if p.shape[-2:] == (height, width) else _enlarged(p)[..., :height, :width] for p in planes)
    levels = _rgb(luma, blue - 128, red - 128)
    return _straight(levels).clamp(0, 255) / 255


def jpeg_coefficients(images: Images, subsampling: Subsampling = "4:2:0") -> Coefficients:
    """Returns the cosine coefficients that JPEG quantises, in levels, of images in [0, 1].

    Levels are rounded as in the encoder, to 256 in RGB, in YCbCr and after the halving, with straight-through
    gradients. Blocks that reach over the border repeat the last row and column, as libjpeg's do.

    Raises:
        ValueError: If the images are no RGB batch with pixels, or the subsampling is unknown.
    """
    check_option(Subsampling, subsampling=subsampling)
    if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape[-2:]:
        raise ValueError(f"expected RGB images with pixels, of shape (B, 3, H, W), got {tuple(images.shape)}")
    planes = [_straight(plane) for plane in _ycbcr(_straight(images.clamp(0, 1) * 255))]
    if subsampling == "4:2:0":
        planes[1:] = [_halved(plane) for plane in planes[1:]]
    return Coefficients(*(_blocks(plane - 128) for plane in planes))


def jpeg_cells(degraded: Images, quality: int, subsampling: Subsampling = "4:2:0") -> Coefficients:
    """Returns the whole numbers that a decoded JPEG was made of: the quantised coefficients, read from its pixels.

    Colour is first brought back to half the resolution by the least-squares inverse of the decoder's enlargement. Cells
    narrower than the decoder's own rounding cannot be told apart, nor what it cut off at black and white: on
    photographs, one in ten thousand is wrong at quality 20, one in a thousand at 75, and more above. Blocks that reach
    over the border are not known.

    Args:
        degraded: Decoded RGB in [0, 1], :math:`(B, 3, H, W)`.
        quality: With which it was encoded.
        subsampling: With which it was encoded.

    Raises:
        ValueError: If the quality is outside 1 to 100, or the subsampling unknown.
    """
    check_option(Subsampling, subsampling=subsampling)
    planes = list(_ycbcr(at_least_float32(degraded) * 255))
    if subsampling == "4:2:0":
        planes[1:] = [_reduced(plane) for plane in planes[1:]]
    tables = jpeg_tables(quality)
    steps = (tables[0], tables[1], tables[1])
    return Coefficients(
        *((_blocks(plane - 128) / step.to(plane)).round() for plane, step in zip(planes, steps, strict=True))
    )


def _ycbcr(levels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """JFIF: BT.601 in full range, colour around 128; in libjpeg's 2^16ths, which settle the halves."""
    red, green, blue = levels.unbind(1)
    luma = (19595 * red + 38470 * green + 7471 * blue) / 2**16
    # For colour libjpeg adds a 2^16th less than a half before it rounds down.
    bluish = 128 - 2**-16 + (-11059 * red - 21709 * green + 32768 * blue) / 2**16
    return luma, bluish, 128 - 2**-16 + (32768 * red - 27439 * green - 5329 * blue) / 2**16


def _rgb(luma: Tensor, blue: Tensor, red: Tensor) -> Tensor:
    green = (-22554 * blue - 46802 * red) / 2**16
    return torch.stack([luma + 91881 / 2**16 * red, luma + green, luma + 116130 / 2**16 * blue], dim=1)


def _halved(plane: Tensor) -> Tensor:
    """Means of 2x2 levels; where they end in a half or a quarter, libjpeg rounds down and up in turn.

    Beyond the right border whole blocks are filled before the halving, below the lower one after it.
    """
    filled = F.pad(plane[:, None], (0, -plane.shape[-1] % 16, 0, plane.shape[-2] % 2), mode="replicate")
    means = F.avg_pool2d(filled, 2)[:, 0]
    bias = torch.arange(means.shape[-1], device=plane.device) % 2 * 0.25 + 0.25
    return means + ((means + bias).floor() - means).detach()


def _enlarged(plane: Tensor) -> Tensor:
    """The triangle filter, 3/4 and 1/4 of the nearest two along each axis; planes two wide or less are repeated."""
    if plane.shape[-1] <= 2:
        return plane.repeat_interleave(2, -1).repeat_interleave(2, -2)
    across = _interleaved(_interleaved(plane, -2), -1)
    # libjpeg adds 8 and 7 in turn before it divides by 16.
    bias = 0.5 - torch.arange(across.shape[-1], device=plane.device) % 2 / 16
    return across + ((across + bias).floor() - across).detach()


def _interleaved(plane: Tensor, dim: int) -> Tensor:
    length = plane.shape[dim]
    ends = torch.cat([plane.narrow(dim, 0, 1), plane, plane.narrow(dim, length - 1, 1)], dim)
    before, after = ends.narrow(dim, 0, length), ends.narrow(dim, 2, length)
    pairs = torch.stack([0.75 * plane + 0.25 * before, 0.75 * plane + 0.25 * after], dim)
    return pairs.flatten(dim - 1, dim)


def _reduced(plane: Tensor) -> Tensor:
    """The least-squares inverse of `_enlarged`."""
    height, width = plane.shape[-2:]
    repeated = width <= 4
    down, across = (_inverse(size, repeated).to(plane) for size in (height, width))
    return down @ plane @ across.T


@lru_cache(maxsize=16)
def _inverse(size: int, repeated: bool) -> Tensor:
    identity = torch.eye(-(-size // 2), dtype=torch.float64)
    matrix = (identity.repeat_interleave(2, -2) if repeated else _interleaved(identity, -2))[:size]
    solved: Tensor = torch.linalg.solve(matrix.T @ matrix, matrix.T)
    return solved


@lru_cache(maxsize=1)
def _cosines() -> Tensor:
    """libjpeg's cosine transform of 8 values: the orthonormal one times 2^13.5, in whole numbers."""
    half = torch.tensor(_HALF_WAVES, dtype=torch.float64)
    signs = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(4)[:, None]
    return torch.cat([half, signs * half.flip(1)], dim=1)


def _blocks(plane: Tensor) -> Tensor:
    """Along rows with two more bits, then along columns; in double precision, where whole numbers stay exact."""
    batch, height, width = plane.shape
    rows, columns = -(-height // 8), -(-width // 8)
    whole = F.pad(plane[:, None], (0, 8 * columns - width, 0, 8 * rows - height), mode="replicate")
    blocks = whole.view(batch, rows, 8, columns, 8).transpose(2, 3).double()
    waves = _cosines().to(plane.device)
    return (_straight(waves @ _straight(blocks @ waves.T / 2**11) / 2**15) / 8).to(plane.dtype)


def _joined(blocks: Tensor) -> Tensor:
    """Along columns with two more bits, then along rows."""
    batch, rows, columns = blocks.shape[:3]
    waves = _cosines().to(blocks.device)
    levels = _straight(_straight(waves.T @ blocks.double() / 2**11) @ waves / 2**18)
    return levels.to(blocks.dtype).transpose(2, 3).reshape(batch, 8 * rows, 8 * columns)


def _straight(x: Tensor) -> Tensor:
    """Rounds half up; the gradient passes as if nothing were rounded."""
    return x + ((x + 0.5).floor() - x).detach()


def _straight_from_zero(x: Tensor) -> Tensor:
    """Rounds halves away from zero; the gradient passes as if nothing were rounded."""
    return x + (x.sign() * (x.abs() + 0.5).floor() - x).detach()


def _cubic(x: Tensor) -> Tensor:
    nearest = x.detach().round()
    return nearest + (x - nearest) ** 3
