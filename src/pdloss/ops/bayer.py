"""Bayer mosaics: one colour at each pixel, how they are laid out, and two ways back to three colours.

A pattern's letters are row 0, then row 1: RGGB has red at (0, 0), green at (0, 1) and (1, 0), blue at (1, 1). Border
pixels are mirrored about the outermost pixel, which is not repeated: so a red pixel's image is a red one's.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from pdloss.ops.convolution import mirrored
from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.options import check_option

Pattern = Literal["RGGB", "GRBG", "BGGR", "GBRG"]

_COLOURS = "RGB"

_BILINEAR_GREEN = ((0, 1, 0), (1, 4, 1), (0, 1, 0))
_BILINEAR_RED = ((1, 2, 1), (2, 4, 2), (1, 2, 1))
"""Both over 4, and applied to a plane that is zero where the colour is not."""

_MALVAR_GREEN = ((0, 0, -2, 0, 0), (0, 0, 4, 0, 0), (-2, 4, 8, 4, -2), (0, 0, 4, 0, 0), (0, 0, -2, 0, 0))
_MALVAR_ROW = ((0, 0, 1, 0, 0), (0, -2, 0, -2, 0), (-2, 8, 10, 8, -2), (0, -2, 0, -2, 0), (0, 0, 1, 0, 0))
_MALVAR_DIAGONAL = ((0, 0, -3, 0, 0), (0, 4, 0, 4, 0), (-3, 0, 12, 0, -3), (0, 4, 0, 4, 0), (0, 0, -3, 0, 0))
"""All over 16: green at red or blue; red at green in a row of reds; red at blue. Blue as red."""


def bayer_masks(pattern: Pattern, height: int, width: int) -> Bool[Tensor, "3 h w"]:
    """Returns where red, green and blue are measured.

    Raises:
        ValueError: If the pattern is unknown.

    Example:
        >>> bayer_masks("RGGB", 2, 2).int().tolist()
        [[[1, 0], [0, 0]], [[0, 1], [1, 0]], [[0, 0], [0, 1]]]
    """
    check_option(Pattern, pattern=pattern)
    masks = torch.zeros(3, height, width, dtype=torch.bool)
    for place, letter in enumerate(pattern):
        masks[_COLOURS.index(letter), place // 2 :: 2, place % 2 :: 2] = True
    return masks


def bayer_plane(images: Float[Tensor, "*b 3 h w"], pattern: Pattern = "RGGB") -> Float[Tensor, "*b 1 h w"]:
    """Returns the mosaic of RGB images: of each pixel, the one colour that a sensor would measure there.

    Example:
        >>> bayer_plane(torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1).expand(3, 2, 2))
        tensor([[[1., 2.],
                 [2., 3.]]])
    """
    masks = bayer_masks(pattern, images.shape[-2], images.shape[-1]).to(images.device)
    return torch.where(masks, images, 0).sum(dim=-3, keepdim=True)


def bayer_masked(planes: Float[Tensor, "*b 1 h w"], pattern: Pattern = "RGGB") -> Float[Tensor, "*b 3 h w"]:
    """Returns mosaics as RGB images that are zero where a colour is not measured: the transpose of `bayer_plane`.

    Example:
        >>> bayer_masked(torch.ones(1, 2, 2), "BGGR")[0]
        tensor([[0., 0.],
                [0., 1.]])
    """
    masks = bayer_masks(pattern, planes.shape[-2], planes.shape[-1]).to(planes.device)
    return torch.where(masks, planes, 0)


def bayer_packed(planes: Float[Tensor, "*b 1 h w"]) -> Float[Tensor, "*b 4 h2 w2"]:
    """Returns mosaics as four planes of half the size: the sites (0, 0), (0, 1), (1, 0), (1, 1) of each 2x2 block.

    The channels are thus in the order of the pattern's letters; `bayer_unpacked` is the way back, and the transpose.

    Raises:
        ValueError: If a side is odd.

    Example:
        >>> bayer_packed(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])).flatten()
        tensor([1., 2., 3., 4.])
    """
    if planes.shape[-2] % 2 or planes.shape[-1] % 2:
        raise ValueError(f"a mosaic of {planes.shape[-2]}x{planes.shape[-1]} has no whole 2x2 blocks; crop it first")
    return F.pixel_unshuffle(planes, 2)


def bayer_unpacked(packed: Float[Tensor, "*b 4 h w"]) -> Float[Tensor, "*b 1 h2 w2"]:
    """Returns four packed planes as one mosaic of twice the size."""
    return F.pixel_shuffle(packed, 2)


def demosaic_bilinear(planes: Float[Tensor, "*b 1 h w"], pattern: Pattern = "RGGB") -> Float[Tensor, "*b 3 h w"]:
    """Returns RGB images in which each missing colour is the mean of its two or four nearest neighbours.

    What was measured is kept. Linear ramps come out exactly, away from the border.

    Args:
        planes: Mosaics, at least 2x2 pixels.
        pattern: Letters of row 0, then row 1.

    Raises:
        ValueError: If the pattern is unknown, or a side has fewer than 2 pixels.

    Example:
        >>> demosaic_bilinear(torch.full((1, 4, 4), 0.25)).unique()
        tensor([0.2500])
    """
    _check_size(planes)
    sparse = bayer_masked(at_least_float32(planes), pattern)
    padded = mirrored(sparse, (1, 1))
    red, green, blue = (padded[..., channel : channel + 1, :, :] for channel in range(3))
    result = [_filtered(red, _BILINEAR_RED), _filtered(green, _BILINEAR_GREEN), _filtered(blue, _BILINEAR_RED)]
    return torch.cat(result, dim=-3) / 4


def demosaic_malvar(planes: Float[Tensor, "*b 1 h w"], pattern: Pattern = "RGGB") -> Float[Tensor, "*b 3 h w"]:
    """Returns RGB images by the linear 5x5 filters of Malvar, He and Cutler: bilinear, corrected by the other colours.

    To the mean of a colour's neighbours comes a share of the Laplacian of the colour that was measured at the pixel,
    since edges are common to all three. What was measured is kept. Edges overshoot: results may leave [0, 1].

    Args:
        planes: Mosaics, at least 2x2 pixels.
        pattern: Letters of row 0, then row 1.

    Raises:
        ValueError: If the pattern is unknown, or a side has fewer than 2 pixels.

    Example:
        >>> demosaic_malvar(torch.full((1, 4, 4), 0.25)).unique()
        tensor([0.2500])

    References:
        | High-Quality Linear Interpolation for Demosaicing of Bayer-Patterned Color Images (Malvar et al., 2004)
        | https://doi.org/10.1109/ICASSP.2004.1326587
    """
    _check_size(planes)
    planes = at_least_float32(planes)
    masks = bayer_masks(pattern, planes.shape[-2], planes.shape[-1]).to(planes.device)
    red, green, blue = (masks[channel : channel + 1] for channel in range(3))
    # A green pixel lies in a row of reds if it has a red neighbour on the left or right: that is, in a red's row.
    red_row = green & red.any(dim=-1, keepdim=True)
    blue_row = green & blue.any(dim=-1, keepdim=True)
    padded = mirrored(planes, (2, 2))
    across, diagonal = _filtered(padded, _MALVAR_ROW) / 16, _filtered(padded, _MALVAR_DIAGONAL) / 16
    down = _filtered(padded, tuple(zip(*_MALVAR_ROW, strict=True))) / 16
    at_green = torch.where(red_row, across, down)
    at_red = torch.where(red, planes, torch.where(blue, diagonal, at_green))
    at_blue = torch.where(blue, planes, torch.where(red, diagonal, torch.where(blue_row, across, down)))
    return torch.cat([at_red, torch.where(green, planes, _filtered(padded, _MALVAR_GREEN) / 16), at_blue], dim=-3)


def _filtered(padded: Tensor, taps: tuple[tuple[float, ...], ...]) -> Tensor:
    """Returns the weighted sum over a square window; all windows here are symmetric, so that nothing is flipped."""
    size = len(taps)
    height, width = padded.shape[-2] - size + 1, padded.shape[-1] - size + 1
    result = torch.zeros_like(padded[..., :height, :width])
    for row, weights in enumerate(taps):
        for column, weight in enumerate(weights):
            if weight:
                result = result.add(padded[..., row : row + height, column : column + width], alpha=weight)
    return result


def _check_size(planes: Tensor) -> None:
    if min(planes.shape[-2:]) < 2:
        raise ValueError(f"a mosaic of {planes.shape[-2]}x{planes.shape[-1]} lacks a colour: it needs 2x2 pixels")
