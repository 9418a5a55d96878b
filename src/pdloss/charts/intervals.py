"""Runs against each other, image by image: intervals of the differences, and every image as a point."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from pdloss.charts.palette import Colours, RunStyle
from pdloss.charts.plane import axis_label
from pdloss.charts.svg import Chart
from pdloss.comparison import Difference
from pdloss.records import Metric
from pdloss.tables.numerals import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = 0.25
"""Height of a run's line, in inches."""


def intervals_chart(name: str, metric: Metric, found: Sequence[tuple[RunStyle, Difference]], digits: int) -> Chart:
    """Returns every other run's mean difference from the first with its corrected interval, about the line of zero.

    Args:
        name: Of the file, and of its ids on the page.
        metric: What is compared.
        found: How each run is drawn, and its difference; at least one.
        digits: Decimals in the description.
    """
    parts = [
        f"{d.name} {number(d.value, digits, True)}"
        + ("" if d.low is None or d.high is None else f" ({number(d.low, digits)} to {number(d.high, digits)})")
        for _, d in found
    ]
    label = axis_label(metric, "→") if metric.better != "zero" else f"{metric.label}: distance from 0   ← better"
    height = 0.62 + _ROW * len(found)
    title = f"{metric.label}, difference from {found[0][1].against}"
    return Chart(name, title, "; ".join(parts) + ".", (4.6, height), partial(_draw_gaps, found, label))


def scatter_chart(
    name: str,
    metric: Metric,
    runs: tuple[str, str],
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " n"],
    style: RunStyle,
) -> Chart:
    """Returns one run's score against another's, a point for each image, with the line on which they are equal.

    Args:
        name: Of the file, and of its ids on the page.
        metric: What is compared.
        runs: The names of the runs on the horizontal and on the vertical axis.
        x: Scores of the first.
        y: Scores of the second.
        style: Of the points.
    """
    ahead = {"higher": y > x, "lower": y < x, "zero": np.abs(y) < np.abs(x)}[metric.better]
    says = f"Each point is an image; {runs[1]} is better in {int(ahead.sum())} of {len(x)}."
    side = {"higher": "above", "lower": "below", "zero": "nearer 0 than"}[metric.better]
    hint = f"{int(ahead.sum())} of {len(x)} images better: {side} the line"
    drawn = partial(_draw_scatter, x, y, runs, style, hint)
    return Chart(name, f"{metric.label}, {runs[1]} against {runs[0]}", says, (3.4, 3.2), drawn)


def _draw_gaps(found: Sequence[tuple[RunStyle, Difference]], label: str, axes: "Axes", colours: Colours) -> None:
    axes.axvline(0, color=colours["ink"], linewidth=0.9, zorder=1)
    for row, (style, difference) in enumerate(found):
        colour = colours.of(style)
        if difference.low is not None and difference.high is not None:
            axes.plot([difference.low, difference.high], [row, row], color=colour, linewidth=2.2, zorder=2)
        fill = colour if difference.clear else colours["paper"]
        look = {"color": colour, "markerfacecolor": fill, "markersize": 6.0, "markeredgewidth": 1.4, "zorder": 3}
        axes.plot(difference.value, row, marker=style.mark, **look)  # type: ignore[arg-type]
    axes.set_yticks(range(len(found)), [difference.name for _, difference in found], color=colours["ink"])
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=6)  # more labels of small numbers would run into each other
    axes.set_xlabel(label)


def _draw_scatter(
    x: object, y: object, names: Sequence[str], style: RunStyle, hint: str, axes: "Axes", colours: Colours
) -> None:
    both = np.concatenate([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    margin = 0.06 * float(np.ptp(both)) or 1.0
    ends = (float(both.min()) - margin, float(both.max()) + margin)
    axes.plot(ends, ends, color=colours["muted"], linewidth=0.9, zorder=1)
    axes.plot(x, y, style.mark, color=colours.of(style), markersize=5.0, markeredgewidth=0, alpha=0.8, zorder=2)  # type: ignore[arg-type]
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_aspect("equal")
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.set_title(hint, fontsize=8.5, color=colours["muted"], loc="left")
