"""Gaussian noise: its moments, clipped and not, and where its randomness comes from."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pdloss.degradations import DEGRADATIONS, GaussianNoise, degradation
from pdloss.errors import SpecError
from pdloss.images import list_images, read_image

SIDE = 150
COUNT = 3 * SIDE**2


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def flat(value: float) -> Tensor:
    return torch.full((3, SIDE, SIDE), value, dtype=torch.float64)


def density(z: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def probability(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


def clipped_moments(mean: float, sigma: float) -> tuple[float, float]:
    """Mean and variance of a Gaussian clipped to [0, 1]: its part inside, and the masses put on 0 and on 1."""
    low, high = -mean / sigma, (1 - mean) / sigma
    inside, above = probability(high) - probability(low), 1 - probability(high)
    edge = density(low) - density(high)
    first = mean * inside + sigma * edge + above
    second = (
        (mean**2 + sigma**2) * inside
        + 2 * mean * sigma * edge
        + sigma**2 * (low * density(low) - high * density(high))
        + above
    )
    return first, second - first**2


@pytest.mark.parametrize("sigma", [0.01, 100 / 255, 3.0])
def test_unclipped_noise_has_the_mean_and_variance_asked_for(sigma: float) -> None:
    noise = GaussianNoise(sigma=sigma, clip=False)(flat(0.3), stream()) - 0.3
    assert abs(noise.mean()) < 5 * sigma / math.sqrt(COUNT)
    assert abs(noise.square().mean() - sigma**2) < 5 * sigma**2 * math.sqrt(2 / COUNT)
    # A Gaussian's fourth moment is 3, and the variance of its estimate (105 - 9) / n: neither uniform nor heavy tails.
    assert abs((noise / sigma).pow(4).mean() - 3) < 5 * math.sqrt(96 / COUNT)


@pytest.mark.parametrize("value", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("sigma", [0.1, 100 / 255])
def test_clipped_noise_has_the_moments_of_a_clipped_gaussian(value: float, sigma: float) -> None:
    noisy = GaussianNoise(sigma=sigma)(flat(value), stream())
    mean, variance = clipped_moments(value, sigma)
    assert 0 <= noisy.min() <= noisy.max() <= 1
    assert abs(noisy.mean() - mean) < 5 * math.sqrt(variance / COUNT)
    # A variable on [0, 1] has a fourth central moment of at most its variance.
    assert abs(noisy.var() - variance) < 5 * math.sqrt(variance / COUNT)


def test_values_are_independent_of_their_neighbours_and_of_the_other_channels() -> None:
    noise = GaussianNoise(sigma=1.0, clip=False)(flat(0.0), stream())
    for pair in (
        noise[0] * noise[1],
        noise[1] * noise[2],
        noise[:, 1:] * noise[:, :-1],
        noise[..., 1:] * noise[..., :-1],
    ):
        assert abs(pair.mean()) < 5 / math.sqrt(pair.numel())


def test_clipping_is_all_that_the_two_modes_differ_in() -> None:
    clean = torch.rand(3, 20, 30, generator=stream(5))
    whole = GaussianNoise(sigma=0.5, clip=False)(clean, stream())
    assert whole.min() < 0
    assert whole.max() > 1
    assert torch.equal(GaussianNoise(sigma=0.5)(clean, stream()), whole.clamp(0, 1))


def test_is_a_function_of_the_image_and_the_generator_alone() -> None:
    clean = torch.rand(3, 8, 9, generator=stream(5))
    before, state, noise = clean.clone(), torch.random.get_rng_state(), GaussianNoise()
    first = noise(clean, stream(1))
    assert torch.equal(noise(clean, stream(1)), first)
    assert not torch.equal(noise(clean, stream(2)), first)
    assert torch.equal(clean, before)
    assert torch.equal(torch.random.get_rng_state(), state)
    moving = stream(1)
    assert torch.equal(noise(clean, moving), first)
    assert not torch.equal(noise(clean, moving), first)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_keeps_the_number_format_and_the_shape(dtype: torch.dtype) -> None:
    noisy = GaussianNoise()(torch.rand(3, 1, 4, dtype=dtype), stream())
    assert (noisy.dtype, noisy.shape) == (dtype, (3, 1, 4))


def test_the_default_is_100_of_255_levels_clipped() -> None:
    assert DEGRADATIONS.parse("noise") == GaussianNoise(sigma=100 / 255, clip=True)
    assert DEGRADATIONS.parse("noise(sigma=100/255)") == GaussianNoise()
    assert degradation("noise(clip=False)") == GaussianNoise(clip=False)


@pytest.mark.parametrize("text", ["noise(sigma=-0.1)", "noise(sigma=100)", "noise(sigma='strong')", "noise(clip=1)"])
def test_options_out_of_range_are_named(text: str) -> None:
    with pytest.raises(SpecError, match=text.replace("(", r"\(").replace(")", r"\)")):
        degradation(text)


def test_the_default_gives_the_input_score_measured_on_kodak(images_folder: Path) -> None:
    # 10.29 dB: mean over the 24 images, of the PSNR over all RGB values, at 100/255 clipped.
    scores = []
    for index, path in enumerate(list_images(images_folder / "valid" / "kodak24")):
        clean = read_image(path)
        error = (GaussianNoise()(clean, stream(index)) - clean).square().mean()
        scores.append(-10 * math.log10(error.item()))
    assert len(scores) == 24
    assert sum(scores) / 24 == pytest.approx(10.29, abs=0.05)
