"""Both forms of the contextual bilateral loss against loops over all pairs, closed forms and the whole table."""

import inspect
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from pdloss.errors import SpecError
from pdloss.features import extractor
from pdloss.losses.cobi import FEATURES, CoBi, CoBiCode, CoBiCodeLoss, CoBiLoss, cobi_code_loss, cobi_loss
from pdloss.losses.contextual import contextual_loss
from pdloss.ops import matching
from pdloss.specs import Family
from tests.losses.tiny import TinyFeatures, share_left
from tests.oracles import contextual as oracle

BOTH = [cobi_loss, cobi_code_loss]


def differently_sized(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Neither map is square, and they are not of one size."""
    restored = torch.randn(2, 3, 3, 5, generator=generator, dtype=torch.float64)
    return restored, torch.randn(2, 3, 4, 2, generator=generator, dtype=torch.float64) + 1


@pytest.mark.parametrize("spatial_weight", [0.0, 0.1, 3.0])
def test_the_papers_form_is_the_formula_looped_over_all_pairs(
    spatial_weight: float, generator: torch.Generator
) -> None:
    restored, target = differently_sized(generator)
    pairs = zip(restored.numpy(), target.numpy(), strict=True)
    expected = [oracle.cobi_loss(x, y, spatial_weight) for x, y in pairs]
    np.testing.assert_allclose(cobi_loss(restored, target, spatial_weight=spatial_weight).numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("spatial_weight", [0.0, 0.1, 0.7])
@pytest.mark.parametrize(("bandwidth", "scale"), [(0.5, 255.0), (0.5, 1.0), (0.1, 0.05)])
def test_the_codes_form_is_the_formula_looped_over_all_pairs(
    spatial_weight: float, bandwidth: float, scale: float, generator: torch.Generator
) -> None:
    restored, target = differently_sized(generator)
    pairs = zip(restored.numpy(), target.numpy(), strict=True)
    expected = [oracle.cobi_code_loss(x, y, spatial_weight, bandwidth, scale) for x, y in pairs]
    value = cobi_code_loss(restored, target, spatial_weight=spatial_weight, bandwidth=bandwidth, position_scale=scale)
    np.testing.assert_allclose(value.numpy(), expected, rtol=1e-10)


def test_without_positions_the_codes_form_is_the_contextual_loss(generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 2, 3, 4, 5, generator=generator, dtype=torch.float64)
    for center in ("image", "batch"):
        torch.testing.assert_close(
            cobi_code_loss(restored, target, spatial_weight=0.0, center=center, epsilon=1e-5),
            contextual_loss(restored, target, center=center),
        )


def test_at_scale_255_only_the_very_same_position_counts(generator: torch.Generator) -> None:
    maps = torch.randn(1, 3, 6, 9, generator=generator, dtype=torch.float64)
    # With positions alone, each is found in its own place with 1; shifted features change nothing.
    for restored in (maps, maps.roll(1, -1)):
        assert cobi_code_loss(restored, maps, spatial_weight=1.0).item() == pytest.approx(0, abs=1e-12)
    table = matching.gaps(*[255 * matching.grid(torch.zeros(1, 1, 1000, 1), torch.float32)] * 2).square()
    assert matching.similarities(table, 0.5, 1e-3).equal(torch.eye(1000))
    # With both, features found elsewhere get 0.9 at most; at scale 1 near ones get more than far ones.
    near, far = (cobi_code_loss(maps.roll(shift, -1), maps).item() for shift in (1, 4))
    assert near == far == pytest.approx(-math.log(0.9), rel=0.05)
    near, far = (cobi_code_loss(maps.roll(shift, -1), maps, position_scale=0.2).item() for shift in (1, 4))
    assert near < far - 0.001


@pytest.mark.parametrize(("shift", "cost"), [((0, 0), 0), ((0, 1), 1 / 8), ((1, 0), 1 / 4), ((1, 1), 0.2795085)])
def test_a_shift_costs_the_papers_form_its_length(
    shift: tuple[int, int], cost: float, generator: torch.Generator
) -> None:
    scene = torch.randn(1, 64, 5, 9, generator=generator)
    target = scene[..., :4, :8]
    restored = scene[..., shift[0] : shift[0] + 4, shift[1] : shift[1] + 8]
    # What is still in sight is found (r/4, c/8) away; what has come in anew is no concern of those positions.
    inside = cobi_loss(restored[..., : 4 - shift[0], : 8 - shift[1]], target, spatial_weight=0.0).item()
    assert inside == pytest.approx(0, abs=1e-6)
    kept = torch.zeros(4, 8, dtype=torch.bool)
    kept[: 4 - shift[0], : 8 - shift[1]] = True
    value = cobi_loss(restored, target, spatial_weight=0.2).item() * 32
    newcomers = cobi_loss(torch.where(kept, target, restored), target, spatial_weight=0.2).item() * 32
    assert value - newcomers == pytest.approx(0.2 * cost * kept.sum().item(), abs=1e-4)


def test_a_large_spatial_weight_leaves_only_the_same_place(generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 1, 8, 4, 6, generator=generator, dtype=torch.float64)
    mean = target.mean((2, 3), keepdim=True)
    cosine = torch.cosine_similarity(restored - mean, target - mean, dim=1)
    expected = ((1 - cosine) / 2).mean()
    torch.testing.assert_close(cobi_loss(restored, target, spatial_weight=100.0)[0], expected)
    anywhere = cobi_loss(restored, target, spatial_weight=0.0)[0]
    assert anywhere < expected - 0.05


@pytest.mark.parametrize("loss", BOTH)
def test_is_zero_at_positions_well_apart_and_rises_with_noise(loss, generator: torch.Generator) -> None:
    target = torch.randn(1, 16, 5, 6, generator=generator)
    noise = torch.randn(1, 16, 5, 6, generator=generator)
    values = [loss(target + amount * noise, target).item() for amount in (0, 0.7, 1.5, 4)]
    assert values[0] == pytest.approx(0, abs=1e-6)
    assert 0.02 < values[1] < values[2] < values[3]


@pytest.mark.parametrize("loss", BOTH)
@pytest.mark.parametrize("block", [1, 70, 1 << 20])
def test_gradient_agrees_with_finite_differences(loss, block: int, generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 2, 3, 2, 3, generator=generator, dtype=torch.float64)
    assert gradcheck(lambda x: loss(x, target, block=block), restored.requires_grad_())


@pytest.mark.parametrize("loss", BOTH)
def test_blocks_change_neither_value_nor_gradient(loss, generator: torch.Generator) -> None:
    target = torch.randn(2, 8, 9, 7, generator=generator).relu()
    restored = (target + 0.5 * torch.randn(2, 8, 9, 7, generator=generator)).requires_grad_()
    whole = loss(restored, target)
    (expected,) = torch.autograd.grad(whole.sum(), restored)
    for block in (1, 1000):
        value = loss(restored, target, block=block)
        torch.testing.assert_close(value, whole, rtol=1e-5, atol=0)
        (slope,) = torch.autograd.grad(value.sum(), restored)
        torch.testing.assert_close(slope, expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())


@pytest.mark.parametrize("loss", BOTH)
@pytest.mark.parametrize("value", [0.0, 1000.3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_constant_maps_stay_finite(loss, value: float, dtype: torch.dtype, generator: torch.Generator) -> None:
    constant = torch.full((1, 3, 4, 6), value, dtype=dtype)
    varied = torch.rand(1, 3, 4, 6, generator=generator).to(dtype)
    for restored, target in [(constant, constant), (constant, varied), (varied, constant)]:
        x = restored.clone().requires_grad_()
        result = loss(x, target)
        result.sum().backward()
        assert result.dtype == torch.float32
        assert result.isfinite().all()
        assert x.grad is not None
        assert x.grad.isfinite().all()
    assert cobi_loss(varied, constant).item() == 0.5  # nothing to compare with, in the same place


@pytest.mark.parametrize("loss", BOTH)
def test_autocast_changes_nothing(loss, generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 1, 3, 12, 12, generator=generator)  # with many matches that are nearly as good
    restored.requires_grad_()
    value = loss(restored, target)
    slope = torch.autograd.grad(value.sum(), restored)[0]
    with torch.autocast("cpu", torch.bfloat16):
        assert loss(restored, target).equal(value)
        assert torch.autograd.grad(loss(restored, target).sum(), restored)[0].equal(slope)


@pytest.mark.parametrize("loss", BOTH)
@pytest.mark.parametrize("of_target", [False, True])
def test_nan_is_not_hidden(loss, of_target: bool, generator: torch.Generator) -> None:
    maps = torch.randn(2, 2, 3, 4, 4, generator=generator)
    maps[int(of_target), 1, 0, 2, 1] = math.nan
    assert loss(maps[0], maps[1], block=32).isnan().tolist() == [False, True]


@pytest.mark.parametrize("loss", BOTH)
def test_gradient_reaches_the_restored_features_only(loss, generator: torch.Generator) -> None:
    restored, target = (torch.randn(1, 3, 4, 4, generator=generator, requires_grad=True) for _ in range(2))
    loss(restored, target).sum().backward()
    assert restored.grad is not None
    assert restored.grad.any()
    assert target.grad is None


@pytest.mark.parametrize(
    ("module", "option"),
    [
        (CoBiLoss, {"spatial_weight": 0.5}),
        (CoBiCodeLoss, {"spatial_weight": 0.5}),
        (CoBiCodeLoss, {"bandwidth": 2.0}),
        (CoBiCodeLoss, {"center": "batch"}),
        (CoBiCodeLoss, {"position_scale": 0.2}),
    ],
)
def test_every_option_reaches_the_function(module, option: dict[str, object], generator: torch.Generator) -> None:
    function = cobi_loss if module is CoBiLoss else cobi_code_loss
    restored, target = torch.rand(2, 2, 3, 16, 16, generator=generator)
    maps = [TinyFeatures()(images) for images in (restored, target)]
    value = module(TinyFeatures(), **option)(restored, target)
    torch.testing.assert_close(value, function(*maps, **option).mean())
    assert abs(value - module(TinyFeatures())(restored, target)) > 1e-4


@pytest.mark.parametrize(("choice", "function"), [(CoBi, cobi_loss), (CoBiCode, cobi_code_loss)])
def test_choices_build_sums_over_layers(choice, function, generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, 32, 32, generator=generator)
    layers = extractor("distilled.relu3_3+relu4_3")
    values = [function(layers(restored)[name], layers(target)[name]).mean() for name in ("relu3_3", "relu4_3")]
    mean = choice("distilled.relu3_3+relu4_3").build()(restored, target)
    torch.testing.assert_close(mean, (values[0] + values[1]) / 2)
    weighted = choice("distilled.relu3_3+relu4_3", layer_weights=(1, 0.5)).build()(restored, target)
    torch.testing.assert_close(weighted, values[0] + values[1] / 2)


@pytest.mark.parametrize(("module", "function"), [(CoBiLoss, cobi_loss), (CoBiCodeLoss, cobi_code_loss)])
def test_the_published_layers_come_with_their_weights(module, function, generator: torch.Generator) -> None:
    class Layers(torch.nn.Module):
        def forward(self, images: Tensor) -> dict[str, Tensor]:
            return {"relu1_2": images, "relu2_2": images[..., 1:], "relu3_2": images[..., 2:]}

    restored, target = torch.rand(2, 1, 3, 8, 8, generator=generator)
    each = [function(restored[..., cut:], target[..., cut:]).mean() for cut in (0, 1, 2)]
    assert FEATURES == "vgg19.relu1_2+relu2_2+relu3_2"
    torch.testing.assert_close(module(extractor=Layers())(restored, target), each[0] + each[1] + 0.5 * each[2])
    own = module(extractor=Layers(), layer_weights=(0, 0, 2))
    torch.testing.assert_close(own(restored, target), 2 * each[2])


def test_choices_print_as_the_text_that_makes_them() -> None:
    assert (str(CoBi()), str(CoBiCode())) == ("cobi", "cobi_code")
    assert str(CoBi(spatial_weight=0.5, max_positions=64)) == "cobi(spatial_weight=0.5, max_positions=64)"
    full = CoBiCode(spatial_weight=0.5, bandwidth=0.1, center="batch", position_scale=1, max_positions=64)
    assert str(full) == (
        "cobi_code(spatial_weight=0.5, bandwidth=0.1, center='batch', position_scale=1, max_positions=64)"
    )


@pytest.mark.parametrize("module", [CoBiLoss, CoBiCodeLoss])
def test_moves_an_image_closer(module, generator: torch.Generator) -> None:
    target = torch.rand(1, 3, 12, 12, generator=generator)
    restored = torch.rand(1, 3, 12, 12, generator=generator).requires_grad_()
    loss = module(TinyFeatures())
    assert share_left(loss, restored, target, torch.optim.Adam([restored], lr=0.05), steps=20) < 0.6


@pytest.mark.parametrize("module", [CoBiLoss, CoBiCodeLoss])
def test_maps_with_too_many_positions_are_refused(module, generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 16, 24, generator=generator)
    assert module(TinyFeatures(), max_positions=96)(restored, target) > 0
    with pytest.raises(SpecError, match="8x12 have 96 positions, more than max_positions=95; use a deeper layer"):
        module(TinyFeatures(), max_positions=95)(restored, target)


@pytest.mark.parametrize(
    ("module", "options", "words"),
    [
        (CoBiLoss, {"spatial_weight": -0.1}, "at least 0 and at most inf, got -0.1"),
        (CoBiCodeLoss, {"spatial_weight": 1.5}, "at least 0 and at most 1, got 1.5"),
        (CoBiCodeLoss, {"bandwidth": 0.0}, "bandwidth must be positive, got 0"),
        (CoBiCodeLoss, {"position_scale": 0.0}, "position_scale must be positive, got 0"),
        (CoBiCodeLoss, {"center": "none"}, "center must be one of image, batch, got 'none'"),
    ],
)
def test_refuses_options_that_make_no_sense(module, options: dict[str, object], words: str) -> None:
    make = inspect.unwrap(module.__init__)  # by jaxtyping, which under pytest would speak first
    with pytest.raises(ValueError, match=words):
        make(module.__new__(module), TinyFeatures(), **options)
    text = ", ".join(f"{name}={value!r}" for name, value in options.items())
    with pytest.raises(SpecError, match=re.escape(text)):
        Family("loss", (CoBi, CoBiCode)).parse(f"{'cobi' if module is CoBiLoss else 'cobi_code'}({text})")
    if "center" not in options:
        maps = torch.zeros(1, 2, 3, 3)
        with pytest.raises(ValueError, match=words):
            (cobi_loss if module is CoBiLoss else cobi_code_loss)(maps, maps, **options)


@pytest.mark.parametrize("choice", [CoBi, CoBiCode])
def test_on_a_photograph_is_near_zero_at_equality_and_rises_with_noise(
    choice, assets_folder: Path, images_folder: Path, generator: torch.Generator
) -> None:
    from pdloss.images import read_image

    photograph = read_image(images_folder / "valid" / "kodak24" / "kodim23.png")[None, :, 200:248, 300:348]
    noise = torch.randn(photograph.shape, generator=generator)
    loss = choice().build()
    values = [loss((photograph + sigma * noise).clamp(0, 1), photograph).item() for sigma in (0, 0.05, 0.2)]
    assert 0 <= values[0] < 0.1 * values[1] < 0.1 * values[2]
