"""The trade-off of two scores: which points nobody beats, and how much of the plane they win."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float


def undominated(points: Float[np.ndarray, "n k"], better: Sequence[str]) -> Bool[np.ndarray, " n"]:
    """Returns which points no other one matches in every score while beating it in one; equal points stay together.

    Args:
        points: One row for each point, one column for each score.
        better: For each score "higher", "lower", or "zero" where the nearest to zero is best.

    Raises:
        ValueError: If there is not one direction for each score, or an unknown one.

    Example:
        >>> undominated(np.array([[30.0, 0.3], [28.0, 0.1], [27.0, 0.2]]), ["higher", "lower"])
        array([ True,  True, False])
    """
    costs = lower_is_better(points, better)
    no_worse = (costs[:, None] <= costs[None]).all(axis=-1)
    beats = no_worse & (costs[:, None] < costs[None]).any(axis=-1)
    free: Bool[np.ndarray, " n"] = np.logical_not(np.any(beats, axis=0))
    return free


def hypervolume(points: Float[np.ndarray, "n 2"], reference: Sequence[float], better: Sequence[str]) -> float:
    """Returns the area that at least one point beats, as far as the reference point: exact, in the scores' own units.

    A point that does not beat the reference in both scores adds nothing. The area means nothing without its reference
    point: say both.

    Args:
        points: One row for each point.
        reference: The corner, worse in both scores than the points that shall count.
        better: For each score "higher", "lower" or "zero".

    Returns:
        The area, zero for no points.

    Raises:
        ValueError: If there is not one direction for each score, or an unknown one.

    Example:
        >>> hypervolume(np.array([[1.0, 3.0], [2.0, 1.0]]), (0.0, 0.0), ["higher", "higher"])
        4.0
    """
    corner = lower_is_better(np.array([reference], dtype=float), better)[0]
    costs = lower_is_better(points, better)
    costs = costs[(costs < corner).all(axis=1)]
    area, floor = 0.0, float(corner[1])
    for x, y in costs[np.lexsort((costs[:, 1], costs[:, 0]))].tolist():  # from the left, each lowers the floor
        if y < floor:
            area += (float(corner[0]) - x) * (floor - y)
            floor = y
    return area


def lower_is_better(points: Float[np.ndarray, "n k"], better: Sequence[str]) -> Float[np.ndarray, "n k"]:
    """Returns the scores turned so that the lowest is best: negated, as they are, or their distance from zero.

    Raises:
        ValueError: If there is not one direction for each score, or an unknown one.

    Example:
        >>> lower_is_better(np.array([[30.0, -0.2]]), ["higher", "zero"])
        array([[-30. ,   0.2]])
    """
    if len(better) != points.shape[1]:
        raise ValueError(f"{points.shape[1]} scores need as many directions, got {list(better)}")
    turned = points.astype(float)
    for column, direction in enumerate(better):
        turned[:, column] = cost(turned[:, column], direction)
    return turned


def cost(values: Float[np.ndarray, "*shape"], better: str) -> Float[np.ndarray, "*shape"]:
    """Returns scores turned so that the lowest is best.

    Raises:
        ValueError: If the direction is not "higher", "lower" or "zero".

    Example:
        >>> cost(np.array([-0.5, 0.25]), "zero")
        array([0.5 , 0.25])
    """
    if better not in ("higher", "lower", "zero"):
        raise ValueError(f"a score is best when 'higher', 'lower' or near 'zero', got {better!r}")
    return np.abs(values) if better == "zero" else -values if better == "higher" else values
