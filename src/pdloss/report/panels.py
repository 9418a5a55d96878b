"""Which drawings a comparison has: training curves, gradient shares, intervals, and images as points."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pdloss.charts import curves
from pdloss.charts.intervals import intervals_chart, scatter_chart
from pdloss.charts.palette import RunStyle
from pdloss.charts.svg import Chart
from pdloss.records import LogLine
from pdloss.report.headline import contest
from pdloss.report.planes import plain
from pdloss.report.scores import digits_of, gap
from pdloss.report.sources import Comparison, ScoredRun

_Value = Callable[[LogLine], float | None]


@dataclass(frozen=True)
class Panel:
    """A chart with the words above it."""

    title: str
    subtitle: str
    chart: Chart


def training(comparison: Comparison, styles: dict[int, RunStyle]) -> list[Panel]:
    """Returns a panel per loss term, per term's gradient norm, per critic, per score of validation, and for the data.

    Gradient norms are drawn as curves where there is one term, and as shares where there are several.
    """
    logged = [(run, styles[i]) for i, run in enumerate(comparison.runs) if run.log]
    wanted: list[tuple[str, str, _Value, bool, bool]] = [
        *((t, "value, before its weight", lambda line, t=t: line.terms.get(t), True, True)
          for t in _names(logged, "terms")),
        *((t, "norm of its weighted gradient", lambda line, t=t: line.gradients.get(t), True, True)
          for t in _names(logged, "gradients")),
        *((t, "its critic's own loss", lambda line, t=t: line.learners.get(t), False, True)
          for t in _names(logged, "learners")),
        *((t, "on the validation photographs", lambda line, t=t: line.valid.get(t), False, False)
          for t in _names(logged, "valid")),
        ("learning rate", "", lambda line: line.lr, False, True),
    ]  # fmt: skip
    if any(line.waiting for run, _ in logged for line in run.log):
        wanted.append(("waiting for data", "percent of the time", lambda line: 100 * line.waiting, False, True))
    panels = []
    for number, (title, subtitle, value, logarithmic, smooth) in enumerate(wanted):
        drawn = [curve for run, style in logged if (curve := _curve(run, style, value))]
        if drawn:
            said = f"{title} {subtitle}".strip()
            chart = curves.curves_chart(f"training-{number}", said, drawn, logarithmic, smooth)
            panels.append(Panel(title, subtitle, chart))
    return panels


def shares(comparison: Comparison, styles: dict[int, RunStyle]) -> list[Panel]:
    """Returns for each run with several terms how the gradient is shared among them."""
    panels = []
    for i, run in enumerate(comparison.runs):
        terms = list(dict.fromkeys(term for line in run.log for term in line.gradients))
        lines = [line for line in run.log if line.gradients]
        if len(terms) < 2:
            continue
        steps = np.array([line.step for line in lines], dtype=float)
        norms = {term: [line.gradients.get(term, 0.0) for line in lines] for term in terms}
        chart = curves.shares_chart(f"shares-{i}", f"Gradient shares of {run.name}", steps, norms, styles[i])
        panels.append(Panel(run.name, "", chart))
    return panels


def intervals(comparison: Comparison, styles: dict[int, RunStyle]) -> list[Chart]:
    """Returns per metric the other runs' differences from the first, with their intervals."""
    others = range(1, len(comparison.runs))
    return [
        intervals_chart(
            f"difference-{plain(key)}",
            metric,
            [(styles[run], gap(comparison, key, run, 0)) for run in others],
            digits_of(comparison, key),
        )
        for key, metric in comparison.metrics.items()
        if others
    ]


def scatters(comparison: Comparison, styles: dict[int, RunStyle]) -> list[Chart]:
    """Returns per metric the image-by-image scores of the two runs that the contest is about."""
    if (found := contest(comparison)) is None:
        return []
    _, run, against = found
    pair = comparison.runs[against], comparison.runs[run]
    return [
        scatter_chart(
            f"images-{plain(key)}",
            metric,
            (pair[0].name, pair[1].name),
            comparison.restored(pair[0], key),
            comparison.restored(pair[1], key),
            styles[run],
        )
        for key, metric in comparison.metrics.items()
    ]


def _names(logged: Sequence[tuple[ScoredRun, RunStyle]], field: str) -> list[str]:
    return list(dict.fromkeys(name for run, _ in logged for line in run.log for name in getattr(line, field)))


def _curve(run: ScoredRun, style: RunStyle, value: _Value) -> curves.Curve | None:
    points = [(line.step, v) for line in run.log if (v := value(line)) is not None]
    if not points:
        return None
    steps, values = np.array(points, dtype=float).T
    return curves.Curve(run.name, style, steps, values)
