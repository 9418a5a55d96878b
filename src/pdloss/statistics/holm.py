"""Several questions asked of the same pictures: p-values that allow for that."""

import numpy as np
from jaxtyping import Float


def holm(p_values: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    r"""Returns Holm's adjusted p-values: below 0.05, all together err in at most 5 % of cases.

    .. math:: \tilde p_{(i)} = \max_{j \le i}\; \min(1,\; (m - j + 1)\, p_{(j)})

    where :math:`p_{(1)} \le \dots \le p_{(m)}`. Holds whatever the dependence between the tests, and rejects at least
    what Bonferroni's correction rejects.

    Args:
        p_values: One for each test, between 0 and 1.

    Raises:
        ValueError: If one is not between 0 and 1.

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03, 0.005]))
        array([0.03, 0.06, 0.06, 0.02])

    References:
        | A Simple Sequentially Rejective Multiple Test Procedure (Holm, 1979)
    """
    if not ((p_values >= 0) & (p_values <= 1)).all():  # also refuses nan
        raise ValueError(f"p-values lie between 0 and 1, got {p_values.tolist()}")
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p_values[order]))
    return adjusted
