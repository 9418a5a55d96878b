"""The drawings: what they show, and that many of them can share a page."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from pdloss.records import Metric
from pdloss.report.figures import Curve, Point, curves_svg, dwarfs, scatter_svg, smoothed, undominated
from pdloss.report.svg import COLOURS
from tests.report.folders import LPIPS, PSNR

UP = Metric(label="up", better="higher", protocol="")
DOWN = Metric(label="down", better="lower", protocol="")


def curve(values: np.ndarray, run: int = 0) -> Curve:
    return Curve(run, np.arange(1.0, len(values) + 1), np.asarray(values, dtype=float))


def texts(svg: str) -> list[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            if data.strip():
                found.append(data.strip())

    Reader().feed(svg)
    return found


def test_smoothing_is_a_mean_over_neighbours() -> None:
    values = np.random.default_rng(0).random(500)
    expected = [values[max(0, i - min(5, i)) : i + min(5, i) + 1].mean() for i in range(500)]
    np.testing.assert_allclose(smoothed(values), expected)


def test_smoothing_leaves_a_line_and_a_short_curve_alone() -> None:
    line = np.linspace(3.0, 1.0, 400)
    np.testing.assert_allclose(smoothed(line)[:-5], line[:-5])
    short = np.array([3.0, 1.0, 2.0])
    np.testing.assert_array_equal(smoothed(short), short)


def test_the_joined_points_are_those_no_other_beats() -> None:
    stream = np.random.default_rng(1)
    points = [Point(str(i), i, *stream.random(2)) for i in range(30)]
    expected = {p.label for p in points if not any(q.x > p.x and q.y < p.y for q in points)}
    joined = undominated(points, UP, DOWN)
    assert {p.label for p in joined} == expected
    assert [p.x for p in joined] == sorted(p.x for p in joined)


def test_an_input_far_away_dwarfs_the_runs_and_a_near_one_does_not() -> None:
    runs = [Point("a", 0, 30.0, 0.2), Point("b", 1, 32.0, 0.3)]
    assert not dwarfs(Point("input", None, 28.0, 0.4), runs)
    assert dwarfs(Point("input", None, 10.0, 0.4), runs)
    assert dwarfs(Point("input", None, 30.0, 1.3), runs)


def test_ids_of_two_figures_differ_and_every_reference_is_kept() -> None:
    svgs = [curves_svg([curve(np.random.default_rng(0).random(200))], prefix, "x") for prefix in ("one", "two")]
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in svgs]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, own in zip(svgs, ids, strict=True):
        references = set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg))
        assert references
        assert references <= own


def test_colours_are_the_pages_own_and_nothing_is_fetched() -> None:
    svg = scatter_svg([Point("a", 0, 30.0, 0.2), Point("b", COLOURS + 1, 32.0, 0.3)], PSNR, LPIPS, "p")
    assert {"--ink", "--muted", "--rule", "--s0", "--s1"} <= set(re.findall(r"var\((--\w+)\)", svg))
    assert not re.search(r"#0000[0-9a-f]{2}|http|<style|<metadata", svg)


def test_names_are_text_and_escaped() -> None:
    svg = scatter_svg([Point("<b>$x$</b>", 0, 30.0, 0.2), Point("模型", 1, 32.0, 0.3)], PSNR, LPIPS, "p")
    assert "<b>" not in svg
    assert {"<b>$x$</b>", "模型", "PSNR (dB)  → better", "LPIPS  ← better"} <= set(texts(svg))


def test_names_of_close_points_do_not_cover_each_other() -> None:
    points = [Point("first run", 0, 30.0, 0.2), Point("second run", 1, 30.0, 0.2001), Point("far", 2, 40.0, 0.9)]
    svg = scatter_svg(points, PSNR, LPIPS, "p")
    places = re.findall(r'x="([\d.]+)" y="([\d.]+)"[^>]*>(first run|second run)<', svg)
    assert len(places) == 2
    (x1, y1), (x2, y2) = ((float(x), float(y)) for x, y, _ in places)
    assert abs(y1 - y2) > 8 or abs(x1 - x2) > 40


@pytest.mark.parametrize(("last", "logarithmic"), [(0.5, False), (0.05, True), (0.0005, True)])
def test_the_axis_is_logarithmic_when_values_span_more_than_a_decade(last: float, logarithmic: bool) -> None:
    ticks = [float(t.replace("\N{MINUS SIGN}", "-")) for t in texts(_falling(1.0, last)) if "k" not in t]
    marks = sorted({t for t in ticks if 0 < t <= 1})
    steps = np.diff(marks)
    assert len(steps) > 1
    assert np.allclose(steps, steps[0]) != logarithmic


def test_the_axis_stays_linear_for_zeros_and_on_request() -> None:
    zero = texts(curves_svg([curve(np.linspace(1.0, 0.0, 50))], "p", "x"))
    asked = texts(curves_svg([curve(np.geomspace(1.0, 1e-3, 50))], "p", "x", may_be_logarithmic=False))
    assert "0.25" in zero
    assert "0.25" in asked


def test_raw_values_stay_faint_behind_the_smoothed_ones() -> None:
    noisy = curves_svg([curve(np.random.default_rng(0).random(300))], "p", "x")
    assert len(re.findall(r"stroke: var\(--s0\)", noisy)) == 2
    assert len(re.findall(r"opacity: 0\.22", noisy)) == 1
    short = curves_svg([curve(np.array([1.0, 0.5, 0.7]))], "p", "x")
    assert len(re.findall(r"stroke: var\(--s0\)", short)) == 1


def test_a_long_training_costs_no_more_than_the_panel_shows() -> None:
    sizes = [len(curves_svg([curve(np.random.default_rng(0).random(n))], "p", "x")) for n in (1_000, 100_000)]
    assert sizes[1] < 2 * sizes[0]


def test_runs_beyond_the_colours_are_dashed() -> None:
    both = curves_svg([curve(np.array([1.0, 0.5])), curve(np.array([1.0, 0.6]), COLOURS)], "p", "x")
    assert both.count("stroke-dasharray") == 1


def test_a_single_logged_step_is_a_dot() -> None:
    assert "<use" in curves_svg([curve(np.array([1.0]))], "p", "x")


def _falling(first: float, last: float) -> str:
    return curves_svg([Curve(0, np.linspace(1000, 9000, 50), np.geomspace(first, last, 50))], "p", "x")
