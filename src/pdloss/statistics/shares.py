"""How surely is a share known, and is it one half? Binomial errors, Wilson's interval and the sign test."""

import math

from scipy.special import bdtr

from pdloss.statistics.bootstrap import Interval
from pdloss.statistics.student import NORMAL, student_quantile


def share_error(share: float, answers: float) -> float:
    """Returns the standard error of a share of independent answers.

    Example:
        >>> round(share_error(0.5, 500), 4)  # the worst case of the paper's tables
        0.0224
    """
    return math.sqrt(share * (1 - share) / answers)


def sign_test(wins: int, losses: int) -> float:
    """Returns the exact two-sided p-value of so many answers for the one and the other, if either were as likely.

    Example:
        >>> sign_test(5, 0), sign_test(3, 3), sign_test(0, 0)
        (0.0625, 1.0, 1.0)
    """
    return min(1.0, 2 * float(bdtr(min(wins, losses), wins + losses, 0.5)))


def wilson_interval(share: float, answers: float, freedom: float = NORMAL) -> Interval:
    r"""Returns the 95 % interval of a share that a test of any share within would not reject.

    .. math:: \frac{p + t^2 / 2n \pm t \sqrt{p (1 - p) / n + t^2 / 4n^2}}{1 + t^2 / n}

    It is never empty and never leaves [0, 1], not even where all answers are the same.

    Args:
        share: Between 0 and 1.
        answers: Independent ones, or as many as they are worth.
        freedom: Of Student's t; of the normal distribution by default, which makes the interval Wilson's own.

    Example:
        >>> low, high = wilson_interval(1.0, 10)
        >>> round(low, 3), round(high, 3)
        (0.722, 1.0)

    References:
        | Probable Inference, the Law of Succession, and Statistical Inference (Wilson, 1927)
    """
    square = student_quantile(0.05, freedom) ** 2 / answers
    middle = share + square / 2
    half = math.sqrt(square * (share * (1 - share) + square / 4))
    return Interval(max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square)))
