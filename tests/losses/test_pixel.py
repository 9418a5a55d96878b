"""Pixel losses in closed form."""

import pytest
import torch

from pdloss.losses import L1, L2, PixelLoss, pixel_loss


def test_a_constant_shift_costs_its_size_or_its_square(generator: torch.Generator) -> None:
    target = torch.rand(2, 3, 5, 7, generator=generator) / 2
    shift = torch.tensor([0.25, -0.5]).view(2, 1, 1, 1)
    torch.testing.assert_close(pixel_loss(target + shift, target, p=1), torch.tensor([0.25, 0.5]))
    torch.testing.assert_close(pixel_loss(target + shift, target, p=2), torch.tensor([0.0625, 0.25]))
    assert L1().build()(target + shift, target).item() == pytest.approx(0.375)
    assert L2().build()(target + shift, target).item() == pytest.approx(0.15625)


def test_agrees_with_torch(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, 5, 7, generator=generator)
    torch.testing.assert_close(PixelLoss(p=1)(restored, target), torch.nn.functional.l1_loss(restored, target))
    torch.testing.assert_close(PixelLoss(p=2)(restored, target), torch.nn.functional.mse_loss(restored, target))


def test_half_precision_is_summed_in_float32(generator: torch.Generator) -> None:
    target = torch.rand(1, 3, 64, 64, generator=generator).bfloat16()
    assert PixelLoss(p=1)(target / 2, target).dtype == torch.float32
