"""Student's t and, with no bound to its degrees of freedom, the normal distribution."""

import math

# scipy.special alone: importing scipy.stats takes several times as long.
from scipy.special import stdtr, stdtrit

NORMAL = math.inf
"""Degrees of freedom with which Student's t is the normal distribution."""


def student_tails(t: float, freedom: float) -> float:
    """Returns the probability that Student's t lies further from zero than `t`, on either side.

    Args:
        t: Any number.
        freedom: Degrees of freedom, at least 1; `NORMAL` for the normal distribution.

    Raises:
        ValueError: If there are no degrees of freedom.

    Example:
        >>> round(student_tails(1.0, 1), 6)
        0.5
    """
    if freedom < 1:
        raise ValueError(f"Student's t needs at least one degree of freedom, got {freedom}")
    return 2 * float(stdtr(freedom, -abs(t)))


def student_quantile(tails: float, freedom: float) -> float:
    """Returns the t that lies closer to zero than `tails` of the distribution, both sides together.

    Args:
        tails: Between 0 and 1, both excluded; 0.05 gives the 97.5 % quantile.
        freedom: Degrees of freedom, at least 1; `NORMAL` for the normal distribution.

    Raises:
        ValueError: If either is out of range.

    Example:
        >>> round(student_quantile(0.05, 23), 4), round(student_quantile(0.05, NORMAL), 4)
        (2.0687, 1.96)
    """
    if freedom < 1:
        raise ValueError(f"Student's t needs at least one degree of freedom, got {freedom}")
    if not 0 < tails < 1:
        raise ValueError(f"the share of both tails must lie between 0 and 1, got {tails}")
    return -float(stdtrit(freedom, tails / 2))
