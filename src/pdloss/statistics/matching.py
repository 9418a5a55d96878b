"""Sweeps of a loss's weight compared at equal fidelity: what one pays for perception must be the same for all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pdloss.statistics.bootstrap import Interval, resampled_means


@dataclass(frozen=True)
class Matched:
    """One sweep's score where it reaches the level asked for."""

    between: tuple[int, int]
    """The two points of the sweep that lie around the level, by their place in it."""
    share: float
    """How far from the first of them to the second, 0 to 1."""
    value: float
    """The mean score there."""
    replicates: Float[np.ndarray, " resamples"]
    """The mean score there in every resample."""


def common_range(sweeps: Sequence[Float[np.ndarray, "_ n"]]) -> Interval:
    """Returns the mean levels that every sweep reaches between its own runs; the low above the high if there are none.

    Args:
        sweeps: For each sweep the score to match on, one row for each run, one column for each image.

    Example:
        >>> common_range([np.array([[30.0], [27.0]]), np.array([[29.0], [26.0]])])
        Interval(low=27.0, high=29.0)
    """
    means = [sweep.mean(axis=1) for sweep in sweeps]
    return Interval(float(max(m.min() for m in means)), float(min(m.max() for m in means)))


def at_level(
    sweeps: Sequence[tuple[Float[np.ndarray, "_ n"], Float[np.ndarray, "_ n"]]],
    level: float,
    shares: Float[np.ndarray, "resamples n"],
) -> list[Matched]:
    r"""Returns each sweep's second score where its first one has the level asked for.

    The points of a sweep are taken in the order of their mean first score :math:`\bar x_k`; between the neighbours
    around the level :math:`t`, the second score is linear in the first:

    .. math:: y(t) = \bar y_k + \frac{t - \bar x_k}{\bar x_{k+1} - \bar x_k} (\bar y_{k+1} - \bar y_k)

    In a resample the level moves with the mean first score of all points, :math:`t^* = t + \bar x^* - \bar x`: drawing
    harder images lowers every run, and what is compared is the runs, not the draw. The order of the points stays that
    of the images themselves, and the first scores of a resample are made to follow it (isotonic regression: points
    that a resample puts the wrong way round share the means of both their scores). A level that then lies beyond the
    sweep's end takes the score at that end: no replicate is extrapolated, however near two first scores are.

    Args:
        sweeps: For each sweep the first and the second score, one row for each point, one column for each image.
        level: The mean first score to compare at.
        shares: Resamples of the images, as `resample_shares` draws them.

    Raises:
        ValueError: If the level lies outside a sweep; nothing is extrapolated.

    Example:
        >>> psnr, lpips = np.array([[30.0, 32.0], [28.0, 28.0]]), np.array([[0.3, 0.4], [0.1, 0.2]])
        >>> round(at_level([(psnr, lpips)], 29.5, np.array([[0.5, 0.5]]))[0].value, 3)
        0.25

    References:
        | Statistical Inference under Order Restrictions (Barlow et al., 1972), the max-min formula
    """
    every = np.concatenate([first for first, _ in sweeps]).mean(axis=0)
    moved = level + resampled_means(every, shares) - every.mean()
    return [_matched(first, second, level, moved, shares) for first, second in sweeps]


def isotonic(
    x: Float[np.ndarray, "*shape"], y: Float[np.ndarray, "*shape"]
) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    r"""Returns both scores with the first one made to rise along the points.

    .. math:: \hat x_k = \max_{i \le k} \min_{j \ge k} \operatorname{mean}(x_i, \dots, x_j)

    the closest sequence in squares that never falls, for every resample at once (SciPy's takes one). Points that come
    to share a value share the mean of `y` as well.

    Example:
        >>> isotonic(np.array([1.0, 3.0, 2.0]), np.array([0.0, 4.0, 6.0]))
        (array([1. , 2.5, 2.5]), array([0., 5., 5.]))
    """
    count = len(x)
    sums = np.concatenate([np.zeros_like(x[:1]), x.cumsum(axis=0)])
    means = [[(sums[j + 1] - sums[i]) / (j + 1 - i) for j in range(i, count)] for i in range(count)]
    rising = np.stack(
        [
            np.max([np.min([means[i][j - i] for j in range(k, count)], axis=0) for i in range(k + 1)], axis=0)
            for k in range(count)
        ]
    )
    # Rounding in the sums must not part the points of one block.
    near = 1e-9 * (1 + np.abs(x).max(axis=0))
    same = np.abs(rising[:, None] - rising[None]) <= near
    shared = np.einsum("ij...,j...->i...", same, y) / same.sum(axis=1)
    return rising, shared


def _matched(
    first: Float[np.ndarray, "points n"],
    second: Float[np.ndarray, "points n"],
    level: float,
    moved: Float[np.ndarray, " resamples"],
    shares: Float[np.ndarray, "resamples n"],
) -> Matched:
    means = first.mean(axis=1)
    order = np.argsort(means, kind="stable")
    low, high = float(means[order[0]]), float(means[order[-1]])
    if not low <= level <= high:
        raise ValueError(f"the level {level:g} lies outside the sweep, which reaches from {low:g} to {high:g}")
    above = int(np.searchsorted(means[order], level))
    pair = order[max(above - 1, 0) : max(above, 1) + 1]
    if len(pair) == 1:  # a sweep of one point, exactly at the level
        pair = np.repeat(pair, 2)
    share = float(_share(np.array([level]), means[pair[:1]], means[pair[1:]])[0])
    ends = second[pair].mean(axis=1)
    x, y = isotonic(resampled_means(first[order], shares), resampled_means(second[order], shares))
    return Matched(
        between=(int(pair[0]), int(pair[1])),
        share=share,
        value=float(ends[0] + share * (ends[1] - ends[0])),
        replicates=_interpolated(moved, x, y),
    )


def _interpolated(
    level: Float[np.ndarray, " m"], x: Float[np.ndarray, "points m"], y: Float[np.ndarray, "points m"]
) -> Float[np.ndarray, " m"]:
    """Returns y where x, which rises along the points, has the level; beyond its ends, y there."""
    found: Float[np.ndarray, " m"] = y[0].copy()
    for start in range(len(x) - 1):
        share = np.clip(_share(level, x[start], x[start + 1]), 0.0, 1.0)
        here = level > x[start]
        found[here] = (y[start] + share * (y[start + 1] - y[start]))[here]
    return found


def _share(
    level: Float[np.ndarray, " m"], start: Float[np.ndarray, " m"], end: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    """Returns how far from `start` to `end` the level lies; half-way where both are equal."""
    gap = end - start
    share: Float[np.ndarray, " m"] = np.where(gap == 0, 0.5, (level - start) / np.where(gap == 0, 1.0, gap))
    return share
