"""The grid metric: waves of known power, invariances, a slow spectrum, and photographs."""

import cmath
import math

import numpy as np
import pytest
import torch

from pdloss.images import read_pixels
from pdloss.metrics.grid import blocks, grid


def noise(generator, sigma=0.05, side=128):
    return 0.5 + sigma * torch.randn(1, 3, side, side, generator=generator, dtype=torch.float64)


def excess_block_by_block(image, factor):
    """The formula, with sums instead of transforms, for one image (3, H, W)."""
    side = 16 * factor
    hann = [0.5 - 0.5 * math.cos(2 * math.pi * i / side) for i in range(side)]
    window = np.outer(hann, hann)
    at = np.arange(side)

    def power(block, i, j):
        wave = np.exp(-2j * cmath.pi * (i * at[:, None] + j * at[None, :]) / side)
        return sum(abs((channel * window * wave).sum()) ** 2 for channel in block)

    floor = 3 / 255**2 * (window**2).sum()
    ratios = []
    for top in range(0, image.shape[1] - side + 1, side // 2):
        for left in range(0, image.shape[2] - side + 1, side // 2):
            block = image[:, top : top + side, left : left + side]
            for i in range(factor):
                for j in range(factor):
                    if i == j == 0:
                        continue
                    ring = [
                        power(block, 16 * i + a, 16 * j + b)
                        for a in range(-3, 4)
                        for b in range(-3, 4)
                        if max(abs(a), abs(b)) == 3
                    ]
                    ratios.append((power(block, 16 * i, 16 * j) + floor) / (np.mean(ring) + floor))
    return 10 * math.log10(np.mean(ratios))


def test_is_the_formula_summed_block_by_block(generator):
    restored, target = torch.rand(2, 1, 3, 49, 35, generator=generator, dtype=torch.float64)
    expected = excess_block_by_block(restored[0].numpy(), 2) - excess_block_by_block(target[0].numpy(), 2)
    assert grid(restored, target, factor=2).item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("period", [2, 4])
def test_a_wave_on_white_noise_stands_out_by_its_power(generator, period):
    target = noise(generator)
    amplitude, sigma, side = 0.05, 0.05, 64
    columns = torch.arange(128, dtype=torch.float64)
    wave = amplitude * torch.cos(2 * math.pi * columns / period)
    hann = torch.hann_window(side, dtype=torch.float64)
    # One wave among 15 harmonics; of period 4 it stands at two of them, with half of the amplitude each.
    lines, height = (1, amplitude) if period == 2 else (2, amplitude / 2)
    signal = 3 * (height * hann.sum() ** 2) ** 2
    background = 3 * (sigma**2 + 1 / 255**2) * hann.square().sum() ** 2
    expected = 10 * math.log10((15 + lines * signal / background) / 15)
    assert grid(target + wave, target).item() == pytest.approx(expected, abs=1)


def test_a_wave_of_another_period_is_no_grid(generator):
    target = noise(generator)
    wave = 0.05 * torch.cos(2 * math.pi * torch.arange(128, dtype=torch.float64) / 3)
    assert abs(grid(target + wave, target).item()) < 0.7


def test_a_mesh_on_an_even_part_is_not_hidden_by_texture_elsewhere(generator):
    target = noise(generator, sigma=0.15)
    target[..., 64:] = 0.5
    meshed = target.clone()
    meshed[..., ::4, 64::4] += 6 / 255
    assert grid(meshed, target).item() > 6


def test_a_pattern_below_a_grey_level_counts_for_nothing():
    flat = torch.full((1, 3, 64, 64), 0.5, dtype=torch.float64)
    meshed = flat.clone()
    meshed[..., ::4, ::4] += 0.05 / 255
    assert 0 < grid(meshed, flat).item() < 0.1


def test_an_even_image_has_less_than_a_meshed_target():
    flat = torch.full((1, 3, 64, 64), 0.5)
    meshed = flat.clone()
    meshed[..., ::2, ::2] += 8 / 255
    torch.testing.assert_close(grid(flat, meshed), -grid(meshed, flat))


def test_where_the_grid_begins_does_not_matter(generator):
    target = noise(generator)
    meshed = target.clone()
    meshed[..., ::4, ::4] += 0.1
    moved = target.clone()
    moved[..., 1::4, 2::4] += 0.1
    assert grid(moved, target).item() == pytest.approx(grid(meshed, target).item(), abs=0.3)


def test_a_period_of_eight_is_found_by_eight_and_only_in_part_by_four(generator):
    target = noise(generator, sigma=0.01)
    wave = 0.02 * torch.cos(2 * math.pi * torch.arange(128, dtype=torch.float64) / 8)
    assert grid(target + wave, target, factor=8).item() > 5
    assert abs(grid(target + wave, target, factor=4).item()) < 0.5


def test_equal_images_give_zero_and_images_of_a_batch_stand_alone(generator):
    images = torch.rand(3, 3, 80, 65, generator=generator)
    other = torch.rand(3, 3, 80, 65, generator=generator)
    assert grid(images, images.clone()).tolist() == [0, 0, 0]
    torch.testing.assert_close(grid(images, other)[1:2], grid(images[1:2], other[1:2]))


def test_photographs_under_noise_or_blur_have_no_grid(images_folder, generator):
    target = read_pixels(images_folder / "valid" / "kodak24" / "kodim23.png").pixels[None].float() / 255
    noisy = target + 0.05 * torch.randn(target.shape, generator=generator)
    blurred = torch.nn.functional.avg_pool2d(target, 3, 1, 1, count_include_pad=False)
    assert grid(noisy, target).item() < 0.5
    assert grid(blurred, target).item() < 0.5
    meshed = target.clone()
    meshed[..., ::2, ::2] += 5 / 255
    assert grid(meshed, target).item() > 5


def test_refuses_small_images_shapes_that_differ_and_no_period():
    with pytest.raises(ValueError, match="blocks of 64x64, got 80x63"):
        grid(torch.zeros(1, 3, 80, 63), torch.zeros(1, 3, 80, 63))
    with pytest.raises(ValueError, match=r"\(1, 3, 40, 40\) and target \(1, 3, 40, 48\)"):
        grid(torch.zeros(1, 3, 40, 40), torch.zeros(1, 3, 40, 48))
    with pytest.raises(ValueError, match="at least 2 pixels, got 1"):
        grid(torch.zeros(1, 3, 40, 40), torch.zeros(1, 3, 40, 40), factor=1)


def test_blocks_are_the_grid_of_the_edges(generator):
    restored, target = torch.rand(2, 1, 3, 49, 35, generator=generator, dtype=torch.float64)
    found = []
    for axis in (1, 2):
        shape = [3, 49, 35]
        shape[axis] = 1
        edges = [np.abs(np.diff(x[0].numpy(), axis=axis)) for x in (restored, target)]
        own, other = (excess_block_by_block(np.append(edge, np.zeros(shape), axis), 2) for edge in edges)
        found.append(own - other)
    assert blocks(restored, target, factor=2).item() == pytest.approx(max(found), abs=1e-9)


@pytest.mark.parametrize("moved", [0, 1])
def test_blocks_find_squares_where_the_spectrum_has_no_line(generator, moved):
    small = 0.5 + 0.05 * torch.randn(1, 3, 33, 33, generator=generator, dtype=torch.float64)
    squares, smooth = (torch.nn.functional.interpolate(small, 132, mode=mode) for mode in ("nearest", "bicubic"))
    squares, smooth = (images[..., moved : moved + 128, : moved + 128] for images in (squares, smooth))
    assert blocks(squares, smooth).item() > 5 > 0.5 > grid(squares, smooth).item()
    assert blocks(smooth, smooth).item() == 0


def test_blocks_of_one_direction_are_enough(generator):
    target = noise(generator, sigma=0.01)
    lines = torch.where(torch.arange(128) % 4 == 0, 0.02, 0.0)
    for striped in (target + lines, target + lines.view(-1, 1)):
        assert blocks(striped, target).item() > 3


def test_blocks_of_noise_are_those_of_noise(generator):
    assert abs(blocks(noise(generator), noise(generator)).item()) < 0.7
