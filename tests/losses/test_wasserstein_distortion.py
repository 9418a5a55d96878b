"""Wasserstein Distortion against a NumPy transcription, numbers of the JAX release, and its two ends of the width."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pdloss.errors import SpecError
from pdloss.features import VGG19Features, extractor
from pdloss.losses import PDL
from pdloss.losses.wasserstein_distortion import (
    ImageScales,
    WassersteinDistortion,
    WassersteinDistortionLoss,
    limited_root,
    low_pass,
    sigma_of_layer,
    wasserstein_distortion_loss,
)
from tests.losses.tiny import TinyFeatures, share_left
from tests.oracles import distortion as oracle

MEAN, STD = (torch.tensor(values).view(3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def everywhere(width: float, like: Tensor) -> Tensor:
    return torch.full((1, 1, *like.shape[-2:]), width, dtype=like.dtype)


def tiny(**options: object) -> WassersteinDistortionLoss:
    return WassersteinDistortionLoss(TinyFeatures(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("height", "width"), [(16, 12), (9, 13), (1, 2)])
def test_is_the_sum_over_levels_of_weighted_distances_of_gaussians(
    height: int, width: int, generator: torch.Generator
) -> None:
    restored, target = torch.randn(2, 2, 3, height, width, generator=generator, dtype=torch.float64)
    log2_sigma = 5 * torch.rand(2, 1, height, width, generator=generator, dtype=torch.float64)
    ours = wasserstein_distortion_loss(restored, target, log2_sigma=log2_sigma)
    expected = [
        oracle.of_maps(f, g, s[0]) for f, g, s in zip(restored.numpy(), target.numpy(), log2_sigma.numpy(), strict=True)
    ]
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-10)
    shared = wasserstein_distortion_loss(restored, target, log2_sigma=log2_sigma[:1])
    assert shared[0] == ours[0]
    assert shared[1].item() == pytest.approx(
        oracle.of_maps(restored[1].numpy(), target[1].numpy(), log2_sigma[0, 0].numpy())
    )


def test_equals_the_authors_jax_release_in_value_and_gradient() -> None:
    # Recorded from the definitions of google/codex, codex/loss/wasserstein.py, run with JAX 0.10.2 in float64.
    k = torch.arange(2 * 9 * 12, dtype=torch.float64).view(1, 2, 9, 12)
    restored, target = k.sin().requires_grad_(), (k * k / 7).cos() + 0.5
    log2_sigma = torch.linspace(0, 4, 9 * 12, dtype=torch.float64).view(1, 1, 9, 12)
    value = wasserstein_distortion_loss(restored, target, log2_sigma=log2_sigma).sum()
    value.backward()
    assert restored.grad is not None
    assert value.item() == pytest.approx(0.3403316774657802, rel=1e-9)
    assert restored.grad.abs().sum().item() == pytest.approx(0.6342739224551895, rel=1e-9)
    twice = torch.linspace(0, 5, 18 * 24, dtype=torch.float64).view(1, 1, 18, 24)
    halved = wasserstein_distortion_loss(restored, target, log2_sigma=sigma_of_layer(twice, 9, 12))
    assert halved.item() == pytest.approx(0.5359831799291838, rel=1e-9)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(6, 7), (1, 4), (2, 1)])
def test_the_low_pass_is_padded_as_same(height: int, width: int, stride: int, generator: torch.Generator) -> None:
    x = torch.randn(1, 1, height, width, generator=generator, dtype=torch.float64)
    np.testing.assert_allclose(low_pass(x, stride)[0, 0].numpy(), oracle.low_pass(x[0, 0].numpy(), stride), rtol=1e-12)


@pytest.mark.parametrize("sides", [(4, 4), (5, 3), (16, 20), (1, 1), (24, 30)])
def test_widths_are_resized_and_reduced_by_the_downscale(sides: tuple[int, int], generator: torch.Generator) -> None:
    log2_sigma = 5 * torch.rand(2, 1, 16, 20, generator=generator, dtype=torch.float64)
    ours = sigma_of_layer(log2_sigma, *sides)
    for one, whole in zip(ours, log2_sigma, strict=True):
        np.testing.assert_allclose(one[0].numpy(), oracle.sigma_of_layer(whole[0].numpy(), sides), atol=1e-12)


def test_without_width_it_is_the_mean_squared_difference(generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 2, 3, 8, 7, generator=generator)
    expected = (restored - target).square().mean(dim=(1, 2, 3))
    torch.testing.assert_close(
        wasserstein_distortion_loss(restored, target, log2_sigma=everywhere(0, restored)), expected
    )


@pytest.mark.parametrize("sigma", [0, 0.5, 1])
def test_up_to_one_pixel_the_module_is_the_squared_difference_of_features(
    sigma: float, generator: torch.Generator
) -> None:
    restored, target = torch.rand(2, 2, 3, 32, 32, generator=generator)
    loss = WassersteinDistortionLoss("distilled.relu3_3+relu4_3", sigma=sigma)
    maps, target_maps = loss.extractor(restored), loss.extractor(target)
    assert list(maps) == ["image"] + [f"{layer}/{scale}" for scale in (1, 2, 4) for layer in ("relu3_3", "relu4_3")]
    expected = sum(F.mse_loss(maps[name], target_maps[name]) for name in maps)
    torch.testing.assert_close(loss(restored, target), expected)


def test_the_wider_the_less_it_matters_where_grains_lie(generator: torch.Generator) -> None:
    sand, other_sand = torch.rand(2, 1, 2, 64, 64, generator=generator)
    by_width = [
        wasserstein_distortion_loss(sand, other_sand, log2_sigma=everywhere(width, sand)).item() for width in range(5)
    ]
    assert by_width[0] == pytest.approx(2 / 12, rel=0.05)  # twice the variance of a uniform sample
    assert by_width == sorted(by_width, reverse=True)
    assert by_width[4] < 0.02 * by_width[0]


def test_wide_windows_see_contrast_and_brightness(generator: torch.Generator) -> None:
    sand = torch.rand(1, 2, 64, 64, generator=generator) - 0.5
    other_sand = torch.rand(1, 2, 64, 64, generator=generator) - 0.5
    wide = everywhere(4, sand)
    # Standard deviations of 1/sqrt(12) and of three times that: 4/12, less at the edges, whose widths are cut.
    contrast = wasserstein_distortion_loss(3 * sand, other_sand, log2_sigma=wide).item()
    assert 0.5 * 4 / 12 < contrast < 4 / 12
    assert contrast > 20 * wasserstein_distortion_loss(sand, other_sand, log2_sigma=wide).item()
    assert (
        wasserstein_distortion_loss(other_sand + 1, sand, log2_sigma=wide).item() > 0.4
    )  # 1 but for the zeros beyond the border


def test_a_map_says_where_grains_matter(generator: torch.Generator) -> None:
    target = torch.rand(1, 1, 32, 64, generator=generator)
    left, right = target.clone(), target.clone()
    left[..., :32], right[..., 32:] = torch.rand(2, 1, 1, 32, 32, generator=generator)
    widths = torch.cat([torch.zeros(1, 1, 32, 32), torch.full((1, 1, 32, 32), 4.0)], dim=-1)  # narrow on the left
    assert wasserstein_distortion_loss(left, target, log2_sigma=widths) > 20 * wasserstein_distortion_loss(
        right, target, log2_sigma=widths
    )


def test_the_gradient_is_the_slope(generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 1, 2, 4, 5, generator=generator, dtype=torch.float64)
    log2_sigma = 3 * torch.rand(1, 1, 4, 5, generator=generator, dtype=torch.float64)

    def value(maps: Tensor) -> Tensor:
        return wasserstein_distortion_loss(maps, target, log2_sigma=log2_sigma, levels=3)

    assert torch.autograd.gradcheck(value, (restored.requires_grad_(),))


def test_the_root_is_limited_and_lifts_negative_variances_only() -> None:
    x = torch.tensor([4.0, 1e-8, 0.0, -1e-9, -1.0], requires_grad=True)
    root = limited_root(x, 1e3)
    torch.testing.assert_close(root, torch.tensor([2.0, 1e-4, 0.0, 0.0, 0.0]))
    (down,) = torch.autograd.grad(root.sum(), x, retain_graph=True)
    (up,) = torch.autograd.grad(-root.sum(), x)
    torch.testing.assert_close(down, torch.tensor([0.25, 1e3, 1e3, 0.0, 0.0]))
    torch.testing.assert_close(up, -torch.tensor([0.25, 1e3, 1e3, 1e3, 1e3]))


def test_the_steepest_slope_is_an_argument() -> None:
    spike = torch.zeros(1, 1, 1, 3, dtype=torch.float64)
    spike[..., 1] = 1e-4  # a variance of about 1e-9, whose root has a slope of 1e4 or so
    target = torch.ones(1, 1, 1, 3, dtype=torch.float64) * torch.tensor([1.0, -1.0, 1.0])
    gradients = []
    for steepest in (1e6, 1.0):
        restored = spike.clone().requires_grad_()
        wasserstein_distortion_loss(
            restored, target, log2_sigma=everywhere(1, spike), levels=1, steepest=steepest
        ).sum().backward()
        assert restored.grad is not None
        gradients.append(restored.grad.abs().max().item())
    assert gradients[0] > 2 * gradients[1]


@pytest.mark.parametrize("value", [0.0, 0.3, -1000.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_constant_maps_have_a_finite_value_and_gradient(
    value: float, dtype: torch.dtype, generator: torch.Generator
) -> None:
    maps = torch.full((1, 2, 9, 8), value, dtype=dtype, requires_grad=True)
    log2_sigma = 5 * torch.rand(1, 1, 9, 8, generator=generator)
    for target in (torch.rand(1, 2, 9, 8, generator=generator).to(dtype), torch.zeros(1, 2, 9, 8, dtype=dtype)):
        distortion = wasserstein_distortion_loss(maps, target, log2_sigma=log2_sigma)
        (gradient,) = torch.autograd.grad(distortion.sum(), maps)
        assert distortion.dtype == torch.float32
        assert distortion.isfinite().all()
        assert gradient.isfinite().all()


@pytest.mark.parametrize("sigma", [0, 4, 32])
def test_equal_images_cost_nothing_with_no_gradient(sigma: float, generator: torch.Generator) -> None:
    for target in (torch.rand(1, 3, 16, 16, generator=generator), torch.full((1, 3, 16, 16), 0.4)):
        restored = target.clone().requires_grad_()
        value = tiny(sigma=sigma)(restored, target)
        value.backward()
        assert value.item() == 0
        assert restored.grad is not None
        assert restored.grad.eq(0).all()


def test_the_module_sums_the_image_and_the_maps_of_every_scale(generator: torch.Generator) -> None:
    images = torch.rand(2, 1, 3, 18, 13, generator=generator)
    features = TinyFeatures()
    expected = 0.0
    scales = [((one - MEAN) / STD)[None] for one in images[:, 0]]
    expected += oracle.of_maps(*(x[0].double().numpy() for x in scales), log2_sigma=np.full((18, 13), 1.5))
    for scale in range(2):
        if scale:
            scales = [
                torch.tensor(np.stack([oracle.low_pass(c.double().numpy(), 2) for c in x[0]])[None]).float()
                for x in scales
            ]
        maps = [features(x * STD + MEAN)[0].double().numpy() for x in scales]
        width = oracle.sigma_of_layer(np.full((18, 13), 1.5), maps[0].shape[1:])
        expected += oracle.of_maps(*maps, log2_sigma=width)
    loss = WassersteinDistortionLoss(features, sigma=2**1.5, scales=2)
    assert loss(*images).item() == pytest.approx(expected, rel=1e-5)


def test_batch_value_is_the_mean_of_single_values(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 3, 3, 20, 16, generator=generator)
    sigma = 32 * torch.rand(3, 1, 20, 16, generator=generator)
    loss = tiny()
    single = [loss(u[None], v[None]) for u, v in zip(restored, target, strict=True)]
    torch.testing.assert_close(loss(restored, target), torch.stack(single).mean())
    single = [loss(u[None], v[None], s[None]) for u, v, s in zip(restored, target, sigma, strict=True)]
    torch.testing.assert_close(loss(restored, target, sigma), torch.stack(single).mean())


def test_a_constant_map_of_widths_is_the_option(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, 20, 16, generator=generator)
    for sigma in (0.0, 1.0, 3.0, 32.0):
        expected = tiny(sigma=sigma)(restored, target)
        torch.testing.assert_close(tiny()(restored, target, torch.full((1, 1, 20, 16), sigma)), expected)
    wider = tiny()(restored, target, torch.full((1, 1, 20, 16), 1000.0))
    torch.testing.assert_close(wider, tiny(sigma=32)(restored, target))


def test_the_distance_of_bare_maps_takes_the_width_in_their_positions(generator: torch.Generator) -> None:
    u, v = torch.rand(2, 1, 2, 8, 8, generator=generator)
    expected = wasserstein_distortion_loss(u, v, log2_sigma=everywhere(2, u))
    torch.testing.assert_close(tiny(sigma=4).distance(u, v), expected)


def test_layers_have_the_weight_one_or_their_own_at_every_scale(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 32, 32, generator=generator)
    none, first, second, both = (
        WassersteinDistortion(features="distilled.relu3_3+relu4_3", layer_weights=weights).build()(restored, target)
        for weights in ((0.0, 0.0), (2.0, 0.0), (0.0, 1.0), None)
    )
    assert none.item() > 0  # the image itself
    torch.testing.assert_close(both - none, (first - none) / 2 + (second - none))
    alone = WassersteinDistortion(features="distilled.relu4_3").build()(restored, target)
    torch.testing.assert_close(alone, second)


def test_a_shared_extractor_may_hold_more_layers(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 32, 32, generator=generator)
    choice = WassersteinDistortion(features="distilled.relu4_3")
    shared = choice.build(extractor("distilled.relu3_3+relu4_3"))
    torch.testing.assert_close(shared(restored, target), choice.build()(restored, target))
    terms = (choice + 0.5 * PDL(features="distilled.relu3_3")).build()(restored, target)
    torch.testing.assert_close(terms.values["wasserstein_distortion"], choice.build()(restored, target))


def test_gradient_reaches_the_restored_image_only(generator: torch.Generator) -> None:
    restored, target = (torch.rand(1, 3, 16, 16, generator=generator, requires_grad=True) for _ in range(2))
    sigma = torch.full((1, 1, 16, 16), 3.0, requires_grad=True)
    loss = tiny()
    loss(restored, target, sigma).backward()
    assert restored.grad is not None
    assert restored.grad.isfinite().all()
    assert restored.grad.abs().sum() > 0
    assert target.grad is None
    assert sigma.grad is None
    assert not list(loss.parameters())
    assert not loss.state_dict()


def test_moves_an_image_closer(generator: torch.Generator) -> None:
    target = torch.rand(1, 3, 16, 16, generator=generator)
    restored = torch.full_like(target, 0.5).requires_grad_()  # flat: every variance is rounding, or zero
    loss = tiny(sigma=2, scales=2)
    assert share_left(loss, restored, target, torch.optim.Adam([restored], lr=0.05), steps=25) < 0.3


def test_computes_in_float32_under_autocast(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 32, 32, generator=generator)
    loss = WassersteinDistortionLoss("distilled.relu4_3")
    exact = loss(restored, target)
    with torch.autocast("cpu", torch.bfloat16):
        rough = loss(restored, target)
        half = loss(restored.bfloat16(), target.bfloat16())
    assert rough.dtype == half.dtype == torch.float32
    assert rough.item() == pytest.approx(exact.item(), rel=0.03)
    assert half.item() == pytest.approx(exact.item(), rel=0.03)


def test_small_images_are_refused_with_both_sizes_and_the_cure() -> None:
    # relu4_3 takes 8 pixels: two halvings, rounding up, leave 8 of 29.
    least = torch.rand(1, 3, 29, 40)
    assert WassersteinDistortionLoss("distilled.relu4_3")(least, least).item() == 0
    for height, cure in ((28, ", or scales=2"), (14, ", or scales=1"), (7, "$")):
        small = torch.rand(1, 3, height, 40)
        message = (
            f"images of {height}x40 are too small for 3 scales .* at least 29 pixels a side; use larger images{cure}"
        )
        with pytest.raises(ValueError, match=message):
            WassersteinDistortionLoss("distilled.relu4_3")(small, small)


def test_modules_that_name_no_smallest_side_are_taken_at_their_word(generator: torch.Generator) -> None:
    class Identity(nn.Module):
        def forward(self, images: Tensor) -> dict[str, Tensor]:
            return {"image": images}

    maps = ImageScales(Identity(), 4)(torch.rand(1, 3, 5, 3, generator=generator))
    assert [(name, *x.shape[-2:]) for name, x in maps.items()] == [
        ("image", 5, 3), ("image/1", 5, 3), ("image/2", 3, 2), ("image/4", 2, 1), ("image/8", 1, 1)
    ]  # fmt: skip


def test_refuses_what_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match=r"must agree .* \(1, 2, 4, 4\), \(1, 2, 4, 4\) and log2_sigma \(1, 1, 4, 5\)"):
        wasserstein_distortion_loss(torch.rand(1, 2, 4, 4), torch.rand(1, 2, 4, 4), log2_sigma=torch.rand(1, 1, 4, 5))
    with pytest.raises(ValueError, match=r"must agree .* \(1, 2, 4, 4\), \(1, 2, 5, 4\)"):
        wasserstein_distortion_loss(torch.rand(1, 2, 4, 4), torch.rand(1, 2, 5, 4), log2_sigma=torch.rand(1, 1, 4, 4))
    images = torch.rand(2, 3, 8, 8)
    with pytest.raises(ValueError, match="must have the same shape"):
        tiny()(images, images[:1])
    for shape in ((2, 8, 8), (3, 1, 8, 8), (2, 1, 8, 4), (2, 3, 8, 8)):
        with pytest.raises(ValueError, match=r"must be \(B, 1, H, W\), one width per pixel"):
            tiny()(images, images, torch.ones(shape))


@pytest.mark.parametrize("sigma", [-1.0, 33.0, float("nan")])
def test_refuses_widths_out_of_range(sigma: float) -> None:
    with pytest.raises(ValueError, match=f"from 0 to 32 pixels, got {sigma}"):
        tiny(sigma=sigma)
    with pytest.raises(SpecError, match="sigma"):
        WassersteinDistortion(sigma=sigma)


def test_refuses_no_scales() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        tiny(scales=0)
    with pytest.raises(SpecError, match=">= 1"):
        WassersteinDistortion(scales=0)


def test_the_choice_names_the_published_layers_and_passes_every_option_on() -> None:
    assert WassersteinDistortion().features == "vgg16-torchvision.relu1_2+relu2_2+relu3_3+relu4_3+relu5_3"
    choice = WassersteinDistortion(features="distilled.relu4_3", sigma=2.5, scales=2, layer_weights=(3.0,))
    loss = choice.build()
    assert (loss.sigma, loss.extractor.scales, loss.layers, loss.layer_weights) == (2.5, 2, ("relu4_3",), (3.0,))


def test_takes_a_vgg_that_pools_by_means(assets_folder: Path, generator: torch.Generator) -> None:
    def average(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2)

    restored, target = torch.rand(2, 1, 3, 32, 32, generator=generator)
    layers = ("relu1_2", "relu2_2", "relu3_3")
    by_means = WassersteinDistortionLoss(VGG19Features(layers, pool=average))
    by_maxima = WassersteinDistortionLoss("vgg19." + "+".join(layers))
    restored.requires_grad_()
    value = by_means(restored, target)
    value.backward()
    assert restored.grad is not None
    assert restored.grad.isfinite().all()
    assert value.item() != pytest.approx(by_maxima(restored, target).item(), rel=0.01)
