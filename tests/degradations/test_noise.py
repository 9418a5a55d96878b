"""Gaussian noise: its moments, clipped and not, and where its randomness comes from."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pdloss.degradations import DEGRADATIONS, GaussianNoise, PoissonGaussianNoise, Range, degradation
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


@pytest.mark.parametrize("sigma", [0.01, 100 / 255, 1.0])
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


def test_a_range_gives_each_image_a_strength_of_its_own() -> None:
    noise = GaussianNoise(sigma=Range(0.05, 0.5), clip=False)
    deviations = [noise(flat(0.5), stream(seed)).std().item() for seed in range(12)]
    drawn = [noise.drawn(stream(seed)).sigma for seed in range(12)]
    assert deviations == pytest.approx(drawn, rel=5 / math.sqrt(2 * COUNT))
    assert max(drawn) - min(drawn) > 0.2


def test_the_noise_is_that_of_the_stream_after_drawing() -> None:
    clean, moving = flat(0.5), stream(2)
    strength = torch.rand((), generator=moving, dtype=torch.float64).item()
    expected = clean + strength * torch.randn(clean.shape, generator=moving, dtype=torch.float64)
    assert torch.equal(GaussianNoise(sigma=Range(0.0, 1.0), clip=False)(clean, stream(2)), expected)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_mosaics_with_one_or_four_channels_are_noisy_too(channels: int) -> None:
    for kind in (GaussianNoise(), PoissonGaussianNoise()):
        assert kind(torch.full((channels, 5, 6), 0.5), stream()).shape == (channels, 5, 6)


@pytest.mark.parametrize("value", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize(("shot", "read"), [(0.01, 0.02), (0.2, 0.0), (1e-6, 0.003), (0.0, 0.05)])
def test_the_variance_of_shot_and_read_noise_is_a_line_in_the_light(value: float, shot: float, read: float) -> None:
    noise = PoissonGaussianNoise(shot=shot, read=read, clip=False)(flat(value), stream()) - value
    variance = shot * value + read**2
    assert abs(noise.mean()) <= 5 * math.sqrt(variance / COUNT)
    # A Poisson variable's fourth central moment is rate + 3 rate^2, that of the sum 3 variance^2 and shot^3 value.
    fourth = 3 * variance**2 + shot**3 * value
    assert abs(noise.square().mean() - variance) <= 5 * math.sqrt((fourth - variance**2) / COUNT)


def test_shot_noise_alone_counts_whole_photons() -> None:
    photons = PoissonGaussianNoise(shot=0.125, read=0.0, clip=False)(flat(0.3), stream()) * 8
    assert torch.allclose(photons, photons.round(), atol=1e-9)
    none = (photons.round() == 0).double().mean()
    expected = math.exp(-2.4)
    assert abs(none - expected) < 5 * math.sqrt(expected * (1 - expected) / COUNT)


def test_shot_and_read_noise_are_clipped_unless_told_otherwise() -> None:
    clean = torch.rand(3, 30, 30, generator=stream(5))
    whole = PoissonGaussianNoise(shot=0.3, read=0.3, clip=False)(clean, stream())
    assert whole.min() < 0 and whole.max() > 1
    assert torch.equal(PoissonGaussianNoise(shot=0.3, read=0.3)(clean, stream()), whole.clamp(0, 1))


def test_negative_values_have_no_photons_and_stay() -> None:
    clean = torch.tensor([-0.25, 0.0]).view(1, 1, 2)
    assert torch.equal(PoissonGaussianNoise(shot=0.1, read=0.0, clip=False)(clean, stream()), clean)


def test_shot_noise_keeps_the_number_format_and_leaves_the_image_alone() -> None:
    for dtype in (torch.float32, torch.float64):
        clean = torch.rand(3, 4, 5, dtype=dtype)
        before = clean.clone()
        assert PoissonGaussianNoise()(clean, stream()).dtype == dtype
        assert torch.equal(clean, before)


def test_shot_noise_in_text() -> None:
    assert degradation("poisson_gaussian") == PoissonGaussianNoise(shot=0.01, read=0.02)
    drawn = degradation("poisson_gaussian(shot=log(0.0001..0.01), read=0..0.05)").drawn(stream())
    assert 0.0001 <= drawn.shot <= 0.01 and 0 <= drawn.read <= 0.05
    for text in ("poisson_gaussian(shot=-0.1)", "poisson_gaussian(shot=0..2)", "poisson_gaussian(read=11)"):
        with pytest.raises(SpecError, match="expected `float`"):
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
