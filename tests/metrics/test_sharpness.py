"""Sharpness: closed forms, an independent gradient, and images without any."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pdloss.images import read_pixels
from pdloss.metrics.sharpness import sharpness


def pair(generator, dtype=torch.float64):
    restored, target = torch.rand(2, 2, 3, 9, 7, generator=generator, dtype=dtype)
    return restored, target


def test_half_the_contrast_is_a_quarter_of_the_energy(generator):
    _, target = pair(generator)
    torch.testing.assert_close(sharpness(0.5 * target + 0.3, target), torch.full((2,), 0.25, dtype=torch.float64))


@pytest.mark.parametrize("width", [2, 4])
def test_an_edge_spread_over_more_pixels_has_less_energy_by_their_number(width):
    target = torch.zeros(1, 3, 6, 16)
    target[..., 8:] = 1
    blurred = (torch.arange(16.0) - 7).div(width).clamp(0, 1).expand(1, 3, 6, 16)
    assert sharpness(blurred, target).item() == pytest.approx(1 / width)


def test_both_axes_and_all_channels_count(generator):
    restored, target = pair(generator)
    expected = []
    for r, t in zip(restored.numpy(), target.numpy(), strict=True):
        energies = [sum((np.diff(image, axis=axis) ** 2).sum() for axis in (1, 2)) for image in (r, t)]
        expected.append(energies[0] / energies[1])
    assert sharpness(restored, target).tolist() == pytest.approx(expected, rel=1e-12)


def test_white_noise_adds_its_own_energy(generator):
    target = torch.full((1, 3, 200, 200), 0.5)
    target[..., 100:, :] = 0.7
    noisy = target + 0.05 * torch.randn(target.shape, generator=generator)
    # Each difference gains twice the variance; the target's energy is one row's steps.
    expected = 1 + 3 * 2 * 200 * 199 * 2 * 0.05**2 / (3 * 200 * 0.2**2)
    assert sharpness(noisy, target).item() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_constant_targets_give_one_or_infinity(generator, level):
    target = torch.full((3, 3, 8, 8), level)
    restored = target.clone()
    restored[1] = 0.7
    restored[2, 0, 4, 4] += 1 / 255
    assert sharpness(restored, target).tolist() == [1, 1, math.inf]


def test_a_constant_restored_image_has_none(generator):
    _, target = pair(generator)
    assert sharpness(torch.full_like(target, 0.4), target).tolist() == [0, 0]


def test_a_single_pixel_has_no_gradient():
    assert sharpness(torch.zeros(1, 3, 1, 1), torch.ones(1, 3, 1, 1)).item() == 1


def test_equal_images_give_exactly_one(generator):
    _, target = pair(generator, torch.float32)
    assert sharpness(target.clone(), target).tolist() == [1, 1]


def test_the_border_left_out_is_not_looked_at(generator):
    restored, target = pair(generator)
    expected = sharpness(restored[..., 2:-2, 2:-2], target[..., 2:-2, 2:-2])
    restored[..., :2, :] = target[..., -2:] = 9
    torch.testing.assert_close(sharpness(restored, target, border=2), expected)
    with pytest.raises(ValueError, match="border of 4 pixels .* 9x7"):
        sharpness(restored, target, border=4)


def test_blurred_photographs_are_less_sharp_and_noisy_ones_more(images_folder, generator):
    target = read_pixels(images_folder / "valid" / "kodak24" / "kodim23.png").pixels[None].float() / 255
    blurred = F.avg_pool2d(target, 3, 1, 1, count_include_pad=False)
    noisy = target + 0.1 * torch.randn(target.shape, generator=generator)
    assert 0.2 < sharpness(blurred, target).item() < 0.8
    assert sharpness(noisy, target).item() > 2


def test_half_precision_images_are_scored_in_float32(generator):
    restored, target = (x.to(torch.bfloat16) for x in pair(generator))
    value = sharpness(restored, target)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, sharpness(restored.double(), target.double()).float(), rtol=1e-5, atol=0)


def test_refuses_different_shapes_with_both_in_the_message():
    with pytest.raises(ValueError, match=r"\(1, 3, 4, 4\) and target \(1, 3, 4, 6\)"):
        sharpness(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 6))
