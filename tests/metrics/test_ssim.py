import io

import numpy as np
import pytest
import skimage.color
import skimage.metrics
import torch
import torchmetrics.functional.image
from PIL import Image

from pdloss.images import read_pixels, to_bytes
from pdloss.metrics import MS_SSIM_WEIGHTS, ms_ssim, psnr, ssim
from pdloss.metrics.ssim import minimum_side
from pdloss.ops.color import luma
from tests.oracles import ms_ssim as oracle
from tests.oracles import niqe as niqe_oracle


def smooth_pair(generator, shape, noise=0.1):
    """A wavy picture and a noisy copy: structure at every scale."""
    b, _, h, w = shape
    phase = 6 * torch.rand(b, 3, 1, 1, generator=generator, dtype=torch.float64)
    rows, columns = torch.arange(h).view(-1, 1), torch.arange(w).view(1, -1)
    target = 0.5 + 0.2 * torch.sin(rows / 7 + phase) + 0.2 * torch.sin(columns / 19 + rows / 40 - phase)
    return target + noise * torch.randn(shape, generator=generator, dtype=torch.float64), target


@pytest.mark.parametrize("shape", [(2, 3, 11, 11), (1, 3, 24, 17)])
def test_ssim_is_the_definition_evaluated_window_by_window(generator, shape):
    restored, target = smooth_pair(generator, shape)
    expected = [oracle.ssim(r.numpy(), t.numpy()) for r, t in zip(restored, target, strict=True)]
    assert ssim(restored, target).tolist() == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("size", [(161, 161), (163, 178)])  # every side is odd at one scale at least
def test_ms_ssim_is_the_definition_evaluated_window_by_window(generator, size):
    restored, target = smooth_pair(generator, (1, 3, *size))
    expected = oracle.ms_ssim(restored[0].numpy(), target[0].numpy())
    assert ms_ssim(restored, target).item() == pytest.approx(expected, abs=1e-13)
    assert 0.5 < expected < 0.99


def test_ssim_agrees_with_scikit_image_inside_the_border(generator):
    restored, target = smooth_pair(generator, (1, 3, 30, 25))
    _, map_ = skimage.metrics.structural_similarity(
        target[0].numpy(),
        restored[0].numpy(),
        channel_axis=0,
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    assert ssim(restored, target).item() == pytest.approx(map_[:, 5:-5, 5:-5].mean(), abs=1e-12)


def test_ms_ssim_agrees_with_torchmetrics_on_gray_images_of_even_sizes_but_for_the_last_scale(generator):
    # With equal channels it does not matter that torchmetrics takes their mean first, and 176 halves evenly down to 11.
    # At the last scale it keeps a reflected border, so that scale gets no weight.
    restored, target = (x[:, :1].expand(-1, 3, -1, -1) for x in smooth_pair(generator, (1, 3, 176, 176)))
    weights = (*MS_SSIM_WEIGHTS[:4], 0.0)
    expected = torchmetrics.functional.image.multiscale_structural_similarity_index_measure(
        restored, target, data_range=1.0, betas=weights, normalize="relu"
    )
    assert ms_ssim(restored, target, weights).item() == pytest.approx(expected.item(), abs=1e-7)


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (0.3, 0.5), (0.9, 0.85)])
def test_constant_images_differ_in_luminance_alone(a, b):
    restored, target = (torch.full((1, 3, 161, 161), v, dtype=torch.float64) for v in (a, b))
    luminance = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    assert ssim(restored, target).item() == pytest.approx(luminance, rel=1e-9)
    assert ms_ssim(restored, target).item() == pytest.approx(luminance**0.1333, rel=1e-9)


@pytest.mark.parametrize("constant", [None, 0.0, 0.7, 1.0])
@pytest.mark.parametrize("score", [ssim, ms_ssim])
def test_equal_images_score_exactly_one_with_a_gradient_of_zero(generator, score, constant):
    shape = (1, 3, 161, 161)
    target = torch.rand(shape, generator=generator) if constant is None else torch.full(shape, constant)
    restored = target.clone().requires_grad_()
    value = score(restored, target)
    assert value.item() == 1
    value.backward()
    assert restored.grad.abs().max() == 0


def test_inverted_structure_scores_zero_with_a_finite_gradient(generator):
    _, target = smooth_pair(generator, (1, 3, 161, 161))
    restored = (1 - target).requires_grad_()
    assert ssim(restored, target).item() < 0
    value = ms_ssim(restored, target)
    value.backward()
    assert value.item() == 0
    assert restored.grad.isfinite().all()


@pytest.mark.parametrize("score", [ssim, ms_ssim])
def test_an_image_that_holds_nan_has_no_score_and_its_neighbours_have(generator, score):
    restored, target = torch.rand(2, 2, 3, 161, 161, generator=generator)
    restored[0, 1, 80, 80] = torch.nan
    assert score(restored, target).isnan().tolist() == [True, False]


def test_gradients_against_a_constant_target_are_finite_and_not_zero(generator):
    target = torch.zeros(1, 3, 161, 161)
    for score in (ssim, ms_ssim):
        restored = torch.rand(1, 3, 161, 161, generator=generator, requires_grad=True)
        score(restored, target).backward()
        assert restored.grad.isfinite().all()
        assert restored.grad.abs().max() > 0


def test_ssim_has_the_gradient_of_its_value(generator):
    restored, target = smooth_pair(generator, (1, 3, 7, 6))
    assert torch.autograd.gradcheck(lambda x: ssim(x, target, window=5), restored.requires_grad_(), fast_mode=True)


def test_ms_ssim_has_the_gradient_of_its_value(generator):
    restored, target = smooth_pair(generator, (1, 3, 9, 10))

    def two_scales(x):
        return ms_ssim(x, target, weights=(0.4, 0.6), window=5)

    assert torch.autograd.gradcheck(two_scales, restored.requires_grad_(), fast_mode=True)


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.01])
def test_float32_keeps_six_digits_on_bright_flat_images(generator, noise):
    # The textbook E[x²] - E[x]² is off by 2e-4 in the first case: C2 is only 9e-4.
    target = torch.full((1, 3, 161, 161), 0.98)
    restored = target - 0.3 + noise * torch.randn(target.shape, generator=generator)
    for score in (ssim, ms_ssim):
        exact = score(restored.double(), target.double()).item()
        assert score(restored, target).item() == pytest.approx(exact, abs=1e-6)


def test_the_order_of_the_images_does_not_matter(generator):
    restored, target = smooth_pair(generator, (1, 3, 161, 161))
    for score in (ssim, ms_ssim):
        torch.testing.assert_close(score(restored, target), score(target, restored))


def test_each_image_of_a_batch_scores_as_it_would_alone(generator):
    a, b = (smooth_pair(generator, (1, 3, 161, 162), noise) for noise in (0.05, 0.3))
    restored, target = torch.cat([a[0], b[0]]), torch.cat([a[1], b[1]])
    for score in (ssim, ms_ssim):
        torch.testing.assert_close(score(restored, target), torch.cat([score(*a), score(*b)]))


def test_ms_ssim_is_the_mean_of_the_channels(generator):
    restored, target = smooth_pair(generator, (1, 3, 161, 161))
    restored[:, 1] += 0.3 * torch.randn(161, 161, generator=generator, dtype=torch.float64)
    gray = [
        ms_ssim(*(x[:, [channel] * 3] for x in (restored, target)))  # the channel three times
        for channel in range(3)
    ]
    torch.testing.assert_close(ms_ssim(restored, target), torch.stack(gray).mean(dim=0))


def test_half_precision_images_are_scored_in_float32_even_under_autocast(generator):
    restored, target = (x.to(torch.bfloat16) for x in smooth_pair(generator, (1, 3, 161, 161)))
    with torch.autocast("cpu", torch.bfloat16):
        value = ms_ssim(restored, target)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(ms_ssim(restored.double(), target.double()).item(), abs=1e-6)


@pytest.mark.parametrize("size", [(160, 200), (200, 160), (12, 12)])
def test_ms_ssim_refuses_images_below_161_with_both_numbers(size):
    images = torch.zeros(1, 3, *size)
    with pytest.raises(ValueError, match=rf"images of {size[0]}x{size[1]} are too small .* at least 161"):
        ms_ssim(images, images)


def test_ssim_refuses_images_smaller_than_its_window():
    images = torch.zeros(1, 3, 10, 30)
    with pytest.raises(ValueError, match=r"images of 10x30 are too small for SSIM, which needs at least 11"):
        ssim(images, images)


@pytest.mark.parametrize(("scales", "window", "side"), [(5, 11, 161), (1, 11, 11), (3, 7, 25)])
def test_the_minimum_side_is_just_enough(scales, window, side):
    assert minimum_side(scales, window) == side
    images = torch.full((1, 3, side, side), 0.5)
    assert ms_ssim(images, images, weights=[1 / scales] * scales, window=window).item() == 1
    with pytest.raises(ValueError, match=f"at least {side}"):
        ms_ssim(images[..., 1:], images[..., 1:], weights=[1 / scales] * scales, window=window)


def test_one_scale_with_weight_one_is_ssim_without_the_negative_values(generator):
    restored, target = smooth_pair(generator, (1, 3, 20, 20))
    torch.testing.assert_close(ms_ssim(restored, target, weights=[1.0]), ssim(restored, target))


def test_refuses_different_shapes_with_both_in_the_message():
    for score in (ssim, ms_ssim):
        with pytest.raises(ValueError, match=r"\(1, 3, 170, 170\) and target \(1, 3, 170, 172\)"):
            score(torch.zeros(1, 3, 170, 170), torch.zeros(1, 3, 170, 172))


def test_a_photograph_saved_as_jpeg_scores_as_recorded(images_folder):
    # Quality 20 over the 24 Kodak images means 29.14 dB and 0.946; one image may lie a few hundredths beside the mean.
    photograph = Image.open(images_folder / "valid" / "kodak24" / "kodim23.png")
    scores = []
    for quality in (10, 20, 60):
        file = io.BytesIO()
        photograph.save(file, "JPEG", quality=quality)
        restored, target = (
            torch.from_numpy(np.array(p)).permute(2, 0, 1)[None] / 255 for p in (Image.open(file), photograph)
        )
        scores.append((psnr(restored, target).item(), ms_ssim(restored, target).item()))
    assert scores == sorted(scores)
    assert scores[1][1] == pytest.approx(0.946, abs=0.03)


def photographs(folder, generator):
    """An even-sized crop of a photograph as RGB in double precision, and it with noise."""
    target = read_pixels(folder / "valid" / "kodak24" / "kodim08.png").pixels[None, :, 100:276, 200:376].double() / 255
    return (target + 0.05 * torch.randn(target.shape, generator=generator)).clamp(0, 1), target


def test_ssim_of_a_photograph_agrees_with_scikit_image_and_torchmetrics_inside_the_border(images_folder, generator):
    restored, target = photographs(images_folder, generator)
    options = {"channel_axis": 0, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, map_ = skimage.metrics.structural_similarity(
        target[0].numpy(), restored[0].numpy(), data_range=1, full=True, **options
    )
    value = ssim(restored, target).item()
    assert value == pytest.approx(map_[:, 5:-5, 5:-5].mean(), abs=1e-10)
    _, map_ = torchmetrics.functional.image.structural_similarity_index_measure(
        restored, target, data_range=1.0, return_full_image=True
    )
    assert value == pytest.approx(map_[..., 5:-5, 5:-5].mean().item(), abs=1e-6)  # its window is in single precision
    assert 0.5 < value < 0.95


def test_ms_ssim_of_a_photograph_agrees_with_torchmetrics_channel_by_channel(images_folder, generator):
    restored, target = photographs(images_folder, generator)
    expected = [
        torchmetrics.functional.image.multiscale_structural_similarity_index_measure(
            restored[:, [channel]], target[:, [channel]], data_range=1.0, normalize="relu"
        ).item()
        for channel in range(3)
    ]
    # At the last scale, of 11x11 pixels here, torchmetrics keeps a reflected border.
    assert ms_ssim(restored, target).item() == pytest.approx(sum(expected) / 3, abs=2e-3)
    weights = (*MS_SSIM_WEIGHTS[:4], 0.0)
    expected = [
        torchmetrics.functional.image.multiscale_structural_similarity_index_measure(
            restored[:, [channel]], target[:, [channel]], data_range=1.0, betas=weights, normalize="relu"
        ).item()
        for channel in range(3)
    ]
    assert ms_ssim(restored, target, weights).item() == pytest.approx(sum(expected) / 3, abs=1e-6)


def test_ssim_of_the_luma_agrees_with_scikit_image_on_255_levels(generator):
    restored, target = smooth_pair(generator, (1, 3, 30, 25))
    y_restored, y_target = (skimage.color.rgb2ycbcr(x[0].numpy(), channel_axis=0)[0] for x in (restored, target))
    _, map_ = skimage.metrics.structural_similarity(
        y_target,
        y_restored,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    assert ssim(restored, target, channels="y").item() == pytest.approx(map_[5:-5, 5:-5].mean(), abs=1e-12)


def test_ms_ssim_of_the_luma_is_that_of_three_channels_of_luma(generator):
    restored, target = smooth_pair(generator, (2, 3, 165, 170))
    expected = ms_ssim(*(luma(x).expand(-1, 3, -1, -1) for x in (restored, target)))
    torch.testing.assert_close(ms_ssim(restored, target, channels="y"), expected)
    assert (expected - ms_ssim(restored, target)).abs().min() > 1e-3


@pytest.mark.parametrize("score", [ssim, ms_ssim])
def test_of_gray_is_the_definition_on_matlabs_gray_of_the_bytes(generator, score):
    """Against the inverse of MATLAB's YIQ matrix in NumPy, and the metric evaluated window by window."""
    restored, target = smooth_pair(generator, (1, 3, 161, 163))
    by_definition = {ssim: oracle.ssim, ms_ssim: oracle.ms_ssim}[score]
    grays = [niqe_oracle.gray(to_bytes(x[0]).permute(1, 2, 0).numpy())[None] / 255 for x in (restored, target)]
    expected = by_definition(*grays)
    assert score(restored, target, channels="gray").item() == pytest.approx(expected, abs=1e-12)
    assert score(restored.float(), target.float(), channels="gray").item() == pytest.approx(expected, abs=1e-5)
    assert abs(expected - score(restored, target).item()) > 1e-3


@pytest.mark.parametrize("channels", ["rgb", "y", "gray"])
@pytest.mark.parametrize("score", [ssim, ms_ssim])
def test_the_border_left_out_is_not_looked_at(generator, score, channels):
    restored, target = smooth_pair(generator, (1, 3, 169, 170))
    expected = score(restored[..., 4:-4, 4:-4], target[..., 4:-4, 4:-4], channels=channels)
    restored[..., :4, :] = restored[..., -4:] = 5.0
    torch.testing.assert_close(score(restored, target, border=4, channels=channels), expected)
    assert score(restored, target, channels=channels) < expected - 0.005


def test_a_border_that_leaves_too_little_is_refused(generator):
    images = torch.zeros(1, 3, 168, 200)
    with pytest.raises(ValueError, match=r"images of 160x192 are too small .* at least 161"):
        ms_ssim(images, images, border=4)
    with pytest.raises(ValueError, match=r"images of 8x40 are too small .* at least 11"):
        ssim(images, images, border=80)
    with pytest.raises(ValueError, match="border of 84 pixels .* leaves nothing"):
        ssim(images, images, border=84)


def test_other_channels_are_refused():
    images = torch.zeros(1, 3, 20, 20)
    with pytest.raises((ValueError, TypeError), match="channels"):
        ssim(images, images, channels="Y")
