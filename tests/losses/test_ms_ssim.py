"""Structural similarity at several scales as a loss: the metric's value, its shares, and small crops."""

import numpy as np
import pytest
import torch
from torch import nn

from pdloss import metrics
from pdloss.losses.ms_ssim import (
    MSSSIM,
    MSSSIML1Loss,
    MSSSIMLoss,
    ms_ssim_l1_loss,
    ms_ssim_loss,
    ms_ssim_weights,
)  # fmt: skip
from tests.oracles import ms_ssim as oracle


def pair(generator, side=32, count=1):
    target = torch.rand(count, 3, side, side, generator=generator)
    return (target + 0.1 * torch.randn(target.shape, generator=generator)).clamp(0, 1), target


def test_five_scales_are_one_minus_the_metric(generator):
    restored, target = pair(generator, side=161)
    value = MSSSIM().build()(restored, target)
    torch.testing.assert_close(value, 1 - metrics.ms_ssim(restored, target).mean())
    assert 0.001 < value.item() < 0.5


def test_fewer_scales_are_the_definition_with_the_first_exponents(generator):
    restored, target = pair(generator, side=43)
    window = oracle.gaussian_window(11, 1.5)
    exponents = np.array([0.0448, 0.2856, 0.3001])
    products = []
    for a, b in zip(restored[0].double().numpy(), target[0].double().numpy(), strict=True):
        product = 1.0
        for scale, exponent in enumerate(exponents / exponents.sum()):
            if scale > 0:
                a, b = oracle.halve(a), oracle.halve(b)
            luminance, structure = oracle.fractions(a, b, window)
            product *= float((luminance * structure if scale == 2 else structure).mean()) ** exponent
        products.append(product)
    assert ms_ssim_loss(restored, target, scales=3).item() == pytest.approx(1 - np.mean(products), abs=1e-6)


def test_the_exponents_of_fewer_scales_sum_to_one_and_those_of_five_are_published():
    assert ms_ssim_weights(5) == (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    for scales in (1, 2, 3, 4):
        weights = ms_ssim_weights(scales)
        assert sum(weights) == pytest.approx(1)
        assert weights[-1] / weights[0] == pytest.approx(metrics.MS_SSIM_WEIGHTS[scales - 1] / 0.0448)


def test_one_scale_is_ssim(generator):
    restored, target = pair(generator, side=20)
    torch.testing.assert_close(ms_ssim_loss(restored, target, scales=1), 1 - metrics.ssim(restored, target))


def test_the_mix_has_its_shares(generator):
    target = torch.full((2, 3, 21, 21), 0.4)
    restored = target + torch.tensor([0.2, 0.0]).view(2, 1, 1, 1)
    luminance = (2 * 0.4 * 0.6 + 1e-4) / (0.4**2 + 0.6**2 + 1e-4)  # flat images differ in nothing else
    structure = 1 - luminance ** (0.2856 / 0.3304)
    values = ms_ssim_l1_loss(restored, target, alpha=0.7, scales=2)
    assert values.tolist() == pytest.approx([0.7 * structure + 0.3 * 0.2, 0], abs=1e-6)
    assert MSSSIML1Loss(alpha=0.7, scales=2)(restored, target).item() == pytest.approx(values.mean().item())


@pytest.mark.parametrize(("alpha", "same"), [(1.0, MSSSIMLoss(scales=2)), (0.0, nn.L1Loss())])
def test_the_ends_of_the_mix_are_its_parts(alpha, same, generator):
    restored, target = pair(generator)
    torch.testing.assert_close(MSSSIML1Loss(alpha=alpha, scales=2)(restored, target), same(restored, target))


def test_inverted_structure_costs_one_with_a_finite_gradient(generator):
    target = pair(generator)[1]
    restored = (1 - target).requires_grad_()
    value = MSSSIMLoss(scales=1)(restored, target)
    value.backward()
    assert value.item() == 1
    assert restored.grad.isfinite().all()


@pytest.mark.parametrize(("scales", "side"), [(1, 11), (2, 21), (3, 41), (4, 81), (5, 161)])
def test_fewer_scales_take_smaller_images(scales, side):
    images = torch.full((1, 3, side, side), 0.5)
    assert MSSSIMLoss(scales=scales)(images, images).item() == 0
    with pytest.raises(
        ValueError, match=rf"images of {side}x{side - 1} are too small for ms_ssim\(scales={scales}\).* least {side} "
    ):
        MSSSIMLoss(scales=scales)(images[..., 1:], images[..., 1:])


@pytest.mark.parametrize(
    ("side", "cure"),
    [
        (96, "least 161 pixels a side; train on larger crops, or with scales=4"),
        (40, "train on larger crops, or with scales=2"),
        (10, "train on larger crops$"),
    ],
)
def test_images_too_small_for_the_scales_are_refused_with_the_scales_that_fit(side, cure):
    images = torch.zeros(1, 3, side, side)
    for loss in (MSSSIMLoss(), MSSSIML1Loss()):
        with pytest.raises(ValueError, match=cure):
            loss(images, images)
