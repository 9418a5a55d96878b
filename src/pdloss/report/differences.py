"""Runs against each other, image by image: intervals of the differences, and every image as a point."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pdloss.comparison import Difference
from pdloss.report.palette import Colours, Ink
from pdloss.report.plane import axis_label
from pdloss.report.scores import decimals, gap
from pdloss.report.sources import Comparison
from pdloss.report.svg import Chart
from pdloss.tables.numerals import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = 0.25
"""Height of a run's line, in inches."""


def intervals_chart(comparison: Comparison, key: str, inks: dict[int, Ink], name: str) -> Chart:
    """Returns every other run's mean difference from the first with its corrected interval, about the line of zero."""
    metric, first, digits = comparison.metrics[key], comparison.runs[0], decimals(comparison, key)
    found = [gap(comparison, key, i, 0) for i in range(1, len(comparison.runs))]
    named = [(run.name, inks[i]) for i, run in enumerate(comparison.runs) if i]
    parts = [
        f"{label} {number(d.value, digits, True)}"
        + ("" if d.low is None or d.high is None else f" ({number(d.low, digits)} to {number(d.high, digits)})")
        for (label, _), d in zip(named, found, strict=True)
    ]
    label = axis_label(metric, "→") if metric.better != "zero" else f"{metric.label}: distance from 0   ← better"
    height = 0.62 + _ROW * len(named)
    title = f"{metric.label}, difference from {first.name}"
    return Chart(name, title, "; ".join(parts) + ".", (4.6, height), partial(_draw_gaps, named, found, label))


def scatter_chart(comparison: Comparison, key: str, runs: tuple[int, int], ink: Ink, name: str) -> Chart:
    """Returns one run's score against another's, a point for each image, with the line on which they are equal.

    Args:
        comparison: The runs.
        key: The metric.
        runs: The places of the runs on the horizontal and on the vertical axis.
        ink: Of the points.
        name: Of the file, and of its ids on the page.
    """
    metric = comparison.metrics[key]
    x, y = (comparison.restored(comparison.runs[run], key) for run in runs)
    names = [comparison.runs[run].name for run in runs]
    ahead = {"higher": y > x, "lower": y < x, "zero": np.abs(y) < np.abs(x)}[metric.better]
    says = f"Each point is an image; {names[1]} is better in {int(ahead.sum())} of {len(x)}."
    side = {"higher": "above", "lower": "below", "zero": "nearer 0 than"}[metric.better]
    hint = f"{int(ahead.sum())} of {len(x)} images better: {side} the line"
    drawn = partial(_draw_scatter, x, y, names, ink, hint)
    return Chart(name, f"{metric.label}, {names[1]} against {names[0]}", says, (3.4, 3.2), drawn)


def _draw_gaps(
    named: Sequence[tuple[str, Ink]], found: Sequence[Difference], label: str, axes: "Axes", colours: Colours
) -> None:
    axes.axvline(0, color=colours["ink"], linewidth=0.9, zorder=1)
    for row, ((_, ink), difference) in enumerate(zip(named, found, strict=True)):
        colour = colours.of(ink)
        if difference.low is not None and difference.high is not None:
            axes.plot([difference.low, difference.high], [row, row], color=colour, linewidth=2.2, zorder=2)
        fill = colour if difference.clear else colours["paper"]
        look = {"color": colour, "markerfacecolor": fill, "markersize": 6.0, "markeredgewidth": 1.4, "zorder": 3}
        axes.plot(difference.value, row, marker=ink.mark, **look)  # type: ignore[arg-type]
    axes.set_yticks(range(len(named)), [name for name, _ in named], color=colours["ink"])
    axes.set_ylim(len(named) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=6)  # more labels of small numbers would run into each other
    axes.set_xlabel(label)


def _draw_scatter(
    x: object, y: object, names: Sequence[str], ink: Ink, hint: str, axes: "Axes", colours: Colours
) -> None:
    both = np.concatenate([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    margin = 0.06 * float(np.ptp(both)) or 1.0
    ends = (float(both.min()) - margin, float(both.max()) + margin)
    axes.plot(ends, ends, color=colours["muted"], linewidth=0.9, zorder=1)
    axes.plot(x, y, ink.mark, color=colours.of(ink), markersize=5.0, markeredgewidth=0, alpha=0.8, zorder=2)  # type: ignore[arg-type]
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_aspect("equal")
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.set_title(hint, fontsize=8.5, color=colours["muted"], loc="left")
