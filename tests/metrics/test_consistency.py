"""Measurement consistency: the best value for the clean image, closed forms, and what changes it."""

import math

import pytest
import torch

from pdloss.degradations import JPEG, BayerMosaic, CameraShake, Downscale
from pdloss.images import read_image
from pdloss.metrics.consistency import jpeg_cell_share, lr_psnr, noise_correlation, reblur_psnr, remosaic_error
from pdloss.ops.convolution import convolve
from pdloss.ops.jpeg import jpeg


def levels(*shape, generator):
    return torch.randint(0, 256, shape, generator=generator) / 255


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
@pytest.mark.parametrize("kernel", ["bicubic", "area"])
def test_the_clean_image_shrinks_to_its_input_exactly(factor, kernel, generator):
    clean = levels(3, 48, 24, generator=generator)
    degraded = Downscale(factor=factor, kernel=kernel)(clean, generator)
    other = levels(3, 48, 24, generator=generator)
    scores = lr_psnr(torch.stack([clean, other]), torch.stack([degraded, degraded]), kernel)
    assert scores[0] == math.inf
    assert scores[1] < 30


def test_a_shift_that_shrinking_keeps_scores_its_psnr():
    scores = lr_psnr(torch.full((2, 3, 16, 8), 102 / 255), torch.full((2, 3, 4, 2), 100 / 255))
    assert scores.tolist() == pytest.approx(2 * [-20 * math.log10(2 / 255)], abs=1e-3)


def test_what_shrinking_cannot_see_scores_as_the_clean_image(generator):
    clean = torch.full((1, 3, 8, 8), 0.4)
    checkers = clean + 0.2 * (-1) ** (torch.arange(8) + torch.arange(8)[:, None])
    assert lr_psnr(checkers, torch.full((1, 3, 2, 2), 102 / 255), "area") == math.inf


def test_sizes_without_a_whole_factor_are_refused():
    for size in ((9, 8), (4, 16), (2, 2)):
        with pytest.raises(ValueError, match="not a whole number of times larger"):
            lr_psnr(torch.rand(1, 3, *size), torch.rand(1, 3, 4, 4))
    with pytest.raises(ValueError, match="1 restored images, but 2 degraded"):
        lr_psnr(torch.rand(1, 3, 8, 8), torch.rand(2, 3, 4, 4))


def test_the_clean_image_blurs_to_its_input(generator):
    clean = torch.rand(3, 30, 40, generator=generator)
    shake = CameraShake(support=9, seed=3)
    degraded, kernel = shake(clean, generator), shake.kernel_tensor()
    scores = reblur_psnr(torch.stack([clean, degraded]), torch.stack([degraded, degraded]), kernel)
    assert scores[0] > 120
    assert scores[1] < 40


def test_a_perfect_restoration_of_blur_with_noise_scores_the_noise(generator):
    clean, kernel = torch.rand(1, 3, 100, 100, generator=generator), CameraShake(support=7, seed=1).kernel_tensor()
    noise = 0.01 * torch.randn(clean.shape, generator=generator)
    score = reblur_psnr(clean, convolve(clean, kernel) + noise, kernel).item()
    assert score == pytest.approx(40, abs=5 * 10 / math.log(10) * math.sqrt(2 / noise.numel()))


@pytest.mark.parametrize("pattern", ["RGGB", "GBRG"])
def test_a_mosaic_is_compared_at_its_sites_only(pattern, generator):
    clean = torch.rand(3, 10, 12, generator=generator)
    mosaic = BayerMosaic(pattern=pattern, noise=0.0)
    degraded = mosaic(clean, generator)
    elsewhere = torch.where(degraded == 0, torch.rand(3, 10, 12, generator=generator), clean)
    shifted = clean + torch.tensor([0.3, 0.1, 0.2]).view(3, 1, 1)
    scores = remosaic_error(torch.stack([clean, elsewhere, shifted]), degraded.expand(3, 3, 10, 12), pattern)
    # Of four sites one is red, two are green, one is blue.
    expected = [0, 0, math.sqrt((0.09 + 2 * 0.01 + 0.04) / 4)]
    assert scores.tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("size", [(64, 48), (50, 43)])
def test_the_clean_image_lies_in_all_cells(size, subsampling, generator):
    # Not so bright or so coloured that decoding cuts anything off.
    clean = 0.3 + 0.4 * torch.nn.functional.interpolate(
        torch.rand(2, 3, 9, 9, generator=generator), size, mode="bicubic"
    )
    clean = (clean * 255).round() / 255
    degraded = torch.stack([JPEG(subsampling=subsampling)(image, generator) for image in clean])
    assert jpeg_cell_share(clean, degraded, 20, subsampling).tolist() == [1, 1]
    shifted = jpeg_cell_share(clean.roll(1, -1), degraded, 20, subsampling)
    assert (shifted < 1).all() and (shifted > 0.5).all()


def test_one_coefficient_outside_its_cell_counts_one():
    grey = torch.full((1, 3, 32, 40), 128 / 255)
    changed = grey.clone()
    changed[:, :, 8:16, 16:24] += 6 / 255  # the mean: 48 of a step of 40, one of 20 blocks' 64 coefficients in 3 planes
    assert jpeg_cell_share(changed, jpeg(grey, 20, "4:4:4"), 20, "4:4:4").item() == pytest.approx(1 - 1 / (20 * 64 * 3))
    # With colour halved, blue and red have two whole blocks each.
    share = jpeg_cell_share(changed, jpeg(grey, 20), 20).item()
    assert share == pytest.approx(1 - 1 / ((20 + 2 * 4) * 64))


def test_nearly_all_coefficients_of_a_photograph_are_found_in_their_cells(images_folder):
    clean = read_image(images_folder / "valid" / "kodak24" / "kodim07.png")[:, :300, :300]
    degraded = JPEG()(clean, torch.Generator())
    assert jpeg_cell_share(clean[None], degraded[None]) > 0.9995
    assert jpeg_cell_share(clean[None].roll(1, -1), degraded[None]) < 0.99


@pytest.mark.parametrize(("size", "subsampling", "unit"), [((15, 40), "4:2:0", 16), ((40, 7), "4:4:4", 8)])
def test_images_without_a_whole_block_are_refused(size, subsampling, unit):
    with pytest.raises(ValueError, match=f"hold no whole block of {unit}x{unit} pixels"):
        jpeg_cell_share(torch.rand(1, 3, *size), torch.rand(1, 3, *size), 20, subsampling)


def correlation_of(residual, reach):
    """The definition, shift by shift."""
    total, count = 0.0, 0
    height, width = residual.shape[1:]
    for channel in residual - residual.mean(dim=(1, 2), keepdim=True):
        for down in range(-reach, reach + 1):
            for right in range(-reach, reach + 1):
                if (down, right) == (0, 0):
                    continue
                products = [
                    channel[row, column] * channel[row + down, column + right]
                    for row in range(max(0, -down), height - max(0, down))
                    for column in range(max(0, -right), width - max(0, right))
                ]
                total += (sum(products) / len(products) / channel.square().mean()).item() ** 2
                count += 1
    return math.sqrt(total / count)


def test_the_correlation_of_noise_follows_its_definition(generator):
    restored, degraded = torch.rand(2, 1, 3, 7, 6, generator=generator, dtype=torch.float64)
    assert noise_correlation(restored, degraded, reach=2).item() == pytest.approx(
        correlation_of(degraded[0] - restored[0], 2), abs=1e-10
    )


def test_white_noise_scores_one_over_the_root_of_its_pixels(generator):
    clean = torch.rand(4, 3, 96, 96, generator=generator)
    noise = 0.1 * torch.randn(clean.shape, generator=generator)
    scores = noise_correlation(clean, clean + noise)
    # 72 squares of standard normals over N: a mean of 1/N with a relative deviation of the root of 2/72, of which half.
    assert scores.tolist() == pytest.approx(4 * [1 / 96], rel=5 * math.sqrt(2 / 72) / 2 + 0.05)
    smooth = torch.nn.functional.avg_pool2d(noise, 3, 1, 1)
    assert (noise_correlation(clean, clean + smooth) > 10 * scores).all()


def test_removed_edges_show(generator):
    clean = torch.zeros(1, 3, 64, 64)
    clean[..., 20:44] = 1
    noise = 0.05 * torch.randn(clean.shape, generator=generator)
    blurred = torch.nn.functional.avg_pool2d(clean, 5, 1, 2, count_include_pad=False)
    assert noise_correlation(blurred, clean + noise) > 5 * noise_correlation(clean, clean + noise)


def test_nothing_removed_counts_as_the_worst(generator):
    image = torch.rand(1, 3, 16, 16, generator=generator)
    assert noise_correlation(image, image).item() == 1
    assert noise_correlation(image, image + 0.1).item() == 1
    with pytest.raises(ValueError, match="3x9 are too small for shifts of 3 pixels"):
        noise_correlation(torch.rand(1, 3, 3, 9), torch.rand(1, 3, 3, 9))
