"""The page of an analysis: one HTML file that needs nothing beside it, in light and dark, on any width."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from pdloss import __version__
from pdloss.charts.bars import Axis, Bar, axis_around, bars, dots
from pdloss.charts.palette import THEMES
from pdloss.study.analysis import tables, words
from pdloss.study.analysis.agreement import Agreement
from pdloss.study.analysis.exclusions import RaterCheck
from pdloss.study.analysis.preferences import Preference
from pdloss.study.analysis.result import Analysis, MethodScore
from pdloss.study.records import Rules
from pdloss.tables.numerals import number
from pdloss.templates import template


@dataclass(frozen=True)
class Cell:
    """One share of the preference table."""

    share: str
    error: str
    side: str
    """Whether the row is ``for``, ``against`` or ``even``: its colour."""
    strength: int
    """Per cent of that colour."""
    sure: bool


@dataclass(frozen=True)
class Panel:
    """A drawing with its title and how to read it."""

    title: str
    rule: str
    svg: str


@dataclass(frozen=True)
class _Drawings:
    """All drawings of the page; none where there is nothing to draw."""

    scores: str | None
    raters: list[Panel]
    metrics: list[Panel]


def page(analysis: Analysis, command: str) -> str:
    """Returns the page.

    Args:
        analysis: What it shows.
        command: By which it was made.

    Raises:
        MissingExtraError: If jinja2 is not installed.
    """
    left_out = [check for check in analysis.raters if check.failed]
    drawings = _Drawings(_score_drawing(analysis), _rater_panels(analysis), _metric_panels(analysis.agreement))
    html: str = template("pdloss.study", "analysis.html.j2", "study").render(
        analysis=analysis,
        headline=words.headline(analysis),
        counting=words.counting(analysis),
        findings=words.findings(analysis),
        protocol=words.protocol(analysis),
        matrix=matrix(analysis),
        ties=any(one.ties for one in analysis.preferences),
        scores=tables.score_table(analysis) if analysis.scales else None,
        pairs=tables.pair_table(analysis),
        raters=tables.rater_table(analysis.raters),
        agreement=tables.agreement_table(analysis.agreement),
        left_out=left_out,
        kept=len(analysis.raters) - len(left_out),
        drawings=drawings,
        themes=THEMES,
        made=datetime.now().astimezone(),
        command=command,
        versions={"pdloss": __version__, "numpy": version("numpy"), "Python": platform.python_version()},
    )
    return html


def matrix(analysis: Analysis) -> list[list[Cell | None]]:
    """Returns the preference table, the row's share over the column; none where nothing was asked."""
    known = {(one.first, one.second): one for one in analysis.preferences}
    return [
        [
            _cell(one, True)
            if (one := known.get((row, column)))
            else _cell(other, False)
            if (other := known.get((column, row)))
            else None
            for column in analysis.methods
        ]
        for row in analysis.methods
    ]


def _cell(one: Preference, first: bool) -> Cell:
    share = one.share if first else 1 - one.share
    side = "even" if abs(share - 0.5) < 0.005 else "for" if share > 0.5 else "against"
    # 0.8 and beyond have the full tint, light enough to read black, or in the dark white, upon.
    strength = round(min(1.0, abs(share - 0.5) / 0.3) * 62)
    return Cell(f"{share:.2f}", f"{one.error_clustered:.3f}", side, strength, one.verdict != "unclear")


def _score_drawing(analysis: Analysis) -> str | None:
    if not analysis.scales:
        return None
    scale = analysis.scales[0]
    rows = sorted(scale.scores, key=lambda one: -one.score)
    axis = axis_around([bound for one in rows for bound in (one.low, one.high)])
    drawn = [_score_bar(one) for one in rows]
    return bars("scores", f"{scale.model} scores with 95 % intervals", _said(drawn), drawn, axis, 0.0)


def _score_bar(one: MethodScore) -> Bar:
    inner = (one.score - 1.96 * one.error, one.score + 1.96 * one.error)
    between = tables.range_text(one.low, one.high)
    return Bar(one.method, one.score, number(one.score, 2), between, one.low, one.high, inner)


def _rater_panels(analysis: Analysis) -> list[Panel]:
    """Returns a panel for each rule that something was asked for."""
    shares = Axis(0.0, 1.0, ((0.0, "0"), (0.5, "50 %"), (1.0, "100 %")))
    halves = Axis(0.5, 1.0, ((0.5, "50 %"), (0.75, "75 %"), (1.0, "100 %")))
    ticks = ((0.1, "0.1 s"), (1.0, "1 s"), (10.0, "10 s"), (100.0, "100 s"))
    seconds = Axis(0.1, 100.0, ticks, logarithmic=True)
    wanted = (
        ("catch_share", "min_catch_share", "Catch trials right", "at least", shares),
        ("median_seconds", "min_seconds", "Median time", "at least", seconds),
        ("side_share", "max_side_share", "Answers on one side", "at most", halves),
        ("repeat_share", "min_repeat_share", "Repeats as before", "but for chance, at least", shares),
    )
    panels = []
    for field, rule, title, least, axis in wanted:
        values = _rater_values(analysis.raters, field, rule)
        if not values:
            continue
        limit = getattr(analysis.rules, rule)
        limit_said = f"{least} {_limit(analysis.rules, rule)}"
        fails = sum(failed for _, failed in values)
        said = f"{len(values)} raters, {fails} of whom fail: {limit_said}."
        panels.append(Panel(title, limit_said, dots(f"rule-{rule}", title, said, values, axis, limit)))
    return panels


def _rater_values(checks: Sequence[RaterCheck], field: str, rule: str) -> list[tuple[float, bool]]:
    return [(float(value), rule in check.failed) for check in checks if (value := getattr(check, field)) is not None]


def _limit(rules: Rules, rule: str) -> str:
    value: float = getattr(rules, rule)
    return f"{value:g} s" if rule == "min_seconds" else f"{100 * value:g} %"


def _metric_panels(metrics: Sequence[Agreement]) -> list[Panel]:
    of_images = sorted(
        (one for one in metrics if one.answers is not None), key=lambda one: one.answers or 0.0, reverse=True
    )
    ranked = sorted((one for one in metrics if one.tau is not None), key=lambda one: one.tau or 0.0, reverse=True)
    panels = []
    if of_images:
        rows = [
            _metric_bar(one.label, (one.answers, one.answers_low, one.answers_high), 100.0, " %") for one in of_images
        ]
        rule = "for the method that the metric prefers, in per cent"
        panels.append(_metric_panel("agreement", "Share of answers", rule, rows, 50.0))
    if ranked:
        rows = [_metric_bar(one.label, (one.tau, one.tau_low, one.tau_high)) for one in ranked]
        rule = "Kendall's τ of the methods' means with scores"
        panels.append(_metric_panel("tau", "Rank correlation", rule, rows, 0.0))
    return panels


def _metric_bar(label: str, found: tuple[float | None, ...], factor: float = 1.0, unit: str = "") -> Bar:
    """Returns the row of a value and the ends of its interval; without an interval, with a hollow dot."""
    value, low, high = (None if one is None else factor * one for one in found)
    digits = 0 if unit else 2
    between = "" if low is None else tables.range_text(low, high, digits)
    return Bar(label, value or 0.0, number(value or 0.0, digits) + unit, between, low, high, strong=low is not None)


def _metric_panel(name: str, title: str, rule: str, rows: Sequence[Bar], chance: float) -> Panel:
    values = [v for row in rows for v in (row.value, row.low, row.high, chance) if v is not None]
    return Panel(title, rule, bars(name, f"{title} {rule}", _said(rows), rows, axis_around(values), chance))


def _said(rows: Sequence[Bar]) -> str:
    """Returns the rows in words, for those who cannot see the drawing."""
    return "; ".join(f"{row.label} {row.text}{row.interval and f', {row.interval}'}" for row in rows)
