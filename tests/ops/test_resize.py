"""Resizing: MATLAB transcribed, MATLAB's own files, PyTorch and Pillow away from the border, and its transpose."""

import inspect
import math
from pathlib import Path
from typing import get_args

import numpy as np
import PIL.Image
import pytest
import torch
import torch.nn.functional as F
from oracles import matlab_resize

from pdloss.images import read_pixels
from pdloss.ops.resize import Kernel, resize, resize_adjoint, resize_bytes

KERNELS = get_args(Kernel)
SIZES = [(6, 5), (9, 22), (5, 7), (24, 3), (1, 1), (41, 20)]
"""From 12x20: halved and quartered, one axis smaller and one larger, vertical first and last, a pixel, enlarged."""

PILLOW = {
    "bicubic": PIL.Image.Resampling.BICUBIC,
    "lanczos3": PIL.Image.Resampling.LANCZOS,
    "bilinear": PIL.Image.Resampling.BILINEAR,
    "area": PIL.Image.Resampling.BOX,
}
RADIUS = {"bicubic": 2, "lanczos3": 3, "bilinear": 1, "area": 0.5}


def levels(*shape, generator):
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("size", SIZES)
def test_is_matlabs_imresize_to_a_size(size, kernel, antialias, generator):
    image = torch.rand(12, 20, generator=generator, dtype=torch.float64)
    expected = matlab_resize.imresize(image.numpy(), size, (size[0] / 12, size[1] / 20), kernel, antialias)
    np.testing.assert_allclose(resize(image, size, kernel, antialias).numpy(), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("scale", [1 / 2, 1 / 3, 1 / 4, 0.37, 1.0, 1.6, 3])
@pytest.mark.parametrize("kernel", KERNELS)
def test_is_matlabs_imresize_by_a_scale_that_need_not_divide(scale, kernel, generator):
    image = torch.rand(11, 7, generator=generator, dtype=torch.float64)
    size = (math.ceil(11 * scale), math.ceil(7 * scale))
    expected = matlab_resize.imresize(image.numpy(), size, (scale, scale), kernel)
    result = resize(image, scale, kernel)
    assert result.shape == size
    np.testing.assert_allclose(result.numpy(), expected, rtol=0, atol=1e-13)


def test_goes_on_across_the_runs_that_the_weights_are_cut_into(generator):
    image = torch.rand(150, 3, generator=generator, dtype=torch.float64)
    for height in (70, 400):
        expected = matlab_resize.imresize(image.numpy(), (height, 3), (height / 150, 1.0))
        np.testing.assert_allclose(resize(image, (height, 3)).numpy(), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("between", [True, False])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_bytes_are_matlabs_to_the_last_level_with_rounding_between_the_passes_and_without(
    factor, kernel, between, generator
):
    image = levels(24, 48, generator=generator)
    size = (24 // factor, 48 // factor)
    expected = matlab_resize.imresize(
        image.numpy().astype(float), size, (1 / factor, 1 / factor), kernel, between=between
    )
    result = resize_bytes(image, size, kernel, round_between=between)
    assert result.dtype == torch.uint8
    np.testing.assert_array_equal(result.numpy(), matlab_resize.to_levels(expected))


def test_bytes_are_rounded_after_the_pass_with_the_smaller_scale(generator):
    image = levels(12, 20, generator=generator)
    for size in [(9, 5), (3, 15)]:
        scale = (size[0] / 12, size[1] / 20)
        expected = matlab_resize.imresize(image.numpy().astype(float), size, scale, between=True)
        np.testing.assert_array_equal(resize_bytes(image, size).numpy(), matlab_resize.to_levels(expected))


def test_rounding_between_the_passes_changes_the_result_on_some_pixels_by_one_level(generator):
    image = levels(64, 64, generator=generator)
    both = (resize_bytes(image, 1 / 4, round_between=on).int() for on in (True, False))
    difference = torch.sub(*both).abs()
    assert difference.max() == 1
    assert 0 < difference.count_nonzero() < difference.numel() / 2


def test_bytes_round_halves_up_and_saturate():
    image = torch.tensor([[0, 0, 255, 255], [0, 0, 255, 254]], dtype=torch.uint8)
    # 254.5 and 0.5 lie half-way.
    assert resize_bytes(image[:, 2:], (1, 2), "area").tolist() == [[255, 255]]
    assert resize_bytes(torch.tensor([[0, 1]], dtype=torch.uint8), (1, 1), "area").tolist() == [[1]]
    enlarged = resize(image.double(), 4)
    assert enlarged.min() < 0 and enlarged.max() > 255
    np.testing.assert_array_equal(resize_bytes(image, (2, 16)), resize(image.double(), (2, 16)).clamp(0, 255).round())


@pytest.mark.parametrize("name", ["baby", "bird", "butterfly", "head", "woman"])
def test_is_matlabs_quarter_of_set5_bit_for_bit_only_with_rounding_between_the_passes(name, images_folder: Path):
    clean = read_pixels(images_folder / "bicubic" / "HR" / f"{name}.png").pixels
    matlab = read_pixels(images_folder / "bicubic" / "LRx4" / f"{name}x4.png").pixels
    clean = clean[:, : clean.shape[1] // 4 * 4, : clean.shape[2] // 4 * 4]
    assert torch.equal(resize_bytes(clean, 1 / 4), matlab)
    without = resize_bytes(clean, 1 / 4, round_between=False)
    assert 0.05 < (without != matlab).double().mean() < 0.5
    assert (without.int() - matlab.int()).abs().max() <= 2


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_agrees_with_pytorchs_antialiased_bicubic_away_from_the_border_only(factor, generator):
    images = torch.rand(2, 3, 96, 120, generator=generator, dtype=torch.float64)
    ours = resize(images, 1 / factor)
    theirs = F.interpolate(images, ours.shape[-2:], mode="bicubic", antialias=True)
    torch.testing.assert_close(ours[..., 2:-2, 2:-2], theirs[..., 2:-2, 2:-2], rtol=0, atol=1e-12)
    assert (ours - theirs)[..., 0, :].abs().max() > 0.01


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("height", "width"), [(30, 25), (47, 36), (256, 128)])
def test_agrees_with_pillow_in_floating_point_away_from_the_border(height, width, kernel, generator):
    # At none of these sizes does a centre lie on the edge of a box, of which MATLAB counts the other side in.
    image = torch.rand(120, 100, generator=generator)
    theirs = PIL.Image.fromarray(image.numpy()).resize((width, height), PILLOW[kernel])
    edges = [math.ceil(RADIUS[kernel] * max(1, side / before)) for side, before in ((height, 120), (width, 100))]
    inside = (slice(edges[0], -edges[0]), slice(edges[1], -edges[1]))
    ours = resize(image.double(), (height, width), kernel).numpy()
    np.testing.assert_allclose(ours[inside], np.asarray(theirs)[inside], rtol=0, atol=2e-6)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("size", [(3, 5), (40, 31), (5, 40)])
def test_keeps_constants(kernel, size):
    torch.testing.assert_close(
        resize(torch.full((2, 20, 15), 0.3), size, kernel), torch.full((2, *size), 0.3), rtol=1e-6, atol=0
    )


def test_area_is_the_mean_of_blocks_at_whole_factors(generator):
    images = torch.rand(2, 3, 12, 18, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(resize(images, 1 / 6, "area"), F.avg_pool2d(images, 6), rtol=0, atol=1e-14)


def test_a_scale_of_one_changes_nothing(generator):
    image = torch.rand(9, 7, generator=generator)
    for kernel in KERNELS:
        torch.testing.assert_close(resize(image, 1, kernel), image, rtol=0, atol=1e-7)


def test_turning_the_image_turns_the_result(generator):
    image = torch.rand(3, 21, 33, generator=generator, dtype=torch.float64)
    turned = resize(image.rot90(1, (-2, -1)), (11, 7))
    torch.testing.assert_close(turned, resize(image, (7, 11)).rot90(1, (-2, -1)), rtol=0, atol=1e-14)
    mirrored = resize(image.flip(-1), (7, 11))
    torch.testing.assert_close(mirrored, resize(image, (7, 11)).flip(-1), rtol=0, atol=1e-14)


def test_the_last_bit_of_a_scale_counts_in_the_size_as_in_matlab():
    assert resize(torch.zeros(50, 20), 1.1).shape == (56, 22)


def test_every_image_of_a_batch_is_resized_alone(generator):
    images = torch.rand(2, 3, 17, 40, generator=generator)
    whole = resize(images.transpose(0, 1), 0.3)  # not contiguous
    for b in range(2):
        for c in range(3):
            torch.testing.assert_close(whole[c, b], resize(images[b, c], 0.3))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [*SIZES, (200, 3)])
def test_the_adjoint_is_the_transpose(kernel, antialias, size, generator):
    x = torch.randn(2, 12, 20, generator=generator, dtype=torch.float64)
    y = torch.randn(2, *size, generator=generator, dtype=torch.float64)
    forth = (resize(x, size, kernel, antialias) * y).sum()
    back = (x * resize_adjoint(y, (12, 20), kernel=kernel, antialias=antialias)).sum()
    torch.testing.assert_close(back, forth, rtol=1e-12, atol=1e-12)


def test_the_adjoint_of_a_scale_that_does_not_divide_is_not_that_of_the_size(generator):
    x = torch.randn(11, 7, generator=generator, dtype=torch.float64)
    y = torch.randn(3, 2, generator=generator, dtype=torch.float64)
    forth = (resize(x, 1 / 4) * y).sum()
    torch.testing.assert_close((x * resize_adjoint(y, (11, 7), scale=1 / 4)).sum(), forth)
    assert not torch.allclose((x * resize_adjoint(y, (11, 7))).sum(), forth)


@pytest.mark.parametrize("size", [(3, 5), (13, 4)])
def test_has_the_gradient_of_its_value_twice(size, generator):
    images = torch.rand(1, 6, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: resize(x, size), images)
    assert torch.autograd.gradgradcheck(lambda x: resize(x, size), images)


def test_the_gradient_by_the_image_is_the_adjoint_of_the_gradient_by_the_result(generator):
    image = torch.rand(16, 24, generator=generator, requires_grad=True)
    weights = torch.rand(4, 6, generator=generator)
    (resize(image, 1 / 4) * weights).sum().backward()
    assert torch.equal(image.grad, resize_adjoint(weights, (16, 24)))


def test_weights_made_in_inference_mode_serve_training_later(generator):
    image = torch.rand(14, 14, generator=generator, requires_grad=True)
    with torch.inference_mode():
        resize(image, (9, 11))
    resize(image, (9, 11)).square().sum().backward()
    assert image.grad is not None and image.grad.abs().min() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_keeps_the_precision_under_autocast_too(dtype, generator):
    image = torch.rand(32, 32, generator=generator, dtype=dtype)
    with torch.autocast("cpu", torch.bfloat16):
        inside = resize(image, 1 / 4)
    assert inside.dtype == dtype
    assert torch.equal(inside, resize(image, 1 / 4))


def test_half_precision_is_computed_in_single_and_comes_back_so(generator):
    image = torch.rand(16, 16, generator=generator).bfloat16().requires_grad_()
    result = resize(image, 1 / 2)
    torch.testing.assert_close(result, resize(image.float(), 1 / 2), rtol=0, atol=0)
    result.sum().backward()
    assert image.grad is not None and image.grad.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: resize(torch.zeros(4, 4), (0, 3)), "must be positive, got 0x3"),
        (lambda: resize(torch.zeros(4, 4), 0.0), "positive and finite, got 0.0"),
        (lambda: resize(torch.zeros(4, 4), math.nan), "positive and finite, got nan"),
        (lambda: resize(torch.zeros(3, 0, 4), 2), r"got \(3, 0, 4\)"),
        (lambda: resize_adjoint(torch.zeros(3, 3), (12, 13), scale=1 / 4), "12x13 by 0.25 gives 3x4 .*are 3x3"),
        (lambda: resize_adjoint(torch.zeros(3, 3), (0, 13)), "needs pixels, got 0x13"),
    ],
)
def test_refuses_what_makes_no_image_with_the_values_in_the_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("function", "images", "kernel", "message"),
    [
        (resize, torch.zeros(4, 4, dtype=torch.uint8), "bicubic", "got torch.uint8; use resize_bytes"),
        (resize_adjoint, torch.zeros(4, 4, dtype=torch.int64), "bicubic", "got torch.int64"),
        (resize_bytes, torch.zeros(4, 4), "bicubic", "got torch.float32; use resize for"),
        (resize_bytes, torch.zeros(4, dtype=torch.uint8), "bicubic", r"with pixels, got \(4,\)"),
        (resize, torch.zeros(4, 4), "box", "kernel must be one of bicubic, lanczos3, bilinear, area, got 'box'"),
    ],
)
def test_refuses_other_numbers_and_unknown_kernels(function, images, kernel, message):
    unwatched = inspect.unwrap(function)  # by jaxtyping, which under pytest would speak first
    with pytest.raises(ValueError, match=message):
        unwatched(images, (2, 2), kernel=kernel)
