"""The Bayer sensor: its layouts, its noise, and the sites that it falls on."""

import math

import pytest
import torch

from pdloss.degradations import BayerMosaic, Range, degradation
from pdloss.errors import ImageError, SpecError
from pdloss.ops.bayer import bayer_masked, bayer_packed, bayer_plane

PATTERNS = ["RGGB", "GRBG", "BGGR", "GBRG"]


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_without_noise_it_is_the_mosaic_in_each_layout(pattern, generator):
    clean = torch.rand(3, 6, 10, generator=generator)
    plane = bayer_plane(clean, pattern)
    expected = {"masked": bayer_masked(plane, pattern), "plane": plane, "packed": bayer_packed(plane)}
    for layout, image in expected.items():
        assert torch.equal(BayerMosaic(pattern=pattern, noise=0.0, layout=layout)(clean, generator), image)


def test_one_generator_gives_one_mosaic_in_all_layouts(generator):
    clean = torch.rand(3, 6, 10, generator=generator)
    masked, plane, packed = (
        BayerMosaic(noise=0.2, layout=layout)(clean, stream(1)) for layout in ("masked", "plane", "packed")
    )
    assert torch.equal(bayer_masked(plane), masked)
    assert torch.equal(bayer_packed(plane), packed)


def test_noise_has_its_deviation_at_the_sites_and_is_nowhere_else():
    clean = torch.full((3, 200, 200), 0.5, dtype=torch.float64)
    noisy = BayerMosaic(noise=0.05)(clean, stream())
    sites = BayerMosaic(noise=0.0)(clean, stream()) > 0
    assert not noisy[~sites].any()
    noise = noisy[sites] - 0.5
    assert noise.numel() == 40_000
    assert abs(noise.mean()) < 5 * 0.05 / 200
    assert abs(noise.std() - 0.05) < 5 * 0.05 / math.sqrt(2 * 40_000)


def test_the_noise_is_clipped():
    noisy = BayerMosaic(noise=1.0, layout="plane")(torch.rand(3, 20, 20), stream())
    assert (noisy.min(), noisy.max()) == (0, 1)


def test_the_default_is_mild_noise_drawn_for_each_image():
    assert degradation("mosaic") == BayerMosaic(pattern="RGGB", noise=Range(0.0, 5 / 255), layout="masked")
    drawn = {BayerMosaic().drawn(stream(seed)).noise for seed in range(20)}
    assert len(drawn) == 20 and max(drawn) <= 5 / 255


def test_text_and_object_say_the_same():
    chosen = BayerMosaic(pattern="GRBG", noise=0.01, layout="packed")
    assert str(chosen) == "mosaic(pattern='GRBG', noise=0.01, layout='packed')"
    assert degradation(str(chosen)) == chosen
    for text in ("mosaic(pattern='RGBG')", "mosaic(noise=-1)", "mosaic(layout='raw')"):
        with pytest.raises(SpecError, match="expected"):
            degradation(text)


@pytest.mark.parametrize(("layout", "factor", "channels"), [("masked", 1, 3), ("plane", 1, 1), ("packed", 2, 4)])
def test_the_factor_is_that_of_the_layout(layout, factor, channels, generator):
    mosaic = BayerMosaic(layout=layout)
    assert mosaic.factor == factor
    assert mosaic(torch.rand(3, 8, 6), generator).shape == (channels, 8 // factor, 6 // factor)


def test_odd_sides_are_for_all_layouts_but_the_packed_one(generator):
    for layout in ("masked", "plane"):
        assert BayerMosaic(layout=layout)(torch.rand(3, 5, 7), generator).shape[1:] == (5, 7)
    with pytest.raises(ImageError, match=r"5x7 .* no whole 2x2 blocks for mosaic\(.*\): crop it to 4x6 first"):
        BayerMosaic(layout="packed")(torch.rand(3, 5, 7), generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_keeps_the_number_format_and_leaves_the_image_alone(dtype, generator):
    clean = torch.rand(3, 4, 4, dtype=dtype)
    before = clean.clone()
    assert BayerMosaic()(clean, generator).dtype == dtype
    assert torch.equal(clean, before)
