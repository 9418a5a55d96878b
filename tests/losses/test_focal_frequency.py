"""The focal frequency loss against a Fourier sum written out, and in closed form."""

import numpy as np
import pytest
import torch

from pdloss.errors import SpecError
from pdloss.losses.focal_frequency import FocalFrequency, FocalFrequencyLoss, focal_frequency_loss
from pdloss.specs import Family


def spectrum(channel):
    """The orthonormal Fourier transform of one channel, a double sum for every frequency."""
    height, width = channel.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    out = np.empty((height, width), dtype=complex)
    for u in range(height):
        for v in range(width):
            wave = np.exp(-2j * np.pi * (u * rows / height + v * columns / width))
            out[u, v] = (channel * wave).sum() / np.sqrt(height * width)
    return out


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("size", [(8, 8), (5, 6)])
def test_is_the_published_formula_on_a_fourier_sum(alpha, size, generator):
    restored, target = torch.rand(2, 2, 3, *size, generator=generator, dtype=torch.float64)
    expected = []
    for one, other in zip(restored.numpy(), target.numpy(), strict=True):
        values = []
        for a, b in zip(one, other, strict=True):
            distance = np.abs(spectrum(a) - spectrum(b))
            weight = np.clip(distance**alpha / (distance**alpha).max(), 0, 1)
            values.append((weight * distance**2).mean())
        expected.append(np.mean(values))
    assert focal_frequency_loss(restored, target, alpha=alpha).tolist() == pytest.approx(expected, rel=1e-10)
    module = FocalFrequency(alpha=alpha).build()
    assert module(restored, target).item() == pytest.approx(np.mean(expected))


def test_one_wave_costs_its_mean_square_at_any_alpha():
    # A cosine along the columns lies in two frequencies, both as far off: their weight is one.
    wave = torch.cos(2 * torch.pi * torch.arange(8.0) / 8).expand(1, 3, 8, 8)
    for alpha in (0.0, 1.0, 3.0):
        assert focal_frequency_loss(wave / 2, 0 * wave, alpha=alpha).item() == pytest.approx(1 / 8)


def test_smaller_waves_count_less_the_larger_alpha():
    at = 2 * torch.pi * torch.arange(8.0) / 8
    # Amplitudes 1 and 1/2: mean squares 1/2 and 1/8, weights 1 and (1/2)^alpha.
    waves = (torch.cos(at) + torch.cos(3 * at) / 2).expand(1, 3, 8, 8)
    for alpha in (0.0, 1.0, 2.0):
        expected = 1 / 2 + 1 / 8 * 0.5**alpha
        assert focal_frequency_loss(waves, 0 * waves, alpha=alpha).item() == pytest.approx(expected)


def test_every_channel_of_every_image_has_a_maximum_of_its_own(generator):
    restored, target = torch.rand(2, 2, 3, 8, 8, generator=generator)
    values = focal_frequency_loss(restored, target)
    restored[1], target[1] = 100 * restored[1], 100 * target[1]
    torch.testing.assert_close(
        focal_frequency_loss(restored, target), values * torch.tensor([1.0, 1e4]), rtol=1e-4, atol=0
    )


def test_the_weight_is_a_constant_of_the_gradient(generator):
    restored, target = torch.rand(2, 1, 3, 6, 5, generator=generator, dtype=torch.float64)
    spectra = np.fft.fft2((restored - target).numpy(), norm="ortho")
    weights = np.abs(spectra) / np.abs(spectra).max(axis=(2, 3), keepdims=True)
    # The slope of a mean of w |D|² with w held: twice w D, back among the pixels. With w moving it is another.
    expected = 2 / 90 * np.fft.ifft2(weights * spectra, norm="ortho").real
    focal_frequency_loss(restored.requires_grad_(), target).sum().backward()
    np.testing.assert_allclose(restored.grad.numpy(), expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("constant", [None, 0.0, 1.0])
def test_value_and_gradient_are_zero_at_the_target(constant, alpha, generator):
    shape = (1, 3, 8, 9)
    target = torch.rand(shape, generator=generator) if constant is None else torch.full(shape, constant)
    restored = target.clone().requires_grad_()
    value = FocalFrequencyLoss(alpha=alpha)(restored, target)
    value.backward()
    assert value.item() == 0
    assert restored.grad.eq(0).all()


def test_one_equal_channel_adds_nothing(generator):
    restored, target = torch.rand(2, 1, 3, 8, 8, generator=generator)
    restored[:, 1] = target[:, 1]
    value = focal_frequency_loss(restored, target).item()
    others = [focal_frequency_loss(*(x[:, [c] * 3] for x in (restored, target))).item() for c in (0, 2)]
    assert value == pytest.approx(sum(others) / 3)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_computes_in_float32_under_autocast(precision, generator):
    restored, target = torch.rand(2, 1, 3, 12, 10, generator=generator).to(precision)
    restored.requires_grad_()
    with torch.autocast("cpu", precision):
        value = FocalFrequencyLoss()(restored, target)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, FocalFrequencyLoss()(restored.float(), target.float()))
    value.backward()
    assert restored.grad.isfinite().all()


def test_gradients_reach_the_restored_image_only(generator):
    restored, target = (x.requires_grad_() for x in torch.rand(2, 1, 3, 8, 8, generator=generator))
    FocalFrequencyLoss()(restored, target).backward()
    assert restored.grad.abs().max() > 0
    assert target.grad is None


def test_options_and_shapes_out_of_range_are_refused():
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        FocalFrequencyLoss(alpha=-1.0)
    with pytest.raises(SpecError, match=">= 0"):
        FocalFrequency(alpha=-0.5)
    with pytest.raises(ValueError, match=r"\(1, 3, 4, 4\) and target \(1, 3, 4, 5\)"):
        FocalFrequencyLoss()(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 5))


@pytest.mark.parametrize("text", ["focal_frequency", "focal_frequency(alpha=0.5)"])
def test_the_text_of_a_choice_makes_it_again(text):
    choices = Family("loss", (FocalFrequency,))
    assert str(choices.parse(text)) == text
    assert choices.parse(choices.parse(text).in_full()) == choices.parse(text)
