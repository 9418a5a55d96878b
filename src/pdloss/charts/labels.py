"""Names beside what they name: where they cover nothing else."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Where a name may stand beside its point: offsets in points, alignment, and the share of its width to the left.
_SIDES = (
    *((8, -3, "left", 0.0), (-8, -3, "right", 1.0), (0, 8, "center", 0.5), (0, -15, "center", 0.5)),
    *((7, 6, "left", 0.0), (7, -13, "left", 0.0), (-7, 6, "right", 1.0), (-7, -13, "right", 1.0)),
    *((0, 20, "center", 0.5), (0, -27, "center", 0.5), (7, 18, "left", 0.0), (-7, -25, "right", 1.0)),
    *((-7, 18, "right", 1.0), (7, -25, "left", 0.0)),
)
_LETTER = 0.58
"""Width of a letter as a share of its size, roughly."""

_Box = tuple[float, float, float, float]


def beside_points(
    axes: "Axes",
    places: Sequence[tuple[float, float]],
    names: Sequence[tuple[int, str, str, float]],
    lines: Sequence[Sequence[tuple[float, float]]],
) -> None:
    """Writes names beside their points, each on the side where it covers least of other names, points and lines.

    Args:
        axes: Whose limits stand.
        places: All points.
        names: For each name the place of its point, its text, colour and size in points.
        lines: Joined points.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    scale, frame = figure.dpi / 72, axes.get_window_extent()
    on_screen = axes.transData.transform(places)
    taken = [_box(x, y, 5.0 * scale) for x, y in on_screen]
    for line in lines:
        for start, end in itertools.pairwise(axes.transData.transform(line)):
            along = np.linspace(0.02, 0.98, 40)[:, None]
            taken += [_box(x, y, 1.0) for x, y in start + (end - start) * along]
    for place, name, colour, size in names:
        x, y = on_screen[place]
        width = _LETTER * size * len(name)
        options = []
        for dx, dy, align, share in _SIDES:
            left = x + scale * (dx - width * share)
            box = (left, y + scale * (dy - 2), left + scale * width, y + scale * (dy + size))
            outside = max(0.0, frame.x0 - box[0]) + max(0.0, box[2] - frame.x1)
            covered = sum(_overlap(box, other) for other in taken)
            options.append((outside + 10 * covered + abs(dy) / 10, (dx, dy, align), box))
        _, (dx, dy, align), box = min(options, key=lambda option: option[0])
        taken.append(box)
        offset: Any = {"textcoords": "offset points", "ha": align, "color": colour, "fontsize": size}
        text = axes.annotate(name, places[place], (dx, dy), **offset)
        text.set_in_layout(False)  # or the axes would shrink, and the places just chosen with them


def at_ends(axes: "Axes", ends: Sequence[tuple[float, float, str, str]], size: float = 8.0) -> None:
    """Writes names to the right of where lines end, moved apart where they would cover each other.

    Args:
        axes: Whose limits stand.
        ends: For each line its last x and y, its name and colour.
        size: Of the letters, in points.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    step = figure.dpi / 72 * (size + 2.0)
    wanted = [float(axes.transData.transform((x, y))[1]) for x, y, _, _ in ends]
    frame = axes.get_window_extent()
    for (x, y, name, colour), place in zip(ends, spread(wanted, step, frame.y0, frame.y1), strict=True):
        moved = (place - float(axes.transData.transform((x, y))[1])) * 72 / figure.dpi
        placed: Any = {"textcoords": "offset points", "va": "center", "color": colour, "fontsize": size}
        axes.annotate(name, (x, y), (6, moved), annotation_clip=False, **placed)


def spread(wanted: Sequence[float], step: float, low: float, high: float) -> list[float]:
    """Returns places near the wanted ones, at least `step` apart, in the same order; within the bounds if they fit.

    Example:
        >>> spread([5.0, 5.0, 20.0], 4.0, 0.0, 30.0)
        [3.0, 7.0, 20.0]
    """
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    groups: list[_Group] = []
    for i in order:
        group = _Group(wanted[i], 1)
        while groups and group.first(step, low, high) - groups[-1].last(step, low, high) < step:
            group = groups.pop().joined(group)
        groups.append(group)
    places = [group.first(step, low, high) + k * step for group in groups for k in range(group.size)]
    result = [0.0] * len(wanted)
    for i, place in zip(order, places, strict=True):
        result[i] = place
    return result


class _Group(NamedTuple):
    """Names that stand one above the other, around the mean of their wanted places as far as the bounds let them."""

    mean: float
    size: int

    def first(self, step: float, low: float, high: float) -> float:
        half = (self.size - 1) * step / 2
        return max(low, min(high - 2 * half, self.mean - half))

    def last(self, step: float, low: float, high: float) -> float:
        return self.first(step, low, high) + (self.size - 1) * step

    def joined(self, other: "_Group") -> "_Group":
        size = self.size + other.size
        return _Group((self.mean * self.size + other.mean * other.size) / size, size)


def _box(x: float, y: float, half: float) -> _Box:
    return (x - half, y - half, x + half, y + half)


def _overlap(a: _Box, b: _Box) -> bool:
    return bool(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])
