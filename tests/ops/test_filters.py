import math

import numpy as np
import pytest
import scipy.signal
import torch

from pdloss.ops.filters import filter_valid, gaussian_kernel, halve


@pytest.mark.parametrize(("size", "sigma"), [(11, 1.5), (7, 7 / 6), (4, 0.8)])
def test_gaussian_kernel_is_scipys_window_scaled_to_sum_one(size, sigma):
    window = scipy.signal.windows.gaussian(size, sigma)
    np.testing.assert_allclose(gaussian_kernel(size, sigma).numpy(), window / window.sum(), rtol=1e-14)


def test_gaussian_kernel_has_the_variance_asked_for_when_it_is_long_enough():
    kernel = gaussian_kernel(41, 3.0)
    at = torch.arange(41, dtype=torch.float64) - 20
    assert math.isclose((kernel * at.square()).sum().item(), 9.0, rel_tol=1e-6)


@pytest.mark.parametrize(("size", "sigma"), [(0, 1.0), (5, 0.0), (5, -1.0), (5, math.nan)])
def test_gaussian_kernel_refuses_sizes_and_sigmas_that_make_none(size, sigma):
    with pytest.raises(ValueError, match=f"got size {size} and sigma {sigma}"):
        gaussian_kernel(size, sigma)


def test_filter_is_scipys_correlation_with_the_outer_product(generator):
    images = torch.rand(2, 3, 9, 12, generator=generator, dtype=torch.float64)
    kernel = torch.tensor([0.1, 0.7, -0.3, 0.4], dtype=torch.float64)  # lopsided: a convolution would differ
    window = np.outer(kernel, kernel)
    filtered = filter_valid(images, kernel)
    assert filtered.shape == (2, 3, 6, 9)
    for b in range(2):
        for c in range(3):
            expected = scipy.signal.correlate2d(images[b, c].numpy(), window, mode="valid")
            np.testing.assert_allclose(filtered[b, c].numpy(), expected, rtol=1e-12)


def test_filter_keeps_full_precision_under_autocast(generator):
    images = torch.rand(1, 3, 16, 16, generator=generator)
    with torch.autocast("cpu", torch.bfloat16):
        inside = filter_valid(images, gaussian_kernel(5, 1.0))
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, filter_valid(images, gaussian_kernel(5, 1.0)), rtol=0, atol=0)


def test_filter_has_the_gradient_of_its_value(generator):
    images = torch.rand(1, 2, 5, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    kernel = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: filter_valid(x, kernel), images)


@pytest.mark.parametrize("shape", [(4, 9), (9, 4)])
def test_filter_refuses_images_smaller_than_the_window_with_both_sizes(shape):
    with pytest.raises(ValueError, match=f"{shape[0]}x{shape[1]} are smaller than the window of 5x5"):
        filter_valid(torch.zeros(shape), gaussian_kernel(5, 1.0))


@pytest.mark.parametrize(("height", "width"), [(6, 8), (7, 8), (6, 9), (7, 9), (1, 1)])
def test_halving_averages_blocks_after_repeating_the_last_row_and_column_of_odd_sides(generator, height, width):
    images = torch.rand(2, 3, height, width, generator=generator, dtype=torch.float64)
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    blocks = padded.reshape(2, 3, padded.shape[2] // 2, 2, padded.shape[3] // 2, 2)
    np.testing.assert_allclose(halve(images).numpy(), blocks.mean(axis=(3, 5)), rtol=1e-14)
