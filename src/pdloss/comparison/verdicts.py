"""When a difference counts: the one rule behind every verdict, every star and every headline."""

import math
from typing import Literal

import numpy as np
from jaxtyping import Float

from pdloss.statistics import SignedRanks, percentile_interval

SIGNIFICANT = 0.05
"""How often, over all comparisons together, chance alone may make one count."""

Verdict = Literal["better", "worse", "unclear", "identical"]


def pairs(results: int) -> int:
    """Returns how many pairs so many results form.

    Example:
        >>> pairs(4)
        6
    """
    return results * (results - 1) // 2


def least_images(comparisons: int) -> int:
    """Returns how many images it takes before anything can count: the signs of n differences give 2^(1 - n) at best.

    Example:
        >>> least_images(1), least_images(10)
        (6, 9)
    """
    return next(n for n in range(1, 64) if 2.0 ** (1 - n) * comparisons < SIGNIFICANT)


def corrected_interval(
    replicates: Float[np.ndarray, " b"], n: int, comparisons: int
) -> tuple[float, float] | tuple[None, None]:
    """Returns the interval that holds the truth together with all the others in 95 of 100 cases (Bonferroni).

    Args:
        replicates: The difference in every resample of the images.
        n: Number of images; a single one has no interval.
        comparisons: How many differences are looked at.
    """
    if n < 2:
        return None, None
    level = 1 - SIGNIFICANT / max(1, comparisons)
    low, high = percentile_interval(replicates, n, level, extended=True).tolist()
    return low, high


def corrected_p(p_value: float, comparisons: int) -> float:
    """Returns the p-value after the same correction.

    Example:
        >>> corrected_p(0.01, 3), corrected_p(0.5, 3)
        (0.03, 1.0)
    """
    return min(1.0, comparisons * p_value)


def verdict(
    value: float,
    bounds: tuple[float, float] | tuple[None, None],
    better: str,
    n: int,
    comparisons: int,
    ranks: SignedRanks | None = None,
) -> Verdict:
    """Returns whether a difference counts, and for whom.

    Let m be the number of comparisons: every pair of the results times every metric, whichever of them are shown, so
    that no table, star or sentence can disagree with another. A difference is better or worse where

    1. there are `least_images` of m images or more,
    2. its `corrected_interval` lies on one side of zero, and
    3. where every image has a value, Wilcoxon's signed ranks agree: m times their p-value is below 0.05, and most of
       the images lean the way the mean does. A mean that few images pull one way while most lean the other is no gain
       and no loss.

    Everything else is unclear; where every image has the same value in both, they are identical.

    Args:
        value: The mean difference.
        bounds: Its `corrected_interval`.
        better: Which values are better: "higher", "lower", or "zero" where `value` is a difference of distances.
        n: Number of images.
        comparisons: m.
        ranks: Of the differences of the images; None where there are none, as between points of two sweeps.

    Example:
        >>> verdict(-0.2, (-0.3, -0.1), "lower", 24, 1), verdict(-0.2, (-0.3, 0.1), "lower", 24, 1)
        ('better', 'unclear')
        >>> verdict(-0.2, (-0.3, -0.1), "lower", 5, 1)
        'unclear'
    """
    if ranks is not None and ranks.used == 0:
        return "identical"
    low, high = bounds
    if low is None or high is None or n < least_images(comparisons) or low <= 0 <= high:
        return "unclear"
    if ranks is not None:
        leaning = ranks.statistic - ranks.used * (ranks.used + 1) / 4
        if corrected_p(ranks.p_value, comparisons) >= SIGNIFICANT or math.copysign(1, leaning) != math.copysign(
            1, value
        ):
            return "unclear"
    return "better" if (value > 0) == (better == "higher") else "worse"


def too_few(n: int, comparisons: int) -> list[str]:
    """Returns a sentence if so few images cannot make anything count, whatever they show.

    Example:
        >>> too_few(6, 1), too_few(5, 1)
        ([], ['5 images are too few to call a difference; with 1 comparison it takes at least 6.'])
    """
    needed = least_images(comparisons)
    if n >= needed:
        return []
    return [
        f"{n} image{'s are' if n != 1 else ' is'} too few to call a difference; with {comparisons} comparison"
        f"{'s' if comparisons != 1 else ''} it takes at least {needed}."
    ]


def rule(comparisons: int, resamples: int, seed: int, ranked: bool) -> str:
    """Returns in words how intervals and p-values were made, when a difference counts, and what it does not speak of.

    Args:
        comparisons: How many differences are looked at.
        resamples: Of the bootstrap.
        seed: Of its resamples.
        ranked: Whether every image has a difference, so that its signed ranks count too.
    """
    tests = "Wilcoxon's signed ranks and bootstrap" if ranked else "bootstrap"
    agree = ", and the corrected p of the signed ranks is below 0.05 in the same direction" if ranked else ""
    return (
        f"Intervals: bootstrap over images (expanded percentiles, {resamples:,} resamples, the same ones for all, "
        f"numpy's PCG64, seed {seed}); of means 95 % each, of differences 95 % all together (Student's where resamples "
        f"are too few): corrected, as the p-values are ({tests}, two-sided), by Bonferroni's rule for {comparisons} "
        f"comparison{'s' if comparisons != 1 else ''}, all pairs in all metrics. Better or worse: at least "
        f"{least_images(comparisons)} images, and the interval of the difference lies on one side of zero{agree}. All "
        "this speaks of other images, not of training again with another seed"
    )
