"""The contextual loss against loops over all pairs, the whole table at once, closed forms, and its memory."""

import inspect
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from pdloss.errors import SpecError
from pdloss.features import extractor
from pdloss.losses.contextual import Contextual, ContextualLoss, contextual_loss
from pdloss.ops.matching import Distance
from pdloss.specs import Family
from tests.losses.tiny import TinyFeatures, share_left
from tests.oracles import contextual as oracle

DISTANCES: list[Distance] = ["dot", "l2"]


def gradient(loss: Tensor, by: Tensor) -> Tensor:
    """Of a sum in which every image counts differently."""
    (result,) = torch.autograd.grad((loss * torch.arange(1, len(loss) + 1)).sum(), by)
    return result


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("bandwidth", [0.5, 0.1])
@pytest.mark.parametrize("epsilon", [1e-5, 0.1])
def test_is_the_formula_looped_over_all_pairs(
    distance: Distance, bandwidth: float, epsilon: float, generator: torch.Generator
) -> None:
    restored = torch.randn(2, 3, 4, 5, generator=generator, dtype=torch.float64)
    target = torch.randn(2, 3, 3, 6, generator=generator, dtype=torch.float64) + 2
    pairs = zip(restored.numpy(), target.numpy(), strict=True)
    expected = [oracle.contextual_loss(x, y, distance, bandwidth, epsilon) for x, y in pairs]
    value = contextual_loss(restored, target, distance=distance, bandwidth=bandwidth, epsilon=epsilon)
    np.testing.assert_allclose(value.numpy(), expected, rtol=1e-10)


def test_the_mean_may_be_that_of_the_batch(generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 2, 3, 4, 4, generator=generator, dtype=torch.float64) + torch.tensor(
        [0.0, 3.0], dtype=torch.float64
    ).view(2, 1, 1, 1)
    mean = target.mean((0, 2, 3)).numpy()
    pairs = list(zip(restored.numpy(), target.numpy(), strict=True))
    of_batch = contextual_loss(restored, target, center="batch")
    np.testing.assert_allclose(of_batch, [oracle.contextual_loss(x, y, "dot", 0.5, mean=mean) for x, y in pairs])
    of_image = contextual_loss(restored, target)
    np.testing.assert_allclose(of_image, [oracle.contextual_loss(x, y, "dot", 0.5) for x, y in pairs])
    assert (of_batch - of_image).abs().min() > 0.001


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("block", [1, 2000, 1 << 20])
def test_value_and_gradient_are_those_of_the_whole_table(
    distance: Distance, dtype: torch.dtype, block: int, generator: torch.Generator
) -> None:
    target = torch.randn(2, 16, 9, 11, generator=generator, dtype=torch.float64).relu().to(dtype)
    restored = (target + 0.5 * torch.randn(target.shape, generator=generator, dtype=dtype)).requires_grad_()
    value = contextual_loss(restored, target, distance=distance, block=block)
    expected = oracle.contextual_loss_at_once(restored, target, distance)
    torch.testing.assert_close(value, expected, rtol=1e-5, atol=0)
    slope, expected_slope = gradient(value, restored), gradient(expected, restored)
    torch.testing.assert_close(slope, expected_slope, rtol=1e-5, atol=1e-5 * expected_slope.abs().max().item())


@pytest.mark.parametrize("distance", DISTANCES)
def test_gradient_agrees_with_finite_differences(distance: Distance, generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 2, 3, 3, 2, generator=generator, dtype=torch.float64)
    assert gradcheck(lambda x: contextual_loss(x, target, distance=distance, block=12), restored.requires_grad_())


def test_ignores_where_the_features_lie(generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 1, 3, 4, 5, generator=generator, dtype=torch.float64)
    order = torch.randperm(20, generator=generator)
    shuffled = restored.flatten(2)[:, :, order].view(1, 3, 10, 2)
    torch.testing.assert_close(contextual_loss(shuffled, target), contextual_loss(restored, target))


def test_dot_ignores_the_scale_of_both_and_every_images_own_mean(generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 2, 3, 4, 5, generator=generator, dtype=torch.float64)
    shift = torch.randn(2, 3, 1, 1, generator=generator, dtype=torch.float64)
    expected = contextual_loss(restored, target)
    torch.testing.assert_close(contextual_loss(7 * restored + shift, 7 * target + shift), expected)


@pytest.mark.parametrize("distance", DISTANCES)
def test_one_position_repeated_all_over_costs_the_logarithm_of_the_number(
    distance: Distance, generator: torch.Generator
) -> None:
    target = torch.randn(1, 3, 4, 5, generator=generator, dtype=torch.float64)
    restored = torch.randn(1, 3, 1, 1, generator=generator, dtype=torch.float64).expand(1, 3, 6, 2)
    # All rows of CX are the same and sum to one.
    assert contextual_loss(restored, target, distance=distance).item() == pytest.approx(math.log(20))


@pytest.mark.parametrize("distance", DISTANCES)
def test_is_zero_at_positions_well_apart_and_nowhere_lower(distance: Distance, generator: torch.Generator) -> None:
    target = torch.randn(1, 16, 5, 5, generator=generator)
    noise = torch.randn(1, 16, 5, 5, generator=generator)
    assert contextual_loss(target, target, distance=distance).item() == pytest.approx(0, abs=1e-6)
    values = [contextual_loss(target + amount * noise, target, distance=distance).item() for amount in (1, 2, 4)]
    assert 0.01 < values[0] < values[1] < values[2] < math.log(25)


@pytest.mark.parametrize("distance", DISTANCES)
def test_repetitions_in_the_target_leave_the_logarithm_of_their_number(
    distance: Distance, generator: torch.Generator
) -> None:
    once = torch.randn(1, 8, 4, 4, generator=generator, dtype=torch.float64)
    twice = torch.cat([once, once], dim=2)
    assert contextual_loss(twice, twice, distance=distance).item() == pytest.approx(math.log(2), abs=1e-6)
    # 16 positions that are alone, and 16 of which there are 2.
    some = torch.cat([twice, 5 + torch.randn(1, 8, 4, 4, generator=generator, dtype=torch.float64)], dim=2)
    assert contextual_loss(some, some, distance=distance).item() == pytest.approx(
        -math.log((32 / 2 + 16) / 48), abs=1e-6
    )


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("value", [0.0, 0.7, 1000.3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_constant_maps_stay_finite(
    distance: Distance, value: float, dtype: torch.dtype, generator: torch.Generator
) -> None:
    constant = torch.full((1, 3, 4, 6), value, dtype=dtype)
    varied = torch.rand(1, 3, 4, 6, generator=generator).to(dtype)
    for restored, target in [(constant, constant), (constant, varied), (varied, constant)]:
        x = restored.clone().requires_grad_()
        loss = contextual_loss(x, target, distance=distance)
        loss.sum().backward()
        assert 0 <= loss.item() <= math.log(24) * (1 + 1e-6)
        assert x.grad is not None
        assert x.grad.isfinite().all()
    assert contextual_loss(varied, constant, distance=distance).item() == pytest.approx(math.log(24), rel=1e-3)


@pytest.mark.parametrize("distance", DISTANCES)
def test_gradient_is_finite_and_small_at_the_target(distance: Distance, generator: torch.Generator) -> None:
    target = torch.randn(2, 8, 5, 5, generator=generator)
    restored = target.clone().requires_grad_()
    at_target = gradient(contextual_loss(restored, target, distance=distance), restored)
    noisy = (target + torch.randn(target.shape, generator=generator)).requires_grad_()
    elsewhere = gradient(contextual_loss(noisy, target, distance=distance), noisy)
    assert at_target.isfinite().all()
    assert at_target.norm() < 1e-3 * elsewhere.norm()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("distance", DISTANCES)
def test_half_precision_is_computed_in_float32(
    dtype: torch.dtype, distance: Distance, generator: torch.Generator
) -> None:
    target = (300 * torch.randn(1, 8, 5, 5, generator=generator)).to(dtype)
    restored = (target + 100 * torch.randn(1, 8, 5, 5, generator=generator)).to(dtype).requires_grad_()
    value = contextual_loss(restored, target, distance=distance)
    assert value.dtype == torch.float32
    full = restored.detach().float().requires_grad_()
    expected = contextual_loss(full, target.float(), distance=distance)
    assert value.equal(expected)
    assert gradient(value, restored).equal(gradient(expected, full).to(dtype))


def test_autocast_changes_nothing(generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 2, 8, 5, 5, generator=generator)
    restored.requires_grad_()
    expected = contextual_loss(restored, target)
    slope = gradient(expected, restored)
    with torch.autocast("cpu", torch.bfloat16):
        value = contextual_loss(restored, target)
        assert value.equal(expected)
        assert gradient(value, restored).equal(slope)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("of_target", [False, True])
def test_nan_is_not_hidden(distance: Distance, of_target: bool, generator: torch.Generator) -> None:
    maps = torch.randn(2, 2, 3, 4, 4, generator=generator)
    maps[int(of_target), 1, 0, 2, 1] = math.nan
    assert contextual_loss(maps[0], maps[1], distance=distance, block=32).isnan().tolist() == [False, True]


def test_gradient_reaches_the_restored_features_only(generator: torch.Generator) -> None:
    restored, target = (torch.randn(1, 3, 4, 4, generator=generator, requires_grad=True) for _ in range(2))
    contextual_loss(restored, target).sum().backward()
    assert restored.grad is not None
    assert restored.grad.any()
    assert target.grad is None


def test_has_no_second_derivative(generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 1, 3, 4, 4, generator=generator)
    restored.requires_grad_()
    (slope,) = torch.autograd.grad(contextual_loss(restored, target).sum(), restored, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux' own measure of memory")
def test_the_table_of_all_pairs_never_exists() -> None:
    # 4096 positions: a table takes 64 MiB. The high-water mark only rises, so the smaller peak comes first.
    script = """
import re, torch
from pathlib import Path
from pdloss.losses.contextual import contextual_loss
from tests.oracles.contextual import contextual_loss_at_once

def peak():  # not getrusage's, which a child inherits from its parent
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

torch.manual_seed(0)
restored, target = torch.randn(2, 1, 4, 64, 64)
restored.requires_grad_()
contextual_loss(restored[..., :4], target[..., :4]).sum().backward()  # loads what is loaded once
before = peak()
for loss in (contextual_loss, contextual_loss_at_once):
    value = loss(restored, target)
    value.sum().backward()
    print(peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 0, done.stderr
    by_blocks, at_once = map(float, done.stdout.split())
    assert by_blocks < 100
    assert at_once > 300


def test_module_and_choice_sum_over_layers_and_average_over_the_batch(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, 32, 32, generator=generator)
    choice = Contextual(
        features="distilled.relu3_3+relu4_3", layer_weights=(1, 0.5), distance="l2", bandwidth=0.1, center="batch"
    )
    layers = extractor(choice.features)
    expected = [
        weight
        * contextual_loss(
            layers(restored)[layer], layers(target)[layer], distance="l2", bandwidth=0.1, center="batch"
        ).mean()
        for layer, weight in (("relu3_3", 1), ("relu4_3", 0.5))
    ]
    torch.testing.assert_close(choice.build()(restored, target), sum(expected))


@pytest.mark.parametrize("option", [{"distance": "l2"}, {"bandwidth": 0.1}, {"center": "batch"}])
def test_every_option_reaches_the_function(option: dict[str, object], generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, 16, 16, generator=generator)
    maps = [TinyFeatures()(images) for images in (restored, target)]
    value = ContextualLoss(TinyFeatures(), **option)(restored, target)
    torch.testing.assert_close(value, contextual_loss(*maps, **option).mean())
    assert abs(value - ContextualLoss(TinyFeatures())(restored, target)) > 1e-3


def test_a_choice_prints_as_the_text_that_makes_it() -> None:
    assert str(Contextual()) == "contextual"
    text = "contextual(features='vgg19.relu3_4', distance='l2', bandwidth=0.1, center='batch', max_positions=4096)"
    choice = Contextual("vgg19.relu3_4", distance="l2", bandwidth=0.1, center="batch", max_positions=4096)
    assert str(choice) == text


def test_moves_an_image_closer(generator: torch.Generator) -> None:
    target = torch.rand(1, 3, 16, 16, generator=generator)
    restored = torch.rand(1, 3, 16, 16, generator=generator).requires_grad_()
    loss = ContextualLoss(TinyFeatures())
    assert share_left(loss, restored, target, torch.optim.Adam([restored], lr=0.05), steps=25) < 0.5


def test_maps_with_too_many_positions_are_refused_with_the_way_out(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 16, 24, generator=generator)
    assert Contextual(max_positions=96).max_positions == 96
    assert ContextualLoss(TinyFeatures(), max_positions=96)(restored, target) > 0
    message = "8x12 have 96 positions, more than max_positions=95; use a deeper layer, smaller crops, or a larger"
    with pytest.raises(SpecError, match=message):
        ContextualLoss(TinyFeatures(), max_positions=95)(restored, target)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"distance": "cosine"}, "distance must be one of dot, l2, got 'cosine'"),
        ({"center": "none"}, "center must be one of image, batch, got 'none'"),
        ({"bandwidth": 0}, "bandwidth must be positive, got 0"),
        ({"bandwidth": -1}, "bandwidth must be positive, got -1"),
    ],
)
def test_refuses_options_that_make_no_sense(options: dict[str, object], words: str) -> None:
    make = inspect.unwrap(ContextualLoss.__init__)  # by jaxtyping, which under pytest would speak first
    with pytest.raises(ValueError, match=words):
        make(ContextualLoss.__new__(ContextualLoss), TinyFeatures(), **options)
    text = ", ".join(f"{name}={value!r}" for name, value in options.items())
    with pytest.raises(SpecError, match=re.escape(text)):
        Family("loss", (Contextual,)).parse(f"contextual({text})")


@pytest.mark.parametrize("name", ["bandwidth", "epsilon"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_the_function_refuses_to_divide_by_nothing(name: str, value: float) -> None:
    maps = torch.zeros(1, 2, 3, 3)
    with pytest.raises(ValueError, match=f"{name} must be positive, got {value:g}"):
        contextual_loss(maps, maps, **{name: value})


def test_refuses_a_limit_below_one() -> None:
    with pytest.raises(ValueError, match="max_positions must be at least 1, or None for no limit, got 0"):
        ContextualLoss(TinyFeatures(), max_positions=0)
    with pytest.raises(SpecError, match="max_positions=0"):
        Contextual(max_positions=0)


def test_on_a_photograph_is_near_zero_at_equality_and_rises_with_noise(
    assets_folder: Path, images_folder: Path, generator: torch.Generator
) -> None:
    from pdloss.images import read_image

    photograph = read_image(images_folder / "valid" / "kodak24" / "kodim23.png")[None, :, 200:296, 300:396]
    loss = Contextual(features="vgg19.relu3_4").build()
    noise = torch.randn(photograph.shape, generator=generator)
    values = [loss((photograph + sigma * noise).clamp(0, 1), photograph).item() for sigma in (0, 0.05, 0.2)]
    assert 0 <= values[0] < 0.1 * values[1] < 0.1 * values[2] < 0.1 * math.log(24**2)
