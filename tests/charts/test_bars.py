"""Drawings are sound SVG, with words for those who cannot see them, and everything at its place."""

import xml.etree.ElementTree as ElementTree

import pytest

from pdloss.charts.bars import Axis, Bar, axis_around, bars, dots

SVG = "{http://www.w3.org/2000/svg}"
TEN = Axis(0.0, 10.0, ((0.0, "0"), (5.0, "5"), (10.0, "10")))


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1))


def lines(svg: str, kind: str) -> list[tuple[float, float]]:
    found = [line for line in parsed(svg).iter(f"{SVG}line") if line.get("class") == kind]
    return [(float(line.get("x1").rstrip("%")), float(line.get("x2").rstrip("%"))) for line in found]


@pytest.mark.parametrize("values", [[-0.66, 0.51], [3.0], [0.0, 1000.0], [-2e-3, 5e-3], [49.0, 51.5, 50.0]])
def test_an_axis_holds_all_values_and_has_a_few_round_numbers(values: list[float]) -> None:
    axis = axis_around(values)
    assert axis.low <= min(values) <= max(values) <= axis.high
    assert 1 <= len(axis.ticks) <= 6
    for value, text in axis.ticks:
        assert float(text.replace("\N{MINUS SIGN}", "-")) == pytest.approx(value)


def test_places_run_from_edge_to_edge() -> None:
    assert [TEN.place(v) for v in (-5.0, 0.0, 5.0, 10.0, 99.0)] == [2, 2, 50, 98, 98]
    seconds = Axis(0.1, 10.0, (), logarithmic=True)
    assert seconds.place(1.0) == pytest.approx(50)
    assert seconds.place(0.0) == 2


def test_bars_show_value_and_intervals_and_say_them() -> None:
    rows = [Bar("a <b>", 5.0, "5.0", "2.5 to 7.5", 2.5, 7.5, (4.0, 6.0)), Bar("c", 0.0, "0", strong=False)]
    svg = bars("scores", 'Scores & "more"', "a 5", rows, TEN, 0.0)
    root = parsed(svg)
    assert root.get("role") == "img"
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert (title.text, desc.text) == ('Scores & "more"', "a 5")
    assert (root.get("aria-labelledby"), root.get("aria-describedby")) == (title.get("id"), desc.get("id"))
    assert lines(svg, "whisker") == [(26, 74)]
    assert lines(svg, "inner") == [(pytest.approx(40.4), pytest.approx(59.6))]
    assert lines(svg, "reference") == [(2, 2)]
    assert [dot.get("class") for dot in root.iter(f"{SVG}circle")] == ["dot", "dot hollow"]
    assert [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "label"] == ["a <b>", "c"]


def test_every_value_is_a_dot_or_a_cross_inside_the_drawing() -> None:
    values = [(0.0, True), *[(5.0, False)] * 60, (5.1, False)]
    root = parsed(dots("rule", "t", "d", values, TEN, 1.0))
    circles, crosses = [*root.iter(f"{SVG}circle")], [*root.iter(f"{SVG}svg")][1:]
    assert (len(circles), len(crosses)) == (61, 1)
    heights = [float(circle.get("cy")) for circle in circles]
    assert 0 < min(heights) < max(heights) < float(root.get("height"))
    assert len({(circle.get("cx"), circle.get("cy")) for circle in circles}) == 61
    assert lines(dots("rule", "t", "d", values, TEN, 1.0), "limit") == [(pytest.approx(11.6), pytest.approx(11.6))]
