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
    """The two runs of the sweep that lie around the level, by their place in it."""
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

    The runs of a sweep are taken in the order of their mean first score :math:`\bar x_k`; between the neighbours around
    the level :math:`t`, the second score is linear in the first:

    .. math:: y(t) = \bar y_k + \frac{t - \bar x_k}{\bar x_{k+1} - \bar x_k} (\bar y_{k+1} - \bar y_k)

    In a resample the level moves with the mean first score of all runs, :math:`t^* = t + \bar x^* - \bar x`: drawing
    harder images lowers every run, and what is compared is the runs, not the draw. The neighbours stay those of the
    images themselves; where their first scores nearly coincide, the replicates scatter and the interval is wide.

    Args:
        sweeps: For each sweep the first and the second score, one row for each run, one column for each image.
        level: The mean first score to compare at.
        shares: Resamples of the images, as `resample_shares` draws them.

    Raises:
        ValueError: If the level lies outside a sweep; nothing is extrapolated.

    Example:
        >>> psnr, lpips = np.array([[30.0, 32.0], [28.0, 28.0]]), np.array([[0.3, 0.4], [0.1, 0.2]])
        >>> round(at_level([(psnr, lpips)], 29.5, np.array([[0.5, 0.5]]))[0].value, 3)
        0.25
    """
    every = np.concatenate([first for first, _ in sweeps]).mean(axis=0)
    moved = level + resampled_means(every, shares) - every.mean()
    return [_matched(first, second, level, moved, shares) for first, second in sweeps]


def _matched(
    first: Float[np.ndarray, "runs n"],
    second: Float[np.ndarray, "runs n"],
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
    if len(pair) == 1:  # a sweep of one run, exactly at the level
        pair = np.repeat(pair, 2)
    x, y = resampled_means(first[pair], shares), resampled_means(second[pair], shares)
    share = float(_share(np.array([level]), means[pair[:1]], means[pair[1:]])[0])
    ends = second[pair].mean(axis=1)
    return Matched(
        between=(int(pair[0]), int(pair[1])),
        share=share,
        value=float(ends[0] + share * (ends[1] - ends[0])),
        replicates=y[0] + _share(moved, x[0], x[1]) * (y[1] - y[0]),
    )


def _share(
    level: Float[np.ndarray, " m"], start: Float[np.ndarray, " m"], end: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    """Returns how far from `start` to `end` the level lies; half-way where both are equal."""
    gap = end - start
    return np.where(gap == 0, 0.5, (level - start) / np.where(gap == 0, 1.0, gap))
