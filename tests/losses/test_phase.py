"""The phase loss against loops in NumPy, in closed form, and on meshes."""

import numpy as np
import pytest
import torch
from torch import Tensor

from pdloss.errors import SpecError
from pdloss.losses import PhaseLoss, objective, phase_loss
from pdloss.metrics import grid
from pdloss.ops.resize import resize
from tests.losses.tiny import share_left


def spreads(channel: np.ndarray, factor: int) -> list[float]:
    """The four spreads of one channel, pixel by pixel."""
    reach = range(-factor, factor + 1)
    window = {(i, j): np.exp(-(i * i + j * j) / (2 * (factor / 2) ** 2)) for i in reach for j in reach}
    total = sum(window.values())
    height, width = ((side - 2 * factor) // factor * factor for side in channel.shape)
    sums = np.zeros((2, factor, factor))
    for y in range(height):
        for x in range(width):
            blurred = sum(w * channel[factor + y + i, factor + x + j] for (i, j), w in window.items()) / total
            high = channel[factor + y, factor + x] - blurred
            sums[:, y % factor, x % factor] += high, abs(high)
    means = [*(sums / (height * width / factor**2)), *(differences(each, factor) for each in (channel, channel.T))]
    means[-1] = means[-1].T
    return [np.abs(mean - mean.mean()).mean() for mean in means]


def differences(channel: np.ndarray, factor: int) -> np.ndarray:
    """The mean absolute difference to the pixel below, of each phase."""
    height, width = (side // factor * factor for side in (channel.shape[0] - 1, channel.shape[1]))
    sums = np.zeros((factor, factor))
    for y in range(height):
        for x in range(width):
            sums[y % factor, x % factor] += abs(channel[y + 1, x] - channel[y, x])
    return sums / (height * width / factor**2)


def photograph(generator: torch.Generator, side: int = 64) -> Tensor:
    """Something smooth with texture here and there, at no lattice."""
    coarse = torch.rand(1, 3, 9, 9, generator=generator, dtype=torch.float64)
    smooth, where = (torch.nn.functional.interpolate(x, (side, side), mode="bicubic") for x in (coarse, coarse.flip(1)))
    return 0.3 + 0.4 * smooth + 0.1 * where * torch.randn(1, 3, side, side, generator=generator, dtype=torch.float64)


def mesh(side: int, amplitude: float, factor: int = 4) -> Tensor:
    lattice = torch.zeros(1, 3, side, side, dtype=torch.float64)
    lattice[..., ::factor, :] = amplitude
    lattice[..., ::factor] = amplitude
    return lattice


@pytest.mark.parametrize(("factor", "size"), [(2, (9, 12)), (3, (13, 11)), (4, (17, 20))])
def test_is_the_formula_written_as_loops(factor: int, size: tuple[int, int], generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, *size, generator=generator, dtype=torch.float64)
    target[0] = target[0] / 10
    expected = [
        np.mean(
            [np.maximum(0, np.subtract(spreads(u, factor), spreads(v, factor))) for u, v in zip(*both, strict=True)], 0
        ).sum()
        for both in zip(restored.numpy(), target.numpy(), strict=True)
    ]
    assert phase_loss(restored, target, factor=factor).tolist() == pytest.approx(expected, rel=1e-9)
    assert min(expected) >= 0 < max(expected)


def test_a_checkerboard_costs_its_amplitude() -> None:
    y, x = torch.meshgrid(torch.arange(24.0), torch.arange(24.0), indexing="ij")
    board = 0.5 + 0.1 * (1 - 2 * ((x + y) % 2)).expand(1, 3, 24, 24)
    # The blur leaves a share g² of it. Half of the phases lie above the mean, half below; |high-pass| is even.
    window = [np.exp(-(k**2) / 8) for k in range(-4, 5)]
    left = (np.dot(window, [(-1) ** k for k in range(-4, 5)]) / np.sum(window)) ** 2
    assert left < 0.01
    assert phase_loss(board, torch.full_like(board, 0.5)).item() == pytest.approx(0.1 * (1 - left), rel=1e-5)


def test_is_zero_without_a_lattice_and_for_what_is_more_even_than_its_target(generator: torch.Generator) -> None:
    target = photograph(generator)
    ramp = torch.linspace(0, 1, 64, dtype=torch.float64).expand(1, 3, 64, 64)
    for even in (target, ramp, 0.2 + 0.5 * target, torch.full_like(target, 0.7)):
        assert phase_loss(even, target).item() == pytest.approx(0, abs=1e-12)
    assert phase_loss(ramp, torch.zeros_like(ramp)).item() == pytest.approx(0, abs=1e-12)


def test_grows_with_a_mesh_and_hardly_with_noise_of_its_energy(generator: torch.Generator) -> None:
    target = photograph(generator)
    values = [phase_loss(target + mesh(64, k / 255), target).item() for k in (0, 2, 4, 8, 16)]
    assert values == sorted(set(values))
    grid = mesh(64, 16 / 255)
    deviation = (grid - grid.mean()).square().mean().sqrt()
    noise = torch.randn(grid.shape, generator=generator, dtype=torch.float64) * deviation
    assert phase_loss(target + noise, target).item() < 0.2 * values[-1]


def test_where_on_the_lattice_the_picture_begins_changes_nothing(generator: torch.Generator) -> None:
    # The picture ends well inside an even surround: moved by whole periods, the same windows see the same.
    inside = torch.full((1, 3, 64, 64), 0.5, dtype=torch.float64)
    inside[..., 16:40, 16:40] = torch.rand(1, 3, 24, 24, generator=generator, dtype=torch.float64)
    flat = torch.full_like(inside, 0.5)
    value = phase_loss(inside, flat)
    assert value.item() > 0
    for down, right in ((4, 0), (0, 8), (8, 4)):
        torch.testing.assert_close(phase_loss(inside.roll((down, right), (-2, -1)), flat), value)


def test_sees_the_blocks_of_enlarged_pixels_whose_spectrum_has_no_line(generator: torch.Generator) -> None:
    steps = 0.5 + torch.randn(1, 3, 16, 16, generator=generator, dtype=torch.float64) / 50
    blocks, smooth = (torch.nn.functional.interpolate(steps, 64, mode=mode) for mode in ("nearest", "bicubic"))
    flat = torch.full_like(smooth, 0.5)
    assert grid(blocks, smooth).item() < 0.5
    assert phase_loss(blocks, flat).item() > 4 * phase_loss(smooth, flat).item()


def test_moving_the_texture_along_the_lattice_costs_nothing(generator: torch.Generator) -> None:
    target = photograph(generator)
    assert phase_loss(target.roll((1, 2), (-2, -1)), target).item() < 0.2 * 4 / 255


def test_the_gradient_is_the_values(generator: torch.Generator) -> None:
    restored = (photograph(generator, 20) + mesh(20, 0.2)).requires_grad_()
    target = photograph(generator, 20) / 10
    assert torch.autograd.gradcheck(lambda images: phase_loss(images, target), restored)


def test_takes_a_mesh_away_and_leaves_the_picture(generator: torch.Generator) -> None:
    target = photograph(generator)
    restored = (target + mesh(64, 16 / 255)).requires_grad_()
    loss, optimiser = PhaseLoss(), torch.optim.SGD([restored], lr=40.0)
    assert share_left(loss, restored, target, optimiser, steps=60) < 0.2
    smaller = [resize(x.detach(), 1 / 4) for x in (restored, target + mesh(64, 16 / 255))]
    torch.testing.assert_close(*smaller, atol=2 / 255, rtol=0)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SpecError, match=r"factor=1.*>= 2"):
        objective("phase(factor=1)")
    with pytest.raises(ValueError, match="factor must be at least 2, got 0"):
        PhaseLoss(factor=0)
    small = torch.zeros(1, 3, 23, 40)
    with pytest.raises(ValueError, match=r"23x40 are too small for phase\(factor=8\), which needs at least 24"):
        PhaseLoss(factor=8)(small, small)
