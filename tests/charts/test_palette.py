"""Colours that readers can tell apart, whatever their eyes and their theme."""

import itertools

import numpy as np
import pytest

from pdloss.charts.palette import DARK, LIGHT, SERIES_COLOURS, STAND_INS, RunStyle

# How colours look without one of the three cones: Machado, Oliveira and Fernandes (2009), severity 1.
EYES = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """Björn Ottosson's colour space, in which distances are about as large as they look."""
    cones = np.array([[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]])
    turn = np.array([[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]])
    return turn @ np.cbrt(cones @ rgb.clip(0, 1))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_words_and_lines_stand_out_from_the_paper(theme: dict[str, str]) -> None:
    assert contrast(theme["ink"], theme["paper"]) > 12
    for name in ("muted", "accent"):
        assert contrast(theme[name], theme["paper"]) > 4.5
        assert contrast(theme[name], theme["raised"]) > 4.5
    assert contrast(theme["ink"], theme["warm"]) > 7
    for i in range(SERIES_COLOURS):
        assert contrast(theme[f"s{i}"], theme["paper"]) > 2.95


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("eyes", EYES)
def test_series_are_told_apart_by_colour_blind_readers_too(theme: dict[str, str], eyes: str) -> None:
    seen = [oklab(EYES[eyes] @ linear(theme[f"s{i}"])) for i in range(SERIES_COLOURS)]
    nearest = min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))
    assert nearest > 0.08  # a plain palette of the same hues at one lightness reaches 0.02


def test_both_themes_and_the_stand_ins_have_the_same_names() -> None:
    assert LIGHT.keys() == DARK.keys() == STAND_INS.named.keys()
    assert len(set(STAND_INS.named.values())) == len(LIGHT)


def test_the_first_sixteen_losses_and_the_weights_of_one_look_different() -> None:
    assert len({(style.series, style.mark) for style in map(RunStyle, range(16))}) == 16
    assert len({RunStyle(3, member).dash for member in range(6)}) == 6
    assert RunStyle(0, 0).dash == (0, ())
