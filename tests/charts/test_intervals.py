"""Intervals of differences, and images as points."""

from pathlib import Path

import pytest

from pdloss.charts import svg
from pdloss.charts.palette import RunStyle
from pdloss.report.panels import intervals, scatters
from pdloss.report.scores import gap
from pdloss.report.sources import Comparison, read_comparison
from tests.report.folders import write_run
from tests.report.pages import texts

SCORES = {
    "base": {"psnr": [30.0, 31.0, 32.0] * 4, "lpips": [0.3, 0.3, 0.3] * 4},
    "sharp": {"psnr": [29.0, 30.1, 30.9] * 4, "lpips": [0.2, 0.31, 0.1] * 4},
    "equal": {"psnr": [30.2, 30.9, 31.9] * 4, "lpips": [0.3, 0.3, 0.31] * 4},
}
IMAGES = tuple(f"{i}.png" for i in range(12))
STYLES = {i: RunStyle(i) for i in range(3)}


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    return read_comparison([write_run(tmp_path / name, scores, images=IMAGES) for name, scores in SCORES.items()])


def test_every_other_run_has_a_line_and_unclear_ones_are_hollow(comparison: Comparison) -> None:
    chart = intervals(comparison, STYLES)[0]
    found = gap(comparison, "psnr", 1, 0)
    assert found.low is not None
    assert found.high is not None
    assert (
        f"sharp \N{MINUS SIGN}1.00 (\N{MINUS SIGN}{-found.low:.2f} to \N{MINUS SIGN}{-found.high:.2f})"
        in chart.description
    )
    drawn = svg.inline(chart)
    assert {"sharp", "equal"} <= set(texts(drawn))
    assert "base" not in texts(drawn)[2:]
    assert drawn.count("fill: var(--paper)") == 1  # equal's interval includes zero


def test_points_are_counted_on_the_better_side(comparison: Comparison) -> None:
    worse, better = scatters(comparison, STYLES)
    assert "sharp is better in 0 of 12" in worse.description
    assert "sharp is better in 8 of 12" in better.description
    assert "8 of 12 images better: below the line" in texts(svg.inline(better))


def test_labels_of_small_differences_do_not_run_into_each_other(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / str(i), {"lpips": [0.85, 0.85 - i * 0.0004, 0.85 - i * 0.008]}) for i in range(2)]
    drawn = svg.inline(intervals(read_comparison(runs), STYLES)[0])
    assert 3 <= sum(text.startswith(("0.0", "\N{MINUS SIGN}0.0")) for text in texts(drawn)) <= 7
