"""Patterns: equal energy, and their places in the spectrum."""

import pytest
import torch

from pdloss.ops.color import luma
from pdloss.ops.patterns import PATTERNS, any_pattern, checkerboard, coloured, grating, shuffle, white_noise


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_carries_unit_energy_about_zero(pattern, generator):
    picture = pattern.draw(64, generator)
    assert picture.shape == (3, 64, 64)
    assert picture.square().mean().item() == pytest.approx(1, abs=1e-5)
    assert picture.mean((1, 2)).abs().max().item() < 1e-5


def test_every_pattern_has_a_name_of_its_own():
    assert len({pattern.name for pattern in PATTERNS}) == len(PATTERNS) == 35


@pytest.mark.parametrize(("angle", "row", "column"), [(0, 0, 8), (90, 8, 0)])
def test_a_grating_along_an_axis_is_one_line_of_the_spectrum(angle, row, column, generator):
    power = torch.fft.fft2(grating(64, generator, 1 / 8, angle)[0]).abs().square()
    assert (power[row, column] + power[-row, -column]).item() == pytest.approx(power.sum().item(), rel=1e-4)


def test_a_slanted_grating_repeats_along_its_stripes(generator):
    picture = grating(64, generator, 3 / 16, 45)[1]
    torch.testing.assert_close(picture[1:, :-1], picture[:-1, 1:], atol=1e-4, rtol=0)  # down and left


@pytest.mark.parametrize("cell", [1, 2, 4])
def test_neighbouring_squares_of_a_checkerboard_are_opposite(cell, generator):
    board = checkerboard(32, generator, cell)[0]
    torch.testing.assert_close(board[cell:], -board[:-cell])
    torch.testing.assert_close(board[:, cell:], -board[:, :-cell])


@pytest.mark.parametrize("factor", [2, 4])
def test_a_shuffle_pattern_repeats_every_factor_pixels_and_no_sooner(factor, generator):
    picture = shuffle(32, generator, factor)[0]
    torch.testing.assert_close(picture[factor:], picture[:-factor])
    assert (picture[1:] - picture[:-1]).abs().max() > 0.1


def test_chroma_leaves_the_luma_as_it_is(generator):
    grey = torch.full((1, 3, 32, 32), 0.5)
    moved = grey + 0.1 * coloured(32, generator, white_noise)
    torch.testing.assert_close(luma(moved), luma(grey), atol=1e-6, rtol=0)
    assert (moved - grey).abs().max() > 0.05


def test_any_pattern_is_drawn_from_all_kinds_alike() -> None:
    stream = torch.Generator().manual_seed(0)
    drawn = [any_pattern(32, stream) for _ in range(300)]
    for pattern in drawn:
        assert pattern.shape == (3, 32, 32)
        assert pattern.square().mean().item() == pytest.approx(1, rel=1e-4)
        assert pattern.mean((1, 2)).abs().max() < 1e-5
    in_colour = sum(bool((pattern[0] - pattern[1]).abs().max() > 1e-4) for pattern in drawn)
    of_two_values = sum(len(pattern.round(decimals=4).unique()) == 2 for pattern in drawn)
    assert abs(in_colour / 300 - 2 / 5) < 5 * (0.24 / 300) ** 0.5  # white noise, and what is in colour
    assert abs(of_two_values / 300 - 1 / 5) < 5 * (0.16 / 300) ** 0.5  # checkerboards
