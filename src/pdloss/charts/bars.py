"""Bars and dots as SVG without a width of its own: places in per cent, so that words never shrink."""

import html
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pdloss.charts.svg import described
from pdloss.tables.numerals import number

ROW, AXIS, DOT = 46, 34, 4.5
"""Heights of a row and of the axis below, and the radius of a dot, in pixels."""

_EDGE = 2.0
"""Per cent left free on either side, so that no dot and no number of the axis is cut off."""

_COLUMN, _TOWER = 3.0, 100.0
"""Width of a stack of dots in per cent, a whole part of all but the edges; and its height in pixels, at most."""


@dataclass(frozen=True)
class Bar:
    """One row: a value and its intervals."""

    label: str
    value: float
    text: str
    """The value as words, on the right."""
    interval: str = ""
    """The interval as words, behind it."""
    low: float | None = None
    high: float | None = None
    inner: tuple[float, float] | None = None
    """A narrower interval, drawn thicker."""
    strong: bool = True
    """Whether the dot is filled."""


@dataclass(frozen=True)
class Axis:
    """A range of numbers along the width."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Returns where a value stands, in per cent of the width; values beyond the ends stand there."""
        low, high, value = (math.log(max(v, 1e-9)) if self.logarithmic else v for v in (self.low, self.high, value))
        share = min(1.0, max(0.0, (value - low) / (high - low)))
        return _EDGE + share * (100 - 2 * _EDGE)


def axis_around(values: Iterable[float], digits: int | None = None) -> Axis:
    """Returns an axis with round numbers that holds all values.

    Args:
        values: At least one.
        digits: Decimals of its numbers; by default as many as they need.

    Example:
        >>> [text for _, text in axis_around([-0.66, 0.51]).ticks]
        ['−0.5', '0.0', '0.5']
    """
    found = list(values)
    low, high = min(found), max(found)
    width = max(high - low, 1e-3)
    step = next(s for s in _steps(width) if width / s <= 5)
    shown = max(0, -math.floor(math.log10(step) + 1e-9)) if digits is None else digits
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    ticks = tuple((n * step, number(n * step, shown)) for n in range(first, last + 1))
    return Axis(low - 0.02 * width, high + 0.02 * width, ticks)


def bars(name: str, title: str, description: str, rows: Sequence[Bar], axis: Axis, reference: float | None) -> str:
    """Returns rows of a dot with its intervals, each with its label above.

    Args:
        name: Beginning of the drawing's ids on the page.
        title: Short, for those who cannot see it.
        description: What it shows, for the same.
        rows: From the top.
        axis: Of all rows.
        reference: A value to mark in all rows, such as that of chance.
    """
    height = ROW * len(rows)
    parts = _grid(axis, height)
    if reference is not None:
        parts.append(_line(axis.place(reference), axis.place(reference), 0, height, "reference"))
    for index, row in enumerate(rows):
        y = ROW * index + 31
        parts.append(f'<text x="0" y="{y - 13}" class="label">{html.escape(row.label)}</text>')
        words = f'<tspan class="number">{html.escape(row.text)}</tspan>'
        words += f'<tspan dx="9">{html.escape(row.interval)}</tspan>' if row.interval else ""
        parts.append(f'<text x="100%" y="{y - 13}" class="value">{words}</text>')
        if row.low is not None and row.high is not None:
            parts.append(_line(axis.place(row.low), axis.place(row.high), y, y, "whisker"))
        if row.inner is not None:
            parts.append(_line(axis.place(row.inner[0]), axis.place(row.inner[1]), y, y, "inner"))
        parts.append(_dot(axis.place(row.value), y, "dot" if row.strong else "dot hollow"))
    return _sized(name, title, description, height + AXIS, parts)


def dots(
    name: str, title: str, description: str, values: Sequence[tuple[float, bool]], axis: Axis, limit: float
) -> str:
    """Returns one dot for each value, stacked where they would lie upon each other, and a line at the limit.

    Args:
        name: Beginning of the drawing's ids on the page.
        title: Short, for those who cannot see it.
        description: What it shows, for the same.
        values: With whether each fails.
        axis: Of the values.
        limit: Where failing begins.
    """

    def column_of(value: float) -> int:
        return round((axis.place(value) - _EDGE) / _COLUMN)

    columns = Counter(column_of(value) for value, _ in values)
    # A hundred raters of one kind must not make a tower: dots then overlap, but crosses never.
    rise = min(2 * DOT + 1, _TOWER / max([1, *columns.values()]))
    tops, placed = dict.fromkeys(columns, 0.0), []
    for value, fails in sorted(values, key=lambda pair: pair[1]):
        column = column_of(value)
        placed.append((_EDGE + column * _COLUMN, tops[column], fails))
        tops[column] += 2 * DOT + 2 if fails else rise
    height = round(max([0.0, *(top for _, top, _ in placed)]) + 2 * DOT) + 8
    parts = [*_grid(axis, height), _line(axis.place(limit), axis.place(limit), 0, height, "limit")]
    for x, top, fails in placed:
        y = height - DOT - 3 - top
        parts.append(_cross(x, y) if fails else _dot(x, y, "dot quiet"))
    return _sized(name, title, description, height + AXIS, parts)


def _steps(width: float) -> Iterable[float]:
    power = math.floor(math.log10(width)) - 1
    return (factor * 10.0 ** (power + exponent) for exponent in range(4) for factor in (1, 2, 5))


def _grid(axis: Axis, height: float) -> list[str]:
    parts = [_line(0, 100, height, height, "rule")]
    for value, text in axis.ticks:
        x = axis.place(value)
        # Numbers at the very ends lean inwards.
        anchor = "start" if x < 4 else "end" if x > 96 else "middle"
        parts.append(_line(x, x, height, height + 4, "rule"))
        parts.append(f'<text x="{x:.2f}%" y="{height + 18}" class="tick" text-anchor="{anchor}">{text}</text>')
    return parts


def _line(x1: float, x2: float, y1: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.2f}%" x2="{x2:.2f}%" y1="{y1:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _dot(x: float, y: float, kind: str) -> str:
    return f'<circle cx="{x:.2f}%" cy="{y:.1f}" r="{DOT}" class="{kind}"/>'


def _cross(x: float, y: float) -> str:
    """Returns a cross, so that what fails is told by its shape and not by colour alone."""
    arms = "".join(f'<line x1="-4" y1="{-4 * s}" x2="4" y2="{4 * s}" class="cross"/>' for s in (1, -1))
    return f'<svg x="{x:.2f}%" y="{y:.1f}" overflow="visible">{arms}</svg>'


def _sized(name: str, title: str, description: str, height: float, parts: Iterable[str]) -> str:
    return described(name, title, description, f'height="{height:.0f}"', "".join(parts))
