"""Training curves and gradient shares."""

import re

import numpy as np
import pytest

from pdloss.charts import svg
from pdloss.charts.curves import NAMED, Curve, curves_chart, shares_chart, smoothed
from pdloss.charts.palette import RunStyle
from tests.report.pages import texts


def curve(values: np.ndarray, name: str = "run", family: int = 0) -> Curve:
    return Curve(name, RunStyle(family), np.arange(1.0, len(values) + 1), np.asarray(values, dtype=float))


def drawn(*curves: Curve, **options: bool) -> str:
    return svg.inline(curves_chart("p", "title", curves, **options))


def test_smoothing_is_a_mean_over_neighbours() -> None:
    values = np.random.default_rng(0).random(500)
    expected = [values[max(0, i - min(5, i)) : i + min(5, i) + 1].mean() for i in range(500)]
    np.testing.assert_allclose(smoothed(values), expected)


def test_smoothing_leaves_a_line_and_a_short_curve_alone() -> None:
    line = np.linspace(3.0, 1.0, 400)
    np.testing.assert_allclose(smoothed(line)[:-5], line[:-5])
    short = np.array([3.0, 1.0, 2.0])
    np.testing.assert_array_equal(smoothed(short), short)


@pytest.mark.parametrize(("last", "logarithmic"), [(0.5, False), (0.05, True), (0.0005, True)])
def test_the_axis_is_logarithmic_when_values_span_more_than_a_decade(last: float, logarithmic: bool) -> None:
    falling = Curve("run", RunStyle(0), np.linspace(1000, 9000, 50), np.geomspace(1.0, last, 50))
    words = [text.replace("\N{MINUS SIGN}", "-") for text in texts(drawn(falling))]
    ticks = [float(word) for word in words if re.fullmatch(r"[\d.e-]+", word)]
    marks = sorted({t for t in ticks if 0 < t <= 1})
    steps = np.diff(marks)
    assert len(steps) > 1
    assert np.allclose(steps, steps[0]) != logarithmic


def test_the_axis_stays_linear_for_zeros_and_on_request() -> None:
    assert "0.25" in texts(drawn(curve(np.linspace(1.0, 0.0, 50))))
    assert "0.25" in texts(drawn(curve(np.geomspace(1.0, 1e-3, 50)), may_be_logarithmic=False))


def test_raw_values_stay_faint_behind_the_smoothed_ones() -> None:
    noisy = drawn(curve(np.random.default_rng(0).random(300)))
    assert len(re.findall(r"stroke: var\(--s0\)", noisy)) == 2
    assert len(re.findall(r"opacity: 0\.2\b", noisy)) == 1
    short = drawn(curve(np.array([1.0, 0.5, 0.7])))
    assert len(re.findall(r"stroke: var\(--s0\)", short)) == 1


def test_a_long_training_costs_no_more_than_the_panel_shows() -> None:
    sizes = [len(drawn(curve(np.random.default_rng(0).random(n)))) for n in (1_000, 100_000)]
    assert sizes[1] < 2 * sizes[0]


def test_curves_are_named_where_they_end_unless_they_are_many_or_all_the_same() -> None:
    several = [curve(np.array([1.0, 0.5 + i]), f"run {i}") for i in range(NAMED)]
    assert {f"run {i}" for i in range(NAMED)} <= set(texts(drawn(*several)))
    many = [*several, curve(np.array([1.0, 2.0]), "one more")]
    assert "run 0" not in texts(drawn(*many))
    same = texts(drawn(*(curve(np.array([1.0, 0.5]), name) for name in "ab")))
    assert "all runs" in same
    assert "a" not in same


def test_a_single_logged_step_is_a_dot_and_unsmoothed_values_have_dots() -> None:
    assert "<use" in drawn(curve(np.array([1.0])))
    assert "<use" in drawn(curve(np.array([1.0, 2.0])), smooth=False).partition("line2d")[2]


def test_the_description_tells_first_and_last_values() -> None:
    chart = curves_chart("p", "title", [curve(np.array([4.0, 0.5]), "l1")])
    assert "l1 from 4 to 0.5" in chart.description


def test_shares_are_of_the_sum_of_the_norms() -> None:
    chart = shares_chart("p", "title", np.array([10.0, 20.0]), {"l1": [1.0, 1.0], "pdl": [3.0, 3.0]}, RunStyle(2))
    assert "l1 25 %; pdl 75 %" in chart.description
    found = texts(svg.inline(chart))
    assert {"l1", "pdl", "0 %", "100 %"} <= set(found)


def test_terms_without_any_gradient_have_no_share() -> None:
    chart = shares_chart("p", "title", np.array([10.0, 20.0]), {"l1": [0.0, 0.0], "pdl": [0.0, 0.0]}, RunStyle(0))
    assert "l1 0 %; pdl 0 %" in chart.description
