"""Wilcoxon's signed-rank test, exact also where differences tie: SciPy's is not, but for a sum over all signs."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

EXACT_UP_TO = 300
"""Differences other than zero; beyond, the normal approximation is good to four digits and the exact sum slow."""


class SignedRanks(NamedTuple):
    """What the signed-rank test finds."""

    statistic: float
    """Sum of the ranks of the positive differences."""
    p_value: float
    """Two-sided."""
    used: int
    """Differences other than zero."""


def signed_ranks(differences: Float[np.ndarray, " n"], exact_up_to: int = EXACT_UP_TO) -> SignedRanks:
    r"""Returns Wilcoxon's two-sided test of paired differences being symmetric about zero.

    .. math:: W^+ = \sum_{i:\, d_i > 0} \operatorname{rank}(|d_i|), \qquad
       p = \min(1,\; 2 \min(P(W^+ \le w),\; P(W^+ \ge w)))

    Zeros are left out before ranking, as Wilcoxon does; equal magnitudes share the mean of their ranks. The
    distribution under all :math:`2^n` signs is exact with ties too, by counting sums of doubled ranks; no p-value can
    be below :math:`2^{1 - n}`, so fewer than six differences never reach 0.05.

    Args:
        differences: One per image, finite.
        exact_up_to: With more differences than this, the normal approximation with the variance of tied ranks.

    Raises:
        ValueError: If a difference is not finite.

    Example:
        >>> signed_ranks(np.array([1.0, 2.0, 3.0, 4.0, 5.0, -6.0]))
        SignedRanks(statistic=15.0, p_value=0.4375, used=6)

    References:
        | Individual Comparisons by Ranking Methods (Wilcoxon, 1945)
    """
    if not np.isfinite(differences).all():
        raise ValueError("the signed-rank test needs finite differences")
    differences = differences[differences != 0]
    if len(differences) == 0:
        return SignedRanks(0.0, 1.0, 0)
    ranks = mid_ranks(np.abs(differences))
    statistic = float(ranks[differences > 0].sum())
    p_value = _exact(ranks, statistic) if len(ranks) <= exact_up_to else _approximate(ranks, statistic)
    return SignedRanks(statistic, p_value, len(ranks))


def mid_ranks(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Returns the ranks from 1; equal values share the mean of theirs.

    Example:
        >>> mid_ranks(np.array([3.0, 1.0, 3.0]))
        array([2.5, 1. , 2.5])
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Float[np.ndarray, " n"] = (last - (counts - 1) / 2)[place]
    return ranks


def _exact(ranks: Float[np.ndarray, " n"], statistic: float) -> float:
    doubled = np.rint(2 * ranks).astype(int)  # mean ranks are halves
    chances = np.zeros(int(doubled.sum()) + 1)
    chances[0] = 1.0
    for rank in doubled:  # each rank counts or not, with equal chances
        chances[rank:] = (chances[rank:] + chances[: len(chances) - rank]) / 2
        chances[:rank] /= 2
    place = round(2 * statistic)
    return min(1.0, 2 * min(float(chances[: place + 1].sum()), float(chances[place:].sum())))


def _approximate(ranks: Float[np.ndarray, " n"], statistic: float) -> float:
    # The sum of n independent terms, each rank or nothing: ties are in the ranks already.
    deviation = statistic - float(ranks.sum()) / 2
    return math.erfc(abs(deviation) / math.sqrt(float((ranks**2).sum()) / 4) / math.sqrt(2))
