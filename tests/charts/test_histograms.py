"""The drawings of figure 2: their words, their numbers, and the same bytes each time."""

import re
from pathlib import Path

import numpy as np
import pytest

from pdloss.charts.histograms import MOST_PIXELS, Histogrammed, save_channels, save_toy
from pdloss.statistics.histograms import BINS, Distances

ROWS = [Distances(i, 0.01 * (i + 1), 0.02, 0.1, 0.5 * i + 0.1, 2.0) for i in range(41)]


def words(path: Path) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))


def test_the_toy_and_its_curves_are_named(tmp_path: Path):
    toys = [np.roll(np.array([1, 2, 1] + [0] * (BINS - 3)), shift) for shift in range(41)]
    paths = [tmp_path / "a.svg", tmp_path / "a.png"]
    save_toy(ROWS, toys, paths)
    assert {"KL (nats)", "JS (nats)", "W1", "shift 0", "shift 40", "floor 0.001"} <= set(words(paths[0]))
    assert paths[1].read_bytes().startswith(b"\x89PNG")
    before = paths[0].read_bytes()
    save_toy(ROWS, toys, paths)
    assert paths[0].read_bytes() == before


def test_channels_say_their_numbers_and_a_large_photograph_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from matplotlib.axes import Axes

    shown = []
    draw = Axes.imshow
    monkeypatch.setattr(Axes, "imshow", lambda self, image, **more: shown.append(image) or draw(self, image, **more))
    sharp = np.arange(300 * 250 * 3, dtype=np.uint8).reshape(300, 250, 3)
    values = np.random.default_rng(0).random((2, 50))
    chosen = [Histogrammed(row, *values) for row in (ROWS[3], ROWS[7], ROWS[11])]
    save_channels(sharp, sharp // 2, ROWS, chosen, [tmp_path / "a.svg"])
    side = MOST_PIXELS
    assert np.array_equal(shown[0], sharp[(300 - side) // 2 :][:side, (250 - side) // 2 :][:, :side])
    said = words(tmp_path / "a.svg")
    assert {"channel 3", "channel 7", "channel 11"} <= set(said)
    assert any("KL 0.040" in text for text in said)
    assert any("W1/spread 0.800" in text for text in said)  # 1.6 over 2
    assert not any("mathdefault" in text for text in said)
