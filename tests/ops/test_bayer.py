"""Mosaics against their letters, demosaicing against its formulas in SciPy, on ramps, and at the border."""

import inspect

import numpy as np
import pytest
import scipy.ndimage
import torch

from pdloss.images import read_image
from pdloss.ops.bayer import (
    bayer_masked,
    bayer_masks,
    bayer_packed,
    bayer_plane,
    bayer_unpacked,
    demosaic_bilinear,
    demosaic_malvar,
)

PATTERNS = ["RGGB", "GRBG", "BGGR", "GBRG"]
DEMOSAICS = [demosaic_bilinear, demosaic_malvar]


def colour_at(pattern, row, column):
    return "RGB".index(pattern[2 * (row % 2) + column % 2])


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_letters_are_row_0_and_then_row_1(pattern, generator):
    images = torch.rand(2, 3, 5, 7, generator=generator)
    plane, masked = bayer_plane(images, pattern), bayer_masked(bayer_plane(images, pattern), pattern)
    masks = bayer_masks(pattern, 5, 7)
    for row in range(5):
        for column in range(7):
            colour = colour_at(pattern, row, column)
            assert torch.equal(plane[:, 0, row, column], images[:, colour, row, column])
            expected = torch.zeros(2, 3)
            expected[:, colour] = images[:, colour, row, column]
            assert torch.equal(masked[:, :, row, column], expected)
            assert masks[:, row, column].tolist() == [channel == colour for channel in range(3)]


def test_packed_planes_are_the_sites_in_the_order_of_the_letters(generator):
    plane = torch.rand(2, 1, 6, 8, generator=generator)
    packed = bayer_packed(plane)
    assert torch.equal(packed[:, 0], plane[:, 0, ::2, ::2])
    assert torch.equal(packed[:, 1], plane[:, 0, ::2, 1::2])
    assert torch.equal(packed[:, 2], plane[:, 0, 1::2, ::2])
    assert torch.equal(packed[:, 3], plane[:, 0, 1::2, 1::2])
    assert torch.equal(bayer_unpacked(packed), plane)


def bilinear_oracle(plane, pattern):
    """Each colour alone, zero elsewhere, spread by its tent."""
    green = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4
    other = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
    masks = bayer_masks(pattern, *plane.shape).numpy()
    kernels = (other, green, other)
    pairs = zip(masks, kernels, strict=True)
    return np.stack([scipy.ndimage.convolve(plane * mask, kernel, mode="mirror") for mask, kernel in pairs])


def malvar_oracle(plane, pattern):
    """Pixel by pixel: the mean of the nearest of a colour, and a gain times the Laplacian of the colour measured.

    The gains are 1/2, 5/8 and 3/4 of figure 2 of the paper, for green, for red or blue at green, and at each other.
    """
    height, width = plane.shape
    padded = np.pad(plane, 2, mode="reflect")
    result = np.zeros((3, height, width))
    for row in range(height):
        for column in range(width):
            p = padded[row : row + 5, column : column + 5]
            here = colour_at(pattern, row, column)
            cross = (p[1, 2] + p[3, 2] + p[2, 1] + p[2, 3]) / 4
            corners = (p[1, 1] + p[1, 3] + p[3, 1] + p[3, 3]) / 4
            far = (p[0, 2] + p[4, 2] + p[2, 0] + p[2, 4]) / 4
            result[here, row, column] = p[2, 2]
            if here != 1:
                result[1, row, column] = cross + (p[2, 2] - far) / 2
                result[2 - here, row, column] = corners + 3 / 4 * (p[2, 2] - far)
                continue
            for colour in (0, 2):
                beside = colour_at(pattern, row, column + 1) == colour
                q = p if beside else p.T
                near = (q[2, 1] + q[2, 3]) / 2
                # Nine greens: the corners and the ends of the row less, the ends of the column a little more.
                laplacian = q[2, 2] - (corners * 4 + q[2, 0] + q[2, 4]) / 5 + (q[0, 2] + q[4, 2]) / 10
                result[colour, row, column] = near + 5 / 8 * laplacian
    return result


ORACLES = [(demosaic_bilinear, bilinear_oracle), (demosaic_malvar, malvar_oracle)]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("size", [(8, 11), (7, 6), (3, 3)])
@pytest.mark.parametrize(("demosaic", "oracle"), ORACLES)
def test_demosaicing_follows_its_formulas_up_to_the_border(demosaic, oracle, size, pattern, generator):
    planes = torch.rand(2, 1, *size, generator=generator, dtype=torch.float64)
    result = demosaic(planes, pattern)
    for image, plane in zip(result, planes, strict=True):
        np.testing.assert_allclose(image.numpy(), oracle(plane[0].numpy(), pattern), atol=1e-14)


def ramps(height, width):
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    slopes = torch.tensor([[0.01, 0.02, 0.1], [-0.015, 0.01, 0.5], [0.02, -0.01, 0.4]], dtype=torch.float64)
    return torch.stack([a * rows + b * columns + c for a, b, c in slopes])


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("demosaic", DEMOSAICS)
def test_ramps_of_any_colour_come_out_exactly(demosaic, pattern):
    images = ramps(10, 12)
    result = demosaic(bayer_plane(images, pattern), pattern)
    torch.testing.assert_close(result[:, 2:-2, 2:-2], images[:, 2:-2, 2:-2], rtol=0, atol=1e-14)


@pytest.mark.parametrize("demosaic", DEMOSAICS)
def test_a_flat_colour_comes_out_exactly_up_to_the_border(demosaic):
    # A border that repeated its pixels, and so mixed up the colours, would fail here.
    images = torch.tensor([0.9, 0.4, 0.1], dtype=torch.float64).view(3, 1, 1).expand(3, 5, 6)
    result = demosaic(bayer_plane(images, "GRBG"), "GRBG")
    torch.testing.assert_close(result, images)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("demosaic", DEMOSAICS)
def test_what_was_measured_is_kept(demosaic, pattern, generator):
    planes = torch.rand(1, 7, 8, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(bayer_plane(demosaic(planes, pattern), pattern), planes, rtol=0, atol=1e-15)


def test_malvar_beats_bilinear_on_a_photograph(images_folder):
    image = read_image(images_folder / "valid" / "kodak24" / "kodim19.png")
    errors = [(d(bayer_plane(image)).clamp(0, 1) - image)[:, 8:-8, 8:-8].square().mean().log10() for d in DEMOSAICS]
    assert 10 * (errors[0] - errors[1]) > 3  # dB


def test_mosaics_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="pattern must be one of RGGB, GRBG, BGGR, GBRG, got 'RGBG'"):
        inspect.unwrap(bayer_masks)("RGBG", 4, 4)  # below the check of types, which comes with the tests only
    with pytest.raises(ValueError, match="5x4 has no whole 2x2 blocks; crop it first"):
        bayer_packed(torch.zeros(1, 5, 4))
    for demosaic in DEMOSAICS:
        with pytest.raises(ValueError, match="1x4 lacks a colour: it needs 2x2 pixels"):
            demosaic(torch.zeros(1, 1, 4))
