"""What training did, step by step: values, gradients, critics, the data's delay."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from pdloss.charts.labels import at_ends
from pdloss.charts.palette import Colours, RunStyle
from pdloss.charts.svg import Chart
from pdloss.tables.numerals import four_figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMED = 8
"""Up to so many curves are named where they end; more would not fit, and the legend names them all."""


@dataclass(frozen=True)
class Curve:
    """One run's values over its training steps."""

    name: str
    style: RunStyle
    steps: Float[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]


def curves_chart(
    name: str, title: str, curves: Sequence[Curve], may_be_logarithmic: bool = True, smooth: bool = True
) -> Chart:
    """Returns the runs' curves in one small panel: the smoothed ones strong, the raw ones faint behind them.

    The axis is logarithmic when the positive values span more than one decade.

    Args:
        name: Of the file, and of its ids on the page.
        title: What is drawn.
        curves: At least one, none empty.
        may_be_logarithmic: False keeps the axis linear.
        smooth: False draws the values as they are, with dots.
    """
    ends = "; ".join(f"{c.name} from {four_figures(c.values[0])} to {four_figures(c.values[-1])}" for c in curves)
    steps = max(float(curve.steps[-1]) for curve in curves)
    says = f"Against training steps, up to {steps:,.0f}. {ends}."
    return Chart(name, title, says, (4.2, 2.6), partial(_draw, curves, may_be_logarithmic, smooth))


def shares_chart(
    name: str, title: str, steps: Float[np.ndarray, " n"], terms: dict[str, Any], style: RunStyle
) -> Chart:
    """Returns the share of each term in the sum of the gradients' norms, stacked.

    Args:
        name: Of the file, and of its ids on the page.
        title: Whose they are.
        steps: Training steps.
        terms: Norms by term, (n) each.
        style: Of the run.
    """
    values = np.array([smoothed(np.asarray(norms, dtype=float)) for norms in terms.values()])
    total = values.sum(axis=0)
    parts = values / np.where(total > 0, total, 1.0)
    means = "; ".join(f"{term} {100 * share:.0f} %" for term, share in zip(terms, parts.mean(axis=1), strict=True))
    says = f"Share of each term in the sum of gradient norms over the training; on average {means}."
    return Chart(
        name, title, says, (4.2, 1.9), partial(_draw_shares, steps, dict(zip(terms, parts, strict=True)), style)
    )


def smoothed(values: Float[np.ndarray, " n"], share: float = 0.02) -> Float[np.ndarray, " n"]:
    """Returns the centred running mean over a share of the curve.

    Losses start steep and end flat: towards the start the window shrinks on both sides, so that the first value stays;
    towards the end it only loses what lies beyond, so that the last value is still a mean.

    Example:
        >>> smoothed(np.array([0.0, 3.0, 6.0, 0.0]), share=0.75)
        array([0., 3., 3., 3.])
    """
    n = len(values)
    half = int(n * share) // 2
    if half == 0:
        return values.copy()
    index = np.arange(n)
    reach = np.minimum(half, index)
    first, last = index - reach, np.minimum(index + reach, n - 1)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means: Float[np.ndarray, " n"] = (sums[last + 1] - sums[first]) / (last + 1 - first)
    return means


def steps_text(step: float) -> str:
    """Returns a number of steps in few characters.

    Example:
        >>> [steps_text(s) for s in (0.0, 500.0, 2.5e3, 3e5, 1e6)]
        ['0', '500', '2.5k', '300k', '1M']
    """
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(step) >= size:
            return f"{step / size:g}{unit}"
    return f"{step:g}"


def _draw(curves: Sequence[Curve], may_be_logarithmic: bool, smooth: bool, axes: "Axes", colours: Colours) -> None:
    for curve in curves:
        strong = smoothed(curve.values) if smooth else curve.values
        colour = colours.of(curve.style)
        if len(strong) > 1 and not np.array_equal(strong, curve.values):
            axes.plot(*_thinned(curve.steps, curve.values), color=colour, alpha=0.2, linewidth=0.7)
        dots: Any = {"marker": curve.style.mark if len(strong) == 1 or not smooth else None, "markersize": 4}
        axes.plot(*_thinned(curve.steps, strong), color=colour, linewidth=1.6, linestyle=curve.style.dash, **dots)
    axes.grid(visible=False, axis="x")
    axes.margins(x=0.01)
    values = np.concatenate([curve.values for curve in curves])
    _format(axes, values if may_be_logarithmic else None)
    if 1 < len(curves) <= NAMED:
        last = [(smoothed(c.values) if smooth else c.values)[-1] for c in curves]
        if all(np.array_equal(c.values, curves[0].values) for c in curves):
            at_ends(axes, [(float(curves[0].steps[-1]), float(last[0]), "all runs", colours["muted"])], 7.5)
            return
        ends = [(float(c.steps[-1]), float(y), c.name, colours.of(c.style)) for c, y in zip(curves, last, strict=True)]
        at_ends(axes, ends, 7.5)


def _draw_shares(
    steps: Float[np.ndarray, " n"], parts: dict[str, Any], style: RunStyle, axes: "Axes", colours: Colours
) -> None:
    floor = np.zeros(len(steps))
    count, ends = len(parts), []
    for place, (term, share) in enumerate(parts.items()):
        strength = 0.85 - 0.6 * place / max(1, count - 1)
        x, (low, high) = _thinned(steps, np.array([floor, floor + share]))
        axes.fill_between(x, 100 * low, 100 * high, color=colours.of(style), alpha=strength, linewidth=0)
        ends.append((float(steps[-1]), float(100 * (floor[-1] + share[-1] / 2)), term, colours["ink"]))
        floor = floor + share
    axes.set_ylim(0, 100)
    axes.grid(visible=False)
    axes.margins(x=0)
    _format(axes, None)
    axes.yaxis.set_major_formatter(_formatter(lambda value: f"{value:g} %"))
    at_ends(axes, ends, 8.0)


def _thinned(steps: Float[np.ndarray, " n"], values: Float[np.ndarray, "*k n"], most: int = 400) -> Any:
    """Returns at most about `most` points, the last one always among them: a panel is not wider in pixels."""
    stride = -(-len(steps) // most)
    keep = np.arange(len(steps) - 1, -1, -stride)[::-1]
    return steps[keep], values[..., keep]


def _format(axes: "Axes", values: Float[np.ndarray, " n"] | None) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    axes.yaxis.set_major_locator(MaxNLocator(5))
    if values is not None and values.min() > 0 and values.max() / values.min() > 10:
        axes.set_yscale("log")
        few = values.max() / values.min() < 100
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=8))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(_formatter(_value_text))
    axes.xaxis.set_major_formatter(_formatter(steps_text))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))


def _value_text(value: float) -> str:
    if abs(value) >= 1e4:
        return steps_text(value)
    return four_figures(value)


def _formatter(text: Any) -> Any:
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _: text(value))
