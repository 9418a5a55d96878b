"""Where pictures differ most, and which images are shown: rules, so that nobody chooses by eye."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8

from pdloss.report.pictures import Window

SIDE = 112
"""Pixels along a crop's side: five crops at twice the size fit a page of 1200, and 2, 4, 7 and 8 divide it."""


def mean_difference(shown: Sequence[UInt8[np.ndarray, "h w 3"]]) -> Float[np.ndarray, "h w"]:
    r"""Returns how far several pictures are apart at each pixel: the mean of |a - b| over all pairs and channels.

    With the values of one place sorted, :math:`\sum_{i<j} |x_i - x_j| = \sum_k (2k - n + 1) x_{(k)}`.

    Example:
        >>> black, white = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)
        >>> mean_difference([black, black, white])
        array([[170.]])
    """
    n = len(shown)
    ordered = np.sort(np.stack(shown), axis=0)
    weights = 2 * np.arange(n) - n + 1
    total = sum(weight * layer.sum(axis=-1, dtype=np.int64) for weight, layer in zip(weights, ordered, strict=True))
    return np.asarray(total / (3 * n * (n - 1) / 2))


def largest_window(values: Float[np.ndarray, "h w"], side: int, multiple: int = 1) -> tuple[Window, float]:
    """Returns the square window with the largest mean, and that mean; the first one in reading order of equals.

    Args:
        values: One value per pixel.
        side: Longest side of the window; it shrinks to fit a smaller picture.
        multiple: The window starts and ends on multiples of this many pixels, so that it can be cut from a picture
            that is smaller by this factor.
    """
    height, width = values.shape
    side = max(multiple, min(side, height, width) // multiple * multiple)
    sums = np.zeros((height + 1, width + 1))
    sums[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
    boxes = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    boxes = boxes[::multiple, ::multiple]
    top, left = np.unravel_index(int(boxes.argmax()), boxes.shape)
    return Window(int(top) * multiple, int(left) * multiple, side, side), float(boxes[top, left]) / side**2


def chosen(apart: Sequence[float], gains: Sequence[float] | None, largest: int = 3) -> list[tuple[int, str]]:
    """Returns the images to show, by their place, and why: each once, for the first rule that names it.

    Args:
        apart: How far the runs' most different windows are apart, one value per image.
        gains: How much the run in question gains on each image over the one it is compared with.
        largest: How many of the images that differ most.

    Example:
        >>> chosen([5.0, 9.0, 1.0, 2.0], [0.1, 0.2, 0.4, -0.3], largest=1)
        [(1, 'largest disagreement'), (0, 'median disagreement'), (2, 'best case'), (3, 'worst case')]
    """
    order = sorted(range(len(apart)), key=lambda i: (-apart[i], i))
    wanted = [(i, "largest disagreement" if rank == 0 else f"disagreement no. {rank + 1}") for rank, i in
              enumerate(order[:largest])]  # fmt: skip
    wanted += [(order[(len(order) - 1) // 2], "median disagreement")] if order else []
    if gains:
        ranked = sorted(range(len(gains)), key=lambda i: (-gains[i], i))
        wanted += [(ranked[0], "best case"), (ranked[-1], "worst case")]
    reasons: dict[int, str] = {}
    for i, why in wanted:
        reasons.setdefault(i, why)
    return list(reasons.items())
