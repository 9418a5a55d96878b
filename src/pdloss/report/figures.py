"""What the numbers look like: curves over the training, and the trade-off of two scores."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from pdloss.records import Metric
from pdloss.report.svg import COLOURS, MUTED, drawing, series, svg_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Where a name may stand beside its point: offsets in points, alignment, and the share of its width to the left.
_SIDES = ((9, -3, "left", 0.0), (-9, -3, "right", 1.0), (0, 9, "center", 0.5), (0, -16, "center", 0.5))


@dataclass(frozen=True)
class Curve:
    """One run's values over its training steps."""

    run: int
    steps: Float[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Point:
    """One place in the trade-off; the degraded input has no run."""

    label: str
    run: int | None
    x: float
    y: float


def curves_svg(curves: Sequence[Curve], prefix: str, label: str, may_be_logarithmic: bool = True) -> str:
    """Returns the runs' curves in one small panel: the smoothed ones strong, the raw ones faint behind them.

    The axis is logarithmic when the positive values span more than one decade.

    Args:
        curves: At least one, none empty.
        prefix: Put before every id, so that several figures can share a page.
        label: What a screen reader says of the figure.
        may_be_logarithmic: False keeps the axis linear.
    """
    with drawing((4.2, 2.5)) as axes:
        for curve in curves:
            smooth = smoothed(curve.values)
            if len(smooth) > 1 and not np.array_equal(smooth, curve.values):
                axes.plot(*_thinned(curve.steps, curve.values), color=series(curve.run), alpha=0.22, linewidth=0.8)
            axes.plot(
                *_thinned(curve.steps, smooth),
                color=series(curve.run),
                linewidth=1.6,
                linestyle="-" if curve.run < COLOURS else "--",
                marker="o" if len(smooth) == 1 else None,
                markersize=4,
            )
        axes.grid(visible=False, axis="x")
        axes.margins(x=0.01)
        values = np.concatenate([curve.values for curve in curves])
        _format_axis(axes.yaxis, values if may_be_logarithmic else None)
        axes.xaxis.set_major_formatter(_formatter(steps_text))
        axes.xaxis.set_major_locator(_locator())
        return svg_text(axes, prefix, label)


def scatter_svg(points: Sequence[Point], x: Metric, y: Metric, prefix: str) -> str:
    """Returns the trade-off of two metrics, one named point per run; those that no other run beats in both are joined.

    Args:
        points: The runs, and perhaps the degraded input.
        x: The metric of the horizontal axis.
        y: The metric of the vertical axis.
        prefix: Put before every id.
    """
    with drawing((4.8, 3.4)) as axes:
        runs = [point for point in points if point.run is not None]
        joined = undominated(runs, x, y)
        if len(joined) > 1:
            axes.plot(
                [p.x for p in joined],
                [p.y for p in joined],
                color=MUTED,
                linewidth=0.9,
                linestyle=(0, (3, 3)),
                zorder=1,
            )
        for point in points:
            colour = MUTED if point.run is None else series(point.run)
            axes.plot(point.x, point.y, "o", color=colour, markersize=7.5, markeredgewidth=0, zorder=3)
        axes.margins(0.16)
        axes.set_xlabel(f"{_axis_label(x)}  {'→' if x.better == 'higher' else '←'} better")
        axes.set_ylabel(f"{_axis_label(y)}  {'→' if y.better == 'higher' else '←'} better")
        _place_labels(axes, points, joined)
        return svg_text(axes, prefix, f"{y.label} against {x.label}: " + ", ".join(point.label for point in points))


def undominated(points: Sequence[Point], x: Metric, y: Metric) -> list[Point]:
    """Returns the points that no other point beats in one metric without losing in the other, from left to right.

    Example:
        >>> up, down = (Metric(label="", better=b, protocol="") for b in ("higher", "lower"))
        >>> points = [Point("a", 0, 30.0, 0.3), Point("b", 1, 28.0, 0.1), Point("c", 2, 27.0, 0.2)]
        >>> [point.label for point in undominated(points, up, down)]
        ['b', 'a']
    """
    sx, sy = (1 if metric.better == "higher" else -1 for metric in (x, y))

    def beaten(p: Point) -> bool:
        return any(sx * q.x >= sx * p.x and sy * q.y >= sy * p.y and (q.x, q.y) != (p.x, p.y) for q in points)

    return sorted((p for p in points if not beaten(p)), key=lambda p: p.x)


def dwarfs(point: Point, others: Sequence[Point], factor: float = 3.0) -> bool:
    """Returns whether `point` would stretch an axis to more than `factor` times what the others need."""
    for axis in ("x", "y"):
        values = [getattr(other, axis) for other in others]
        needed, with_point = np.ptp(values), np.ptp([*values, getattr(point, axis)])
        if with_point > factor * needed:
            return True
    return False


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


def _thinned(steps: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"], most: int = 400) -> Any:
    """Returns at most about `most` points, the last one always among them: a panel is not wider in pixels."""
    stride = -(-len(values) // most)
    keep = np.arange(len(values) - 1, -1, -stride)[::-1]
    return steps[keep], values[keep]


def _format_axis(axis: Any, values: Float[np.ndarray, " n"] | None) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    axis.set_major_locator(MaxNLocator(5))
    if values is not None and values.min() > 0 and values.max() / values.min() > 10:
        axis.axes.set_yscale("log")
        few = values.max() / values.min() < 100
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=8))
        axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(
        _formatter(lambda value: f"{value:.4g}".replace("e-0", "e-").replace("-", "\N{MINUS SIGN}"))
    )


def _formatter(text: Any) -> Any:
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _: text(value))


def _locator() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(5, integer=True, steps=[1, 2, 5, 10])


def _axis_label(metric: Metric) -> str:
    return f"{metric.label} ({metric.unit})" if metric.unit else metric.label


def _place_labels(axes: "Axes", points: Sequence[Point], joined: Sequence[Point]) -> None:
    """Writes each name beside its point, on the side where it covers least of the other names, points and the line."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    scale, frame = figure.dpi / 72, axes.get_window_extent()
    taken = [_box(x, y, 5.0) for x, y in _on_screen(axes, points)]
    corners = _on_screen(axes, joined)
    for start, end in itertools.pairwise(corners):
        along = np.linspace(0.02, 0.98, 50)[:, None]
        taken += [_box(x, y, 1.0) for x, y in start + (end - start) * along]
    for point, (x, y) in zip(points, _on_screen(axes, points), strict=True):
        width = 5.4 * len(point.label)  # of nine-point letters, roughly
        options = []
        for dx, dy, align, share in _SIDES:
            left = x + scale * (dx - width * share)
            box = (left, y + scale * (dy - 2), left + scale * width, y + scale * (dy + 9))
            outside = max(0.0, frame.x0 - box[0]) + max(0.0, box[2] - frame.x1)
            options.append((outside + sum(_overlap(box, other) for other in taken), (dx, dy, align), box))
        _, (dx, dy, align), box = min(options, key=lambda option: option[0])
        taken.append(box)
        text = axes.annotate(point.label, (point.x, point.y), (dx, dy), textcoords="offset points", ha=align)
        text.set_in_layout(False)  # or the axes would shrink, and the places just chosen with them


def _on_screen(axes: "Axes", points: Sequence[Point]) -> Any:
    return axes.transData.transform([(point.x, point.y) for point in points])


def _box(x: float, y: float, half: float) -> tuple[float, float, float, float]:
    return (x - half, y - half, x + half, y + half)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return bool(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])
