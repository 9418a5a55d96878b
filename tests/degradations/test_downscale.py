"""Downscaling: MATLAB's own files and its transcription, what rounding means, and which images are refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from oracles import matlab_resize

from pdloss._types import Degradation
from pdloss.degradations import DEGRADATIONS, Downscale, degradation
from pdloss.errors import ImageError, SpecError
from pdloss.images import read_image
from pdloss.ops.resize import resize

FACTORS = [2, 3, 4, 8]


def from_file(height, width, generator):
    """An image whose values are those of an 8-bit file."""
    return torch.randint(0, 256, (3, height, width), generator=generator) / 255


@pytest.mark.parametrize("name", ["baby", "bird", "butterfly", "head", "woman"])
def test_makes_the_published_files_of_set5(name, images_folder: Path, generator):
    clean = read_image(images_folder / "bicubic" / "HR" / f"{name}.png")
    clean = clean[:, : clean.shape[1] // 4 * 4, : clean.shape[2] // 4 * 4]
    published = read_image(images_folder / "bicubic" / "LRx4" / f"{name}x4.png")
    assert torch.equal(Downscale()(clean, generator), published)


@pytest.mark.parametrize("factor", FACTORS)
def test_rounds_between_the_passes_for_factors_up_to_4_only(factor, generator):
    clean = from_file(24, 48, generator)
    size, scale = (24 // factor, 48 // factor), (1 / factor, 1 / factor)
    channels = [
        matlab_resize.imresize((channel.double() * 255).round().numpy(), size, scale, between=factor <= 4)
        for channel in clean
    ]
    expected = torch.from_numpy(matlab_resize.to_levels(np.stack(channels))).float() / 255
    assert torch.equal(Downscale(factor=factor)(clean, generator), expected)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("kernel", ["bicubic", "lanczos3", "bilinear", "area"])
def test_without_rounding_it_is_the_resized_image_clipped(factor, kernel, generator):
    clean = from_file(48, 72, generator).round()  # black and white, to overshoot where the factor is small
    exact = Downscale(factor=factor, kernel=kernel, round=False)(clean, generator)
    assert torch.equal(exact, resize(clean, (48 // factor, 72 // factor), kernel).clamp(0, 1))


@pytest.mark.parametrize("kernel", ["bicubic", "lanczos3", "bilinear", "area"])
def test_rounding_gives_levels_of_an_8_bit_file_near_the_unrounded_values(kernel, generator):
    clean = (0.3 + 0.4 * from_file(48, 72, generator)).mul(255).round() / 255  # nothing is clipped between the passes
    exact, rounded = (Downscale(kernel=kernel, round=on)(clean, generator) for on in (False, True))
    assert torch.equal((rounded * 255).round() / 255, rounded)
    # Half a level at the end, and half a level before a pass whose weights' absolute values sum to less than 2.
    assert 0 < (rounded - exact).abs().max() < 1.5 / 255


@pytest.mark.parametrize("on", [True, False])
def test_what_overshoots_at_an_edge_is_clipped(on, generator):
    edge = torch.zeros(3, 16, 16)
    edge[..., 6:] = 1
    assert resize(edge, 1 / 2).min() < 0 and resize(edge, 1 / 2).max() > 1
    degraded = Downscale(factor=2, round=on)(edge, generator)
    assert (degraded.min(), degraded.max()) == (0, 1)


@pytest.mark.parametrize("factor", FACTORS)
def test_the_factor_is_how_many_times_smaller_the_sides_get(factor, generator):
    chosen = Downscale(factor=factor)
    assert chosen.factor == factor
    assert chosen(torch.rand(3, 5 * factor, factor), generator).shape == (3, 5, 1)


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_keeps_the_number_format_and_leaves_image_and_generator_alone(dtype, on, generator):
    clean = torch.rand(3, 8, 12, generator=generator, dtype=dtype)
    before, state = clean.clone(), generator.get_state()
    degraded = Downscale(round=on)(clean, generator)
    assert degraded.dtype == dtype
    assert torch.equal(clean, before)
    assert torch.equal(generator.get_state(), state)


def test_keeps_the_mean_where_all_weights_are_equal(generator):
    clean = from_file(32, 48, generator).double()
    degraded = Downscale(kernel="area", round=False)(clean, generator)
    torch.testing.assert_close(degraded.mean((1, 2)), clean.mean((1, 2)))


def test_text_and_object_say_the_same():
    assert DEGRADATIONS.parse("downscale") == Downscale(factor=4, kernel="bicubic", round=True)
    chosen = Downscale(factor=2, kernel="lanczos3", round=False)
    assert str(chosen) == "downscale(factor=2, kernel='lanczos3', round=False)"
    assert degradation(str(chosen)) == chosen
    assert isinstance(chosen, Degradation)
    assert str(Downscale()) == "downscale"


@pytest.mark.parametrize("text", ["downscale(factor=5)", "downscale(kernel='box')", "downscale(round=1)"])
def test_options_out_of_range_are_named(text):
    with pytest.raises(SpecError, match=text.replace("(", r"\(").replace(")", r"\)")):
        degradation(text)


@pytest.mark.parametrize(("height", "width", "cure"), [(10, 12, "8x12"), (12, 13, "12x12"), (7, 5, "4x4")])
def test_an_image_that_the_factor_does_not_divide_is_refused_with_the_size_to_crop_it_to(
    height, width, cure, generator
):
    with pytest.raises(ImageError, match=f"{height}x{width} .*downscale: crop it to {cure} first") as caught:
        Downscale()(torch.rand(3, height, width), generator)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(("height", "width"), [(7, 16), (16, 7), (0, 8)])
def test_an_image_smaller_than_the_factor_is_refused_with_the_size_it_needs(height, width, generator):
    with pytest.raises(ImageError, match=f"{height}x{width} .*too small for downscale.factor=8.: .*at least 8 pixels"):
        Downscale(factor=8)(torch.rand(3, height, width), generator)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("kernel", ["lanczos3", "bilinear", "area"])
def test_the_other_kernels_are_matlabs_to_the_last_level_too(factor, kernel, generator):
    clean = from_file(24, 48, generator)
    size, scale = (24 // factor, 48 // factor), (1 / factor, 1 / factor)
    channels = [
        matlab_resize.imresize((channel.double() * 255).round().numpy(), size, scale, kernel, between=factor <= 4)
        for channel in clean
    ]
    expected = torch.from_numpy(matlab_resize.to_levels(np.stack(channels))).float() / 255
    assert torch.equal(Downscale(factor=factor, kernel=kernel)(clean, generator), expected)


@pytest.mark.parametrize("factor", FACTORS)
def test_area_is_the_mean_of_blocks(factor, generator):
    clean = from_file(24, 48, generator).double()
    blocks = clean.reshape(3, 24 // factor, factor, 48 // factor, factor)
    exact = Downscale(factor=factor, kernel="area", round=False)(clean, generator)
    torch.testing.assert_close(exact, blocks.mean((2, 4)), rtol=0, atol=1e-14)
