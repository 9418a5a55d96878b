"""The perception-distortion plane: one curve per loss along its weights, and the area that each wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pdloss.records import Metric
from pdloss.report.families import Family
from pdloss.report.inks import Colours, Ink
from pdloss.report.labels import beside_points
from pdloss.report.scores import INPUT, cost, decimals, number
from pdloss.report.sources import Comparison
from pdloss.report.svg import Chart
from pdloss.statistics import hypervolume, undominated

if TYPE_CHECKING:
    from matplotlib.axes import Axes


NAMED = 9
"""Up to so many losses are named in the drawing; more are numbered."""


@dataclass(frozen=True)
class Plane:
    """Two scores of every run."""

    x: Metric
    y: Metric
    points: tuple[tuple[float, float], ...]
    """Of each run, in the order of the comparison."""
    families: tuple[Family, ...]
    input: tuple[float, float] | None = None
    """The degraded input, where it is scored and would not dwarf the runs' differences."""

    @property
    def better(self) -> list[str]:
        """Which way each score is good."""
        return [self.x.better, self.y.better]

    @property
    def reference(self) -> tuple[float, float]:
        """The corner at which hypervolumes begin: the worst of both scores among all runs."""
        xs, ys = zip(*self.points, strict=True)
        return max(xs, key=lambda value: cost(value, self.x)), max(ys, key=lambda value: cost(value, self.y))

    def hypervolume(self, runs: Sequence[int]) -> float:
        """Returns the area that the runs win, in the units of both scores."""
        return hypervolume(np.array([self.points[run] for run in runs]), self.reference, self.better)

    def frontier(self) -> list[int]:
        """Returns the runs that no other one beats in both scores."""
        return [i for i, free in enumerate(undominated(np.array(self.points), self.better).tolist()) if free]


def plane(comparison: Comparison, x: str, y: str, found: Sequence[Family]) -> Plane | None:
    """Returns the plane of two metrics; none if a run lacks one of them, or is the only one."""
    means = [comparison.means(x), comparison.means(y)]
    points = [(a, b) for a, b in zip(*means, strict=True) if a is not None and b is not None]
    if len(points) < max(2, len(comparison.runs)):
        return None
    start = _input(comparison, x), _input(comparison, y)
    shown = start if start[0] is not None and start[1] is not None and not dwarfs(start, points) else None
    return Plane(comparison.metric(x), comparison.metric(y), tuple(points), tuple(found), shown)  # type: ignore[arg-type]


def chart(shown: Plane, inks: dict[int, Ink], comparison: Comparison, name: str) -> Chart:
    """Returns the drawing of a plane."""
    runs = "; ".join(
        f"{run.name}: {shown.x.label} {x:.4g}, {shown.y.label} {y:.4g}"
        for run, (x, y) in zip(comparison.runs, shown.points, strict=True)
    )
    title = f"{shown.y.label} against {shown.x.label}"
    start = "" if shown.input is None else f"; {INPUT}: {shown.input[0]:.4g}, {shown.input[1]:.4g}"
    joined = "Runs of one loss are joined along its weights. "
    return Chart(name, title, f"{joined}{runs}{start}.", (5.6, 4.0), partial(_draw, shown, inks, comparison))


def volumes(shown: Plane, comparison: Comparison) -> list[tuple[Family, str]]:
    """Returns the losses with the area that the runs of each win, the largest first."""
    found = [(family, shown.hypervolume(family.path)) for family in shown.families]
    ranked = sorted(found, key=lambda entry: -entry[1])
    return [(family, f"{area:#.3g}" if area else "0") for family, area in ranked]


def input_text(comparison: Comparison, x: str, y: str) -> str | None:
    """Returns the scores of the degraded input in words; none if it was not scored."""
    parts = []
    for key in (x, y):
        if (value := _input(comparison, key)) is None:
            return None
        parts.append(f"{comparison.metric(key).label} {number(value, decimals(comparison, key))}")
    return " and ".join(parts)


def dwarfs(
    point: tuple[float | None, float | None], others: Sequence[tuple[float, float]], factor: float = 3.0
) -> bool:
    """Returns whether `point` would stretch an axis to more than `factor` times what the others need."""
    for axis in (0, 1):
        values = [other[axis] for other in others]
        if np.ptp([*values, point[axis]]) > factor * np.ptp(values):
            return True
    return False


def _input(comparison: Comparison, key: str) -> float | None:
    if key in comparison.metrics:
        values = comparison.degraded(key)
        return None if values is None else float(values.mean())
    score = comparison.of_set(None, key)
    return None if score is None else score.value


def _draw(shown: Plane, inks: dict[int, Ink], comparison: Comparison, axes: "Axes", colours: Colours) -> None:
    lines = [[shown.points[run] for run in family.path] for family in shown.families]
    for family, line in zip(shown.families, lines, strict=True):
        colour = colours.of(inks[family.runs[0]])
        if len(line) > 1:
            axes.plot(*zip(*line, strict=True), color=colour, linewidth=1.4, zorder=2)
    for run, point in enumerate(shown.points):
        look: Any = {"color": colours.of(inks[run]), "markersize": 7.0, "markeredgewidth": 0, "zorder": 3}
        axes.plot(*point, marker=inks[run].mark, **look)
    if shown.input is not None:
        axes.plot(*shown.input, marker="o", markersize=6.5, markerfacecolor="none", color=colours["muted"])
    axes.margins(0.18)
    axes.set_xlabel(axis_label(shown.x, "→"))
    axes.set_ylabel(axis_label(shown.y, "↑"))
    places = [*shown.points, *([shown.input] if shown.input else [])]
    names = _names(shown, inks, comparison, colours)
    if shown.input is not None:
        names.append((len(shown.points), INPUT, colours["muted"], 8.5))
    beside_points(axes, places, names, lines)


def _names(
    shown: Plane, inks: dict[int, Ink], comparison: Comparison, colours: Colours
) -> list[tuple[int, str, str, float]]:
    """Returns the names of the losses at the ends of their curves first, then the weights at the other points.

    Many losses have the number instead that they have in the list of `volumes`.
    """
    names, weights = [], []
    if len(shown.families) > NAMED:
        ranked = [family for family, _ in volumes(shown, comparison)]
        return [(f.runs[-1], str(i), colours.of(inks[f.runs[-1]]), 8.5) for i, f in enumerate(ranked, start=1)]
    for family in shown.families:
        colour = colours.of(inks[family.runs[0]])
        last = family.runs[-1]
        weight = f" {family.weights[-1]}" if family.weights[-1] and len(family.runs) > 1 else ""
        unique = len(shown.families) > 1 and len({f.name for f in shown.families}) == len(shown.families)
        name = comparison.runs[last].name if not unique else f"{_shared(shown, family)}{weight}"
        names.append((last, name, colour, 8.5))
        weights += [(run, w, colour, 7.5) for run, w in zip(family.runs[:-1], family.weights[:-1], strict=True) if w]
    return [*names, *weights]


def _shared(shown: Plane, family: Family) -> str:
    """Returns the loss without the terms that all losses of the plane have, unless nothing would be left."""
    every = [set(other.name.split(" + ")) for other in shown.families]
    common = set.intersection(*every)
    own = [term for term in family.name.split(" + ") if term not in common]
    return " + ".join(own) or family.name


def axis_label(metric: Metric, arrow: str) -> str:
    """Returns a metric's name with its unit and where better is, seen along the axis."""
    back = {"→": "←", "↑": "↓"}[arrow]
    good = {"higher": f"{arrow} better", "lower": f"{back} better", "zero": "best near 0"}[metric.better]
    return f"{metric.label}{f' ({metric.unit})' if metric.unit else ''}   {good}"
