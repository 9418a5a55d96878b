"""Student's t for whole degrees of freedom, in closed form."""

import math


def student_tails(t: float, freedom: int) -> float:
    r"""Returns the probability that Student's t lies further from zero than `t`, on either side.

    With :math:`\theta = \arctan(|t| / \sqrt\nu)` it is one minus

    .. math:: \tfrac{2}{\pi} \left(\theta + \sin\theta \left[\cos\theta + \tfrac{2}{3} \cos^3\theta + \dots
       + \tfrac{2 \cdot 4 \cdots (\nu - 3)}{3 \cdot 5 \cdots (\nu - 2)} \cos^{\nu - 2}\theta\right]\right)

    for odd :math:`\nu`, and one minus :math:`\sin\theta\,[1 + \tfrac{1}{2} \cos^2\theta + \dots
    + \tfrac{1 \cdot 3 \cdots (\nu - 3)}{2 \cdot 4 \cdots (\nu - 2)} \cos^{\nu - 2}\theta]` for even. Absolute error
    about 1e-15.

    Args:
        t: Any number.
        freedom: Degrees of freedom, at least 1.

    Raises:
        ValueError: If there are no degrees of freedom.

    Example:
        >>> round(student_tails(1.0, 1), 6)
        0.5

    References:
        | Handbook of Mathematical Functions (Abramowitz and Stegun, 1964), 26.7.3 and 26.7.4
    """
    if freedom < 1:
        raise ValueError(f"Student's t needs at least one degree of freedom, got {freedom}")
    angle = math.atan2(abs(t), math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(2 + odd, freedom, 2):  # each term has the next two powers of the cosine
        term *= (k - 1) / k * cosine * cosine
        total += term
    within = (angle + sine * total) * 2 / math.pi if odd else sine * total
    return min(1.0, max(0.0, 1.0 - within))


def student_quantile(tails: float, freedom: int) -> float:
    """Returns the t that lies closer to zero than `tails` of the distribution, both sides together; by bisection.

    Args:
        tails: Between 0 and 1, both excluded; 0.05 gives the 97.5 % quantile.
        freedom: Degrees of freedom, at least 1.

    Raises:
        ValueError: If either is out of range.

    Example:
        >>> round(student_quantile(0.05, 23), 4)
        2.0687
    """
    if not 0 < tails < 1:
        raise ValueError(f"the share of both tails must lie between 0 and 1, got {tails}")
    low, high = 0.0, 1.0
    while student_tails(high, freedom) > tails:
        low, high = high, 2 * high
    for _ in range(60):  # halvings down to the last bit
        middle = (low + high) / 2
        low, high = (middle, high) if student_tails(middle, freedom) > tails else (low, middle)
    return (low + high) / 2
