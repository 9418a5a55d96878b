"""The perceptual loss against its formula in NumPy."""

import numpy as np
import pytest
import torch

from pdloss.losses import Perceptual, PerceptualLoss, objective, perceptual_loss
from tests.losses.tiny import TinyFeatures


@pytest.mark.parametrize("p", [1, 2])
def test_is_the_mean_difference_at_the_same_place(p: int, generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 3, 4, 5, 6, generator=generator)
    expected = np.mean(np.abs(restored.numpy() - target.numpy()) ** p, axis=(1, 2, 3))
    np.testing.assert_allclose(perceptual_loss(restored, target, p=p).numpy(), expected, rtol=1e-5)


def test_minds_where_the_features_lie(generator: torch.Generator) -> None:
    maps = torch.rand(1, 4, 6, 6, generator=generator)
    assert perceptual_loss(maps, maps.flip(-1)).item() > 0.1


def test_is_never_below_the_distribution_loss(generator: torch.Generator) -> None:
    from pdloss.losses import projected_distribution_loss

    restored, target = torch.randn(2, 3, 4, 5, 6, generator=generator)
    # Sorting is the cheapest of all pairings, the same place one of them.
    assert (projected_distribution_loss(restored, target) < perceptual_loss(restored, target)).all()


@pytest.mark.parametrize("p", [1, 2])
def test_module_and_choice_average_over_the_batch(p: int, generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, 32, 32, generator=generator)
    loss = Perceptual(features="distilled.relu4_3", p=p).build()
    maps = [loss.extractor(images)["relu4_3"] for images in (restored, target)]
    torch.testing.assert_close(loss(restored, target), perceptual_loss(*maps, p=p).mean())


def test_gradient_is_finite_at_the_target(generator: torch.Generator) -> None:
    target = torch.rand(1, 3, 16, 16, generator=generator)
    restored = target.clone().requires_grad_()
    PerceptualLoss(TinyFeatures())(restored, target).backward()
    assert restored.grad is not None
    assert restored.grad.isfinite().all()


def test_refuses_other_orders() -> None:
    with pytest.raises(ValueError, match="expected one of 1, 2"):
        objective("perceptual(p=3)")
