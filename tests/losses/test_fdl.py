"""The frequency distribution loss against a NumPy transcription, closed forms, and at zero amplitude."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pdloss.errors import SpecError
from pdloss.features import extractor
from pdloss.losses import PDL
from pdloss.losses.fdl import FDL, FrequencyDistributionLoss, amplitude_and_phase, frequency_distribution_loss
from tests.losses.tiny import TinyFeatures, share_left
from tests.oracles.fdl import fdl


def tiny(**options: object) -> FrequencyDistributionLoss:
    return FrequencyDistributionLoss(TinyFeatures(), **({"count": 8, "patch": 3} | options))  # type: ignore[arg-type]


class TwoLayers(nn.Module):
    """Gives the image itself and its half."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"whole": images, "half": torch.nn.functional.avg_pool2d(images, 2)}


@pytest.mark.parametrize("phase_weight", [0.0, 1.0, 2.5])
def test_is_the_sum_over_filters_of_sorted_responses(phase_weight: float, generator: torch.Generator) -> None:
    # Odd sides: of the bins that must be real only the first is left, whose sign no rounding can turn.
    restored, target = torch.rand(2, 2, 3, 7, 9, generator=generator, dtype=torch.float64)
    filters = 3 * torch.randn(6, 3, 3, 3, generator=generator, dtype=torch.float64)
    ours = frequency_distribution_loss(restored, target, directions=filters, phase_weight=phase_weight)
    expected = [fdl(u, v, filters.numpy(), phase_weight) for u, v in zip(restored.numpy(), target.numpy(), strict=True)]
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-10)


def test_amplitudes_and_phases_are_those_of_the_transform(generator: torch.Generator) -> None:
    maps = torch.randn(2, 3, 6, 5, generator=generator, dtype=torch.float64)
    amplitude, phase = amplitude_and_phase(maps)
    torch.testing.assert_close(torch.polar(amplitude, phase), torch.fft.fft2(maps).resolve_conj())
    assert phase.min() > -math.pi


def test_a_cosine_has_two_bins_and_its_shift_for_a_phase() -> None:
    x = torch.arange(8.0)
    wave = torch.cos(2 * math.pi * (x - 1) / 8).expand(1, 1, 4, 8)  # moved by an eighth of its period
    amplitude, phase = amplitude_and_phase(wave)
    expected = torch.zeros(1, 1, 4, 8)
    expected[..., 0, [1, 7]] = 16.0  # half of 32 positions each
    torch.testing.assert_close(amplitude, expected, atol=1e-4, rtol=0)
    expected[..., 0, [1, 7]] = torch.tensor([-math.pi / 4, math.pi / 4])
    torch.testing.assert_close(phase, expected, atol=1e-5, rtol=0)  # everywhere else exactly no phase


def test_moving_the_features_round_changes_phases_only(generator: torch.Generator) -> None:
    maps = torch.rand(1, 4, 12, 10, generator=generator)
    moved = maps.roll((5, 3), dims=(-2, -1))
    filters = torch.randn(32, 4, 5, 5, generator=generator)
    assert frequency_distribution_loss(moved, maps, directions=filters, phase_weight=0.0).item() < 1e-4
    assert frequency_distribution_loss(moved, maps, directions=filters, phase_weight=1.0).item() > 0.01


def test_amplitudes_scale_with_the_features_and_phases_do_not(generator: torch.Generator) -> None:
    u, v = torch.rand(2, 1, 4, 12, 10, generator=generator)
    filters = torch.randn(8, 4, 5, 5, generator=generator)
    amplitudes = frequency_distribution_loss(u, v, directions=filters, phase_weight=0.0)
    phases = frequency_distribution_loss(u, v, directions=filters) - amplitudes
    # What the docstring advises for features 57 times larger: phase_weight 57, and the whole 57 times smaller.
    larger = frequency_distribution_loss(57 * u, 57 * v, directions=filters, phase_weight=57.0)
    torch.testing.assert_close(larger / 57, amplitudes + phases)


def test_phases_that_rounding_would_decide_are_decided(generator: torch.Generator) -> None:
    maps = torch.rand(1, 1, 8, 9, generator=generator)
    mirrored = maps + maps.flip(2, 3).roll((1, 1), (2, 3))  # even about position 0
    _, phase = amplitude_and_phase(mirrored)  # a real spectrum: every phase is 0 or pi, whatever the rounding
    assert (phase.eq(0) | phase.eq(torch.tensor(math.pi))).all()
    assert phase.ne(0).any()
    torch.testing.assert_close(amplitude_and_phase(mirrored * 3)[1], phase, rtol=0, atol=0)


@pytest.mark.parametrize("value", [0.0, 0.7, -1234.5, 1e-30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_constant_maps_have_a_finite_value_and_gradient(value: float, dtype: torch.dtype) -> None:
    maps = torch.full((1, 2, 7, 9), value, dtype=dtype, requires_grad=True)
    other = torch.full((1, 2, 7, 9), 2.0, dtype=dtype)
    filters = torch.randn(4, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    distance = frequency_distribution_loss(maps, other, directions=filters)
    distance.sum().backward()
    assert distance.dtype == torch.float32
    assert distance.isfinite().all()
    assert distance.item() > 0
    assert maps.grad is not None
    assert maps.grad.isfinite().all()


def test_the_phase_of_nothing_has_no_gradient() -> None:
    maps = torch.zeros(1, 1, 6, 6, requires_grad=True)
    amplitude_and_phase(maps)[1].sum().backward()
    assert maps.grad is not None
    assert maps.grad.eq(0).all()


def test_constant_maps_of_one_sign_differ_in_amplitude_only() -> None:
    u, v = torch.full((1, 1, 7, 7), 0.3), torch.full((1, 1, 7, 7), 1.7)
    filters = torch.randn(16, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    both, amplitudes = (
        frequency_distribution_loss(u, v, directions=filters, phase_weight=weight) for weight in (1.0, 0.0)
    )
    assert both.item() == amplitudes.item() > 0


def test_the_gradient_is_the_slope(generator: torch.Generator) -> None:
    u, v = torch.rand(2, 1, 2, 3, 4, generator=generator, dtype=torch.float64)
    filters = torch.randn(3, 2, 2, 2, generator=generator, dtype=torch.float64)

    def value(maps: Tensor) -> Tensor:
        return frequency_distribution_loss(maps, v, directions=filters)

    assert torch.autograd.gradcheck(value, (u.requires_grad_(),), eps=1e-7, atol=1e-6)


def test_layers_are_summed_and_the_batch_is_averaged(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, 48, 48, generator=generator)
    names = ("relu3_3", "relu4_3")
    loss = FDL(features="distilled.relu3_3+relu4_3", count=4).build()
    each = [FDL(features=f"distilled.{name}", count=4).build()(restored, target) for name in names]
    torch.testing.assert_close(loss(restored, target), each[0] + each[1])
    single = [loss(one[None], other[None]) for one, other in zip(restored, target, strict=True)]
    torch.testing.assert_close(loss(restored, target), torch.stack(single).mean())
    weighted = FDL(features="distilled.relu3_3+relu4_3", count=4, layer_weights=(0.5, 2.0)).build()
    torch.testing.assert_close(weighted(restored, target), 0.5 * each[0] + 2 * each[1])
    maps = [extractor("distilled.relu4_3")(images)["relu4_3"] for images in (restored, target)]
    by_hand = frequency_distribution_loss(*maps, directions=loss.draw(maps[0].shape[1]))
    torch.testing.assert_close(each[1], by_hand.mean())


def test_equal_images_cost_nothing_with_no_gradient(generator: torch.Generator) -> None:
    target = torch.rand(1, 3, 16, 16, generator=generator)
    restored = target.clone().requires_grad_()
    value = tiny()(restored, target)
    value.backward()
    assert value.item() == 0
    assert restored.grad is not None
    assert restored.grad.eq(0).all()


def test_black_images_have_a_finite_gradient() -> None:
    restored = torch.zeros(1, 3, 16, 16, requires_grad=True)
    value = tiny()(restored, torch.ones(1, 3, 16, 16))
    value.backward()
    assert value.item() > 0
    assert restored.grad is not None
    assert restored.grad.isfinite().all()


def test_moves_an_image_closer(generator: torch.Generator) -> None:
    target = torch.rand(1, 3, 16, 16, generator=generator)
    restored = torch.rand(1, 3, 16, 16, generator=generator).requires_grad_()
    loss = tiny(patch=5)
    assert share_left(loss, restored, target, torch.optim.Adam([restored], lr=0.04), steps=30) < 0.5


def test_filters_depend_on_the_seed_and_the_channels_alone(generator: torch.Generator) -> None:
    one, same, other = tiny(seed=1), tiny(seed=1), tiny(seed=2)
    torch.rand(3)  # torch's own stream does not matter
    one.draw(4)  # nor does what was drawn before
    assert torch.equal(one.draw(5), same.draw(5))
    assert not torch.equal(one.draw(5), other.draw(5))
    assert one.draw(5).shape == (8, 5, 3, 3)
    restored, target = torch.rand(2, 1, 3, 16, 16, generator=generator)
    assert one(restored, target) == same(restored, target) != other(restored, target)
    assert not one.state_dict()
    assert not list(one.parameters())


def test_more_filters_agree_better(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 24, 24, generator=generator)
    few, many = (
        np.std([tiny(count=count, seed=seed)(restored, target).item() for seed in range(8)]) for count in (2, 64)
    )
    assert many < few / 2  # by chance a fifth or so: the root of 32


def test_computes_in_float32_under_autocast(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 40, 40, generator=generator)
    loss = FrequencyDistributionLoss("distilled.relu4_3", count=16, phase_weight=0.0)
    exact = loss(restored, target)
    with torch.autocast("cpu", torch.bfloat16):
        rough = loss(restored, target)
    assert rough.dtype == torch.float32
    assert rough.item() == pytest.approx(exact.item(), rel=0.05)


def test_small_images_are_refused_with_both_sizes_and_the_cure() -> None:
    small = torch.rand(1, 3, 39, 64)
    message = r"relu4_3 are 4x8, too small for patches of 5x5; give it images of at least 40 pixels a side, or patch=4"
    with pytest.raises(ValueError, match=message):
        FrequencyDistributionLoss("distilled.relu3_3+relu4_3", count=2)(small, small)
    enough = torch.rand(1, 3, 40, 64)
    assert FrequencyDistributionLoss("distilled.relu4_3", count=2)(enough, enough).item() == 0
    assert FrequencyDistributionLoss("distilled.relu4_3", count=2, patch=4)(small, small).item() == 0
    with pytest.raises(
        ValueError, match="half are 4x4, too small for patches of 5x5; give it larger images, or patch=4"
    ):
        FrequencyDistributionLoss(TwoLayers(), count=2)(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8))


def test_maps_of_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"same shape, .* got \(1, 2, 4, 4\) and \(1, 2, 4, 5\)"):
        frequency_distribution_loss(torch.rand(1, 2, 4, 4), torch.rand(1, 2, 4, 5), directions=torch.rand(1, 2, 3, 3))


def test_refuses_options_that_make_no_sense() -> None:
    for options, message in (
        ({"count": 0}, "got 0 and 3"),
        ({"patch": 0}, "got 8 and 0"),
        ({"phase_weight": -1.0}, "negative, got -1"),
    ):
        with pytest.raises(ValueError, match=message):
            tiny(**options)
    with pytest.raises(SpecError, match=">= 0"):
        FDL(phase_weight=-1.0)
    with pytest.raises(SpecError, match=">= 1"):
        FDL(count=0)


def test_the_choice_is_the_published_one_by_default() -> None:
    assert FDL().in_full() == (
        "fdl(features='vgg19.relu1_2+relu2_2+relu3_4+relu4_4+relu5_4', layer_weights=None, "
        "count=256, patch=5, phase_weight=1, seed=0)"
    )


def test_the_choice_passes_every_option_on() -> None:
    loss = FDL(features="distilled.relu4_3", count=3, patch=2, phase_weight=0.5, seed=4, layer_weights=(2.0,)).build()
    assert (loss.count, loss.patch, loss.phase_weight, loss.seed, loss.layer_weights) == (3, 2, 0.5, 4, (2.0,))


def test_adds_up_with_losses_on_the_same_backbone(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 48, 48, generator=generator)
    both = (FDL(features="distilled.relu4_3", count=4) + 0.5 * PDL(features="distilled.relu3_3")).build()
    terms = both(restored, target)
    alone = FDL(features="distilled.relu4_3", count=4).build()(restored, target)
    torch.testing.assert_close(terms.values["fdl"], alone)
    torch.testing.assert_close(terms.total, alone + 0.5 * terms.values["pdl"])


def test_the_published_layers_of_vgg19_need_eighty_pixels(
    assets_folder: Path, monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    loss = FDL(count=4).build()
    restored, target = torch.rand(2, 1, 3, 79, 80, generator=generator)
    with pytest.raises(ValueError, match="relu5_4 are 4x5, too small .* at least 80 pixels a side, or patch=4"):
        loss(restored, target)
    restored, target = torch.rand(2, 1, 3, 80, 80, generator=generator)
    restored.requires_grad_()
    loss(restored, target).backward()
    assert restored.grad is not None
    assert restored.grad.isfinite().all()
    assert restored.grad.abs().sum() > 0
