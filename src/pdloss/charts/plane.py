"""The perception-distortion plane, drawn: one curve per loss along its weights, and the area that each wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pdloss.charts.labels import beside_points
from pdloss.charts.palette import Colours, RunStyle
from pdloss.charts.svg import Chart
from pdloss.comparison.grouping import Group
from pdloss.comparison.plane import Plane
from pdloss.records import Metric
from pdloss.tables.numerals import INPUT, four_figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes


NAMED = 9
"""Up to so many losses are named in the drawing; more are numbered."""


@dataclass(frozen=True)
class Drawing:
    """A plane, the sweeps in it, and where they began."""

    plane: Plane
    names: tuple[str, ...]
    """Of the runs, whose scores are the points of the plane."""
    groups: tuple[Group, ...]
    input: tuple[float, float] | None = None
    """The degraded input, where it is scored and would not dwarf the runs' differences."""

    def curve(self, group: Group) -> list[tuple[float, float]]:
        """Returns the places of a sweep's points along its weights: the mean of the seeds of each."""
        places = [np.mean([self.plane.points[run] for run in point.runs], axis=0) for point in group.path]
        return [(float(x), float(y)) for x, y in places]


def chart(shown: Drawing, styles: dict[int, RunStyle], name: str) -> Chart:
    """Returns the drawing of a plane."""
    runs = "; ".join(
        f"{run}: {shown.plane.x.label} {four_figures(x)}, {shown.plane.y.label} {four_figures(y)}"
        for run, (x, y) in zip(shown.names, shown.plane.points, strict=True)
    )
    title = f"{shown.plane.y.label} against {shown.plane.x.label}"
    start = "" if shown.input is None else f"; {INPUT}: {', '.join(map(four_figures, shown.input))}"
    joined = "Runs of one loss are joined along its weights, at the mean of their seeds. "
    return Chart(name, title, f"{joined}{runs}{start}.", (5.6, 4.0), partial(_draw, shown, styles))


def volumes(shown: Drawing) -> list[tuple[Group, str]]:
    """Returns the losses with the area that the runs of each win, the largest first."""
    runs = [[run for point in group.path for run in point.runs] for group in shown.groups]
    found = [(group, shown.plane.hypervolume(of_group)) for group, of_group in zip(shown.groups, runs, strict=True)]
    ranked = sorted(found, key=lambda entry: -entry[1])
    return [(group, f"{area:#.3g}" if area else "0") for group, area in ranked]


def dwarfs(
    point: tuple[float | None, float | None], others: Sequence[tuple[float, float]], factor: float = 3.0
) -> bool:
    """Returns whether `point` would stretch an axis to more than `factor` times what the others need."""
    for axis in (0, 1):
        values = [other[axis] for other in others]
        if np.ptp([*values, point[axis]]) > factor * np.ptp(values):
            return True
    return False


def _draw(shown: Drawing, styles: dict[int, RunStyle], axes: "Axes", colours: Colours) -> None:
    lines = [shown.curve(group) for group in shown.groups]
    for group, line in zip(shown.groups, lines, strict=True):
        colour = colours.of(styles[group.runs[0]])
        if len(line) > 1:
            axes.plot(*zip(*line, strict=True), color=colour, linewidth=1.4, zorder=2)
    for run, point in enumerate(shown.plane.points):
        look: Any = {"color": colours.of(styles[run]), "markersize": 7.0, "markeredgewidth": 0, "zorder": 3}
        axes.plot(*point, marker=styles[run].mark, **look)
    if shown.input is not None:
        axes.plot(*shown.input, marker="o", markersize=6.5, markerfacecolor="none", color=colours["muted"])
    axes.margins(0.18)
    axes.set_xlabel(axis_label(shown.plane.x, "→"))
    axes.set_ylabel(axis_label(shown.plane.y, "↑"))
    places = [*shown.plane.points, *([shown.input] if shown.input else [])]
    names = _names(shown, styles, colours)
    if shown.input is not None:
        names.append((len(shown.plane.points), INPUT, colours["muted"], 8.5))
    beside_points(axes, places, names, lines)


def _names(shown: Drawing, styles: dict[int, RunStyle], colours: Colours) -> list[tuple[int, str, str, float]]:
    """Returns the names of the losses at the ends of their curves first, then the weights at the other points.

    Many losses have the number instead that they have in the list of `volumes`.
    """
    names, weights = [], []
    if len(shown.groups) > NAMED:
        ranked = [group for group, _ in volumes(shown)]
        return [(g.runs[-1], str(i), colours.of(styles[g.runs[-1]]), 8.5) for i, g in enumerate(ranked, start=1)]
    unique = len(shown.groups) > 1 and len({group.name for group in shown.groups}) == len(shown.groups)
    for group in shown.groups:
        colour = colours.of(styles[group.runs[0]])
        last = group.runs[-1]
        weight = f" {group.labels[-1]}" if group.labels[-1] and len(group.points) > 1 else ""
        name = f"{_own(shown, group)}{weight}" if unique else shown.names[last]
        names.append((last, name, colour, 8.5))
        others = zip(group.points[:-1], group.labels[:-1], strict=True)
        weights += [(point.runs[0], label, colour, 7.5) for point, label in others if label]
    return [*names, *weights]


def _own(shown: Drawing, group: Group) -> str:
    """Returns the loss without the terms that all losses of the plane have, unless nothing would be left."""
    common = set.intersection(*(set(other.parts) for other in shown.groups))
    own = " + ".join(part for part in group.parts if part not in common)
    return f"{own}{group.said}" if own else group.name


def axis_label(metric: Metric, arrow: str) -> str:
    """Returns a metric's name with its unit and where better is, seen along the axis."""
    back = {"→": "←", "↑": "↓"}[arrow]
    good = {"higher": f"{arrow} better", "lower": f"{back} better", "zero": "best near 0"}[metric.better]
    return f"{metric.label}{f' ({metric.unit})' if metric.unit else ''}   {good}"
