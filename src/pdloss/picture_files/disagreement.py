"""Where pictures are furthest apart: found by a rule, so that nobody chooses by eye."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8


class Square(NamedTuple):
    """A square part of a picture, in pixels from its upper left corner, and how much it holds."""

    top: int
    left: int
    side: int
    mean: float
    """Of the values in it."""


def disagreement(pictures: Sequence[UInt8[np.ndarray, "h w c"]]) -> Int[np.ndarray, "h w"]:
    r"""Returns how far several pictures are apart at each pixel: the sum of |a - b| over all pairs and channels.

    With the values of one place sorted, :math:`\sum_{i<j} |x_i - x_j| = \sum_k (2k - n + 1) x_{(k)}`.

    Example:
        >>> black, white = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)
        >>> disagreement([black, black, white])
        array([[1530]])
    """
    ordered = np.sort(np.stack(pictures), axis=0)
    weights = 2 * np.arange(len(ordered)) - len(ordered) + 1
    total = sum(weight * layer.sum(axis=-1, dtype=np.int64) for weight, layer in zip(weights, ordered, strict=True))
    return np.asarray(total)


def largest_square(values: Float[np.ndarray, "h w"] | Int[np.ndarray, "h w"], side: int, multiple: int = 1) -> Square:
    """Returns the square with the largest mean; the first one in reading order of equals, which only integers are.

    Args:
        values: One value per pixel.
        side: Longest side of the square; it shrinks to fit a smaller picture.
        multiple: The square starts and ends on multiples of this many pixels, so that it can be cut from a picture
            that is smaller by this factor.

    Example:
        >>> largest_square(np.array([[0, 0, 0], [0, 2, 4], [0, 4, 2]]), 2)
        Square(top=1, left=1, side=2, mean=3.0)
    """
    height, width = values.shape
    side = max(multiple, min(side, height, width) // multiple * multiple)
    sums = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    boxes = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    boxes = boxes[::multiple, ::multiple]
    top, left = np.unravel_index(int(boxes.argmax()), boxes.shape)
    return Square(int(top) * multiple, int(left) * multiple, side, float(boxes[top, left]) / side**2)
