"""Tails of the binomial and of the chi-squared distribution, in closed form."""

import math
from fractions import Fraction


def binomial_p_value(chosen: int, answers: int) -> float:
    r"""Returns the exact two-sided p-value of so many choices out of all, if either were as likely: the sign test.

    .. math:: p = \min\Big(1,\; 2^{1 - n} \sum_{i = 0}^{\min(k,\, n - k)} \binom{n}{i}\Big)

    Args:
        chosen: How often one was chosen.
        answers: Out of how many; 1 is returned for none.

    Raises:
        ValueError: If more were chosen than answered, or a count is negative.

    Example:
        >>> binomial_p_value(5, 5), binomial_p_value(3, 6)
        (0.0625, 1.0)
    """
    if not 0 <= chosen <= answers:
        raise ValueError(f"{chosen} choices out of {answers} answers cannot be")
    term = total = 1
    for i in range(1, min(chosen, answers - chosen) + 1):
        term = term * (answers - i + 1) // i
        total += term
    return min(1.0, float(Fraction(2 * total, 2**answers)))


def chi_squared_tail(value: float, freedom: int) -> float:
    r"""Returns the probability that a sum of squares of normal variables exceeds `value`.

    .. math:: e^{-x/2} \sum_{j=0}^{\nu/2 - 1} \frac{(x/2)^j}{j!}, \qquad
       \operatorname{erfc}\sqrt{x/2} + e^{-x/2} \sum_{j=1}^{(\nu - 1)/2} \frac{(x/2)^{j - 1/2}}{\Gamma(j + 1/2)}

    for even and odd :math:`\nu`.

    Args:
        value: Not negative.
        freedom: Degrees of freedom, at least 1.

    Raises:
        ValueError: If either is out of range.

    Example:
        >>> round(chi_squared_tail(3.841459, 1), 6)
        0.05
    """
    if value < 0 or freedom < 1:
        raise ValueError(f"chi-squared is not negative and has a degree of freedom, got {value} and {freedom}")
    if value == 0:
        return 1.0
    half, odd = value / 2, freedom % 2
    start = 0.5 if odd else 0.0
    # Through logarithms: each factor alone overflows for large values.
    terms = ((j + start) * math.log(half) - half - math.lgamma(j + start + 1) for j in range((freedom - odd) // 2))
    return (math.erfc(math.sqrt(half)) if odd else 0.0) + sum(map(math.exp, terms))
