"""The projected distribution loss against SciPy, image by image and channel by channel, and its invariances."""

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from pdloss.errors import SpecError
from pdloss.features import extractor
from pdloss.losses import PDL, ProjectedDistributionLoss, projected_distribution_distance
from tests.losses.tiny import TinyFeatures


def shuffled(maps: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    return maps.flatten(2)[:, :, order].view_as(maps)


def test_is_the_mean_over_channels_of_scipys_distance(generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 3, 4, 5, 6, generator=generator, dtype=torch.float64)
    expected = [
        np.mean([wasserstein_distance(u.flatten(), v.flatten()) for u, v in zip(one, other, strict=True)])
        for one, other in zip(restored.numpy(), target.numpy(), strict=True)
    ]
    np.testing.assert_allclose(projected_distribution_distance(restored, target).numpy(), expected, rtol=1e-12)


def test_ignores_where_the_features_lie(generator: torch.Generator) -> None:
    maps = torch.rand(2, 4, 6, 5, generator=generator)
    order = torch.randperm(30, generator=generator)
    assert projected_distribution_distance(maps, shuffled(maps, order)).eq(0).all()
    each_its_own = torch.cat([shuffled(maps[:, [c]], torch.randperm(30, generator=generator)) for c in range(4)], 1)
    assert projected_distribution_distance(maps, each_its_own).eq(0).all()


def test_sees_which_channel_they_lie_in(generator: torch.Generator) -> None:
    maps = torch.rand(1, 4, 6, 5, generator=generator) * torch.arange(1, 5).view(1, 4, 1, 1)
    # Channels 1..4 times a uniform sample: reversed, means differ by 1.5, 0.5, 0.5, 1.5, whose mean is 1.
    assert projected_distribution_distance(maps, maps.flip(1)).item() == pytest.approx(1.0, abs=0.2)


def test_sees_contrast_brightness_and_blur(generator: torch.Generator) -> None:
    maps = torch.rand(1, 4, 12, 12, generator=generator)
    blurred = torch.nn.functional.avg_pool2d(maps, 3, 1, 1)
    for changed in (2 * maps, maps + 0.3, blurred):
        assert projected_distribution_distance(maps, changed).item() > 0.05
    assert projected_distribution_distance(maps, maps + 0.3).item() == pytest.approx(0.3, rel=1e-5)


def test_compares_images_one_by_one_never_across_the_batch(generator: torch.Generator) -> None:
    maps = torch.rand(2, 3, 4, 4, generator=generator) + torch.tensor([0.0, 5.0]).view(2, 1, 1, 1)
    swapped = projected_distribution_distance(maps, maps.flip(0))
    assert swapped.tolist() == pytest.approx([5.0, 5.0], abs=0.3)


def test_pulls_every_position_with_equal_force_towards_its_rank(generator: torch.Generator) -> None:
    maps = torch.rand(1, 2, 3, 3, generator=generator, requires_grad=True)
    projected_distribution_distance(maps, maps.detach() + 1).sum().backward()
    assert maps.grad is not None
    # Mean over 9 positions and 2 channels of |u - (u + 1)|: each position's slope is -1/18.
    torch.testing.assert_close(maps.grad, torch.full_like(maps, -1 / 18))


def test_maps_of_other_sizes_are_compared_too(generator: torch.Generator) -> None:
    maps = torch.rand(1, 3, 4, 4, generator=generator)
    twice = maps.repeat_interleave(2, -1)  # every value twice: the same distribution
    assert projected_distribution_distance(maps, twice).item() == pytest.approx(0, abs=1e-6)


def test_the_module_averages_over_layers_and_batch(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, 32, 32, generator=generator)
    both = ProjectedDistributionLoss("distilled.relu3_4+relu4_3")(restored, target)
    each = [ProjectedDistributionLoss(f"distilled.{layer}")(restored, target) for layer in ("relu3_4", "relu4_3")]
    torch.testing.assert_close(both, torch.stack(each).mean())
    maps = extractor("distilled.relu4_3")
    per_image = projected_distribution_distance(maps(restored)["relu4_3"], maps(target)["relu4_3"])
    torch.testing.assert_close(each[1], per_image.mean())


@pytest.mark.parametrize("features", ["distilled.relu3_4+relu4_3", "steerable"])
def test_gradient_is_finite_and_zero_at_the_target(features: str, generator: torch.Generator) -> None:
    target = torch.rand(1, 3, 32, 32, generator=generator)
    restored = target.clone().requires_grad_()
    value = ProjectedDistributionLoss(features)(restored, target)
    value.backward()
    assert value.item() == 0
    assert restored.grad is not None
    assert restored.grad.eq(0).all()


def test_gradient_reaches_the_restored_image_only(generator: torch.Generator) -> None:
    restored, target = (torch.rand(1, 3, 16, 16, generator=generator, requires_grad=True) for _ in range(2))
    loss = ProjectedDistributionLoss(TinyFeatures())
    loss(restored, target).backward()
    assert restored.grad is not None
    assert restored.grad.abs().sum() > 0
    assert target.grad is None
    assert not list(loss.parameters())
    assert not loss.state_dict()


def test_moves_an_image_closer(generator: torch.Generator) -> None:
    target = torch.rand(1, 3, 16, 16, generator=generator)
    restored = torch.full_like(target, 0.5).requires_grad_()
    loss = ProjectedDistributionLoss(TinyFeatures())
    optimiser = torch.optim.Adam([restored], lr=0.02)
    before = loss(restored, target).item()
    for _ in range(60):
        optimiser.zero_grad()
        loss(restored, target).backward()
        optimiser.step()
    assert loss(restored, target).item() < 0.2 * before


@pytest.mark.parametrize(
    ("restored", "target", "message"),
    [
        (torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 17), r"\(1, 3, 16, 16\) and target \(1, 3, 16, 17\)"),
        (torch.zeros(1, 16, 16, 3), torch.zeros(1, 16, 16, 3), "permute"),
        (torch.zeros(3, 16, 16), torch.zeros(3, 16, 16), r"\(B, 3, H, W\)"),
        (torch.zeros(1, 3, 16, 16).byte(), torch.zeros(1, 3, 16, 16).byte(), "divide 8-bit values by 255"),
        (torch.zeros(1, 3, 2, 16), torch.zeros(1, 3, 2, 16), "2x16 are too small"),
    ],
)
def test_refuses_what_cannot_be_compared(restored: torch.Tensor, target: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ProjectedDistributionLoss("distilled.relu4_3")(restored, target)


def test_refuses_an_order_below_one() -> None:
    with pytest.raises(SpecError, match=">= 1"):
        PDL(p=0.5)
    with pytest.raises(ValueError, match="at least 1, got 0.5"):
        ProjectedDistributionLoss(TinyFeatures(), p=0.5)


def test_half_precision_features_give_a_float32_loss(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 32, 32, generator=generator)
    loss = ProjectedDistributionLoss("distilled.relu4_3")
    exact = loss(restored, target)
    with torch.autocast("cpu", torch.bfloat16):
        rough = loss(restored, target)
    assert rough.dtype == torch.float32
    assert rough.item() == pytest.approx(exact.item(), rel=0.02)
