import math

import pytest
import skimage.color
import skimage.metrics
import torch
import torchmetrics.functional.image

from pdloss.images import read_pixels
from pdloss.metrics import psnr, psnr_y


def pair(generator, noise=0.1, shape=(2, 3, 12, 10), dtype=torch.float64):
    target = torch.rand(shape, generator=generator, dtype=dtype)
    return (target + noise * torch.randn(shape, generator=generator, dtype=dtype)).clamp(0, 1), target


@pytest.mark.parametrize("shift", [1.0, 0.1, -0.25, 1 / 255])
def test_a_constant_shift_d_scores_minus_twenty_log_d(shift):
    target = torch.full((2, 3, 5, 6), 0.5, dtype=torch.float64)
    expected = torch.full((2,), -20 * math.log10(abs(shift)), dtype=torch.float64)
    torch.testing.assert_close(psnr(target + shift, target), expected)


@pytest.mark.parametrize("shift", [0.1, 1 / 255])
def test_a_gray_shift_scores_more_in_luma_by_the_ratio_of_the_ranges(shift):
    target = torch.full((1, 3, 5, 6), 0.5, dtype=torch.float64)
    expected = -20 * math.log10(shift * 219 / 255)
    assert psnr_y(target + shift, target).item() == pytest.approx(expected, abs=1e-10)


def test_an_error_in_one_channel_is_shared_by_three():
    target = torch.zeros(1, 3, 4, 4, dtype=torch.float64)
    restored = target.clone()
    restored[:, 1] = 0.1
    assert psnr(restored, target).item() == pytest.approx(20 + 10 * math.log10(3), abs=1e-10)


def test_agrees_with_scikit_image_image_by_image(generator):
    restored, target = pair(generator)
    expected = [
        skimage.metrics.peak_signal_noise_ratio(t.numpy(), r.numpy(), data_range=1)
        for r, t in zip(restored, target, strict=True)
    ]
    assert psnr(restored, target).tolist() == pytest.approx(expected, rel=1e-12)


def test_luma_agrees_with_scikit_image_on_255_levels(generator):
    restored, target = pair(generator)
    y_restored, y_target = (skimage.color.rgb2ycbcr(x.numpy(), channel_axis=1)[:, 0] for x in (restored, target))
    expected = [
        skimage.metrics.peak_signal_noise_ratio(t, r, data_range=255) for r, t in zip(y_restored, y_target, strict=True)
    ]
    assert psnr_y(restored, target).tolist() == pytest.approx(expected, rel=1e-12)


def test_luma_does_not_see_an_error_that_leaves_it_unchanged():
    target = torch.full((1, 3, 4, 4), 0.5, dtype=torch.float64)
    colour = torch.tensor([128.553, -65.481, 0.0], dtype=torch.float64).view(1, 3, 1, 1) / 1000
    assert psnr_y(target + colour, target).item() > 250
    assert psnr(target + colour, target).item() < 25


def test_identical_images_score_infinity_and_others_of_the_batch_do_not(generator):
    restored, target = pair(generator)
    restored[0] = target[0]
    for score in (psnr, psnr_y):
        values = score(restored, target).tolist()
        assert values[0] == math.inf
        assert math.isfinite(values[1])


@pytest.mark.parametrize("score", [psnr, psnr_y])
def test_the_border_left_out_is_not_looked_at(generator, score):
    restored, target = pair(generator)
    expected = score(restored[..., 2:-2, 2:-2], target[..., 2:-2, 2:-2])
    restored[..., :2, :] = restored[..., -2:, :] = 5.0
    restored[..., :2] = restored[..., -2:] = -5.0
    torch.testing.assert_close(score(restored, target, border=2), expected)
    assert (score(restored, target) < expected).all()


@pytest.mark.parametrize("border", [-1, 5, 100])
def test_refuses_a_border_that_leaves_nothing(generator, border):
    restored, target = pair(generator)
    with pytest.raises(ValueError, match=f"border of {border} pixels .* 12x10"):
        psnr(restored, target, border=border)


@pytest.mark.parametrize("score", [psnr, psnr_y])
def test_half_precision_images_are_scored_in_float32(generator, score):
    restored, target = (x.to(torch.bfloat16) for x in pair(generator))
    value = score(restored, target)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, score(restored.double(), target.double()).float(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("score", [psnr, psnr_y])
def test_refuses_different_shapes_with_both_in_the_message(score):
    with pytest.raises(ValueError, match=r"\(1, 3, 4, 4\) and target \(1, 3, 4, 6\)"):
        score(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 6))


def test_a_photograph_scores_as_with_scikit_image_and_torchmetrics(images_folder, generator):
    target = read_pixels(images_folder / "valid" / "kodak24" / "kodim08.png").pixels[None, :, 100:276, 200:552]
    noise = torch.randint(-20, 21, target.shape, generator=generator)
    restored = (target.short() + noise).clamp(0, 255).byte()
    expected = skimage.metrics.peak_signal_noise_ratio(target.numpy(), restored.numpy())  # on bytes, peak 255
    r, t = restored.float() / 255, target.float() / 255
    assert psnr(r, t).item() == pytest.approx(expected, abs=1e-4)
    theirs = torchmetrics.functional.image.peak_signal_noise_ratio(r, t, data_range=1.0)
    assert psnr(r, t).item() == pytest.approx(theirs.item(), abs=1e-4)
    y_restored, y_target = (skimage.color.rgb2ycbcr(x[0].numpy(), channel_axis=0)[0] for x in (restored, target))
    expected_y = skimage.metrics.peak_signal_noise_ratio(y_target, y_restored, data_range=255)
    assert psnr_y(r, t).item() == pytest.approx(expected_y, abs=1e-4)
    assert 20 < expected < 30 < expected_y
