"""Convolution: SciPy's, by sums and by Fourier transforms, and its transpose."""

import numpy as np
import pytest
import scipy.ndimage
import torch

from pdloss.ops.convolution import convolve, convolve_adjoint, mirrored, mirrored_adjoint

METHODS = ["direct", "fft", "auto"]
KERNELS = [(1, 1), (3, 3), (1, 7), (5, 3), (11, 11)]


def kernel_of(shape, generator):
    kernel = torch.rand(shape, generator=generator, dtype=torch.float64)
    return kernel / kernel.sum()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", KERNELS)
@pytest.mark.parametrize("size", [(16, 13), (9, 24)])
def test_is_scipys_convolution_mirrored_about_the_outermost_pixel(size, shape, method, generator):
    image, kernel = torch.rand(size, generator=generator, dtype=torch.float64), kernel_of(shape, generator)
    expected = scipy.ndimage.convolve(image.numpy(), kernel.numpy(), mode="mirror")
    np.testing.assert_allclose(convolve(image, kernel, method).numpy(), expected, atol=1e-13)


@pytest.mark.parametrize("method", METHODS)
def test_a_kernel_wider_than_the_image_goes_back_and_forth(method, generator):
    image, kernel = torch.rand(3, 4, generator=generator, dtype=torch.float64), kernel_of((13, 15), generator)
    expected = scipy.ndimage.convolve(np.pad(image.numpy(), 20, mode="reflect"), kernel.numpy(), mode="constant")[
        20:-20, 20:-20
    ]
    np.testing.assert_allclose(convolve(image, kernel, method).numpy(), expected, atol=1e-13)
    assert torch.allclose(convolve(torch.full((1, 1), 0.3), kernel, method), torch.tensor(0.3))


@pytest.mark.parametrize("shape", KERNELS)
def test_sums_and_fourier_transforms_agree_to_a_hundred_thousandth(shape, generator):
    images = torch.rand(2, 3, 40, 37, generator=generator)
    kernel = kernel_of(shape, generator)
    direct, fft = (convolve(images, kernel, method) for method in ("direct", "fft"))
    assert direct.shape == images.shape
    assert (direct - fft).abs().max() < 1e-5
    assert (direct - images).abs().max() > 0.1 or shape == (1, 1)


def test_a_single_bright_pixel_becomes_the_kernel_unturned(generator):
    image, kernel = torch.zeros(9, 9, dtype=torch.float64), kernel_of((3, 5), generator)
    image[4, 4] = 1
    assert torch.allclose(convolve(image, kernel)[3:6, 2:7], kernel)


def test_many_taps_are_summed_by_fourier_transforms_and_few_are_not(generator):
    image = torch.rand(50, 50, generator=generator)
    sparse = torch.zeros(31, 31)
    sparse[::6, ::6] = 1 / 36
    for kernel, method in ((torch.full((31, 31), 1 / 961), "fft"), (sparse, "direct")):
        assert torch.equal(convolve(image, kernel), convolve(image, kernel, method))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(12, 9), (3, 4), (1, 5)])
def test_the_adjoint_is_the_transpose(size, method, generator):
    x, y = (torch.rand(2, 3, *size, generator=generator, dtype=torch.float64) for _ in range(2))
    kernel = kernel_of((7, 5), generator)
    forward = (convolve(x, kernel, method) * y).sum()
    torch.testing.assert_close((x * convolve_adjoint(y, kernel, method)).sum(), forward, rtol=1e-12, atol=0)


def test_the_margins_transpose_is_its_transpose(generator):
    x = torch.rand(5, 4, generator=generator, dtype=torch.float64)
    y = torch.rand(11, 20, generator=generator, dtype=torch.float64)
    torch.testing.assert_close((mirrored(x, (3, 8)) * y).sum(), (x * mirrored_adjoint(y, (3, 8))).sum())


@pytest.mark.parametrize("method", ["direct", "fft"])
def test_the_gradient_is_the_adjoint(method, generator):
    image = torch.rand(6, 7, generator=generator, dtype=torch.float64, requires_grad=True)
    kernel, weights = kernel_of((3, 5), generator), torch.rand(6, 7, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((convolve(image, kernel, method) * weights).sum(), image)
    torch.testing.assert_close(gradient, convolve_adjoint(weights, kernel))


def test_half_precision_is_computed_in_single(generator):
    image = torch.rand(8, 8, generator=generator).bfloat16()
    blurred = convolve(image, kernel_of((3, 3), generator))
    assert blurred.dtype == torch.float32


@pytest.mark.parametrize("function", [convolve, convolve_adjoint])
def test_even_kernels_and_empty_images_are_refused(function):
    with pytest.raises(ValueError, match="a kernel of 4x3 has no middle: add a row or column of zeros"):
        function(torch.rand(8, 8), torch.rand(4, 3))
    with pytest.raises(ValueError, match="expected images with pixels"):
        function(torch.rand(3, 0, 8), torch.rand(3, 3))
