"""Do choices between pairs go round in circles? Circular triads, and the coefficient of consistence."""

from itertools import combinations

import numpy as np
from jaxtyping import Bool


def circular_triads(prefers: Bool[np.ndarray, "n k k"]) -> tuple[int, int]:
    """Returns in how many triples of methods a is preferred to b, b to c and yet c to a, and how many were decided.

    A triple counts where all its three pairs are decided. Choices at random make a quarter of them circular.

    Args:
        prefers: For each judge, whether the row is preferred to the column; never both ways.

    Example:
        >>> circular_triads(np.array([[[0, 1, 0], [0, 0, 1], [1, 0, 0]]], dtype=bool))
        (1, 1)

    References:
        | On the Method of Paired Comparisons (Kendall and Babington Smith, 1940)
    """
    circular = decided = 0
    known = prefers | prefers.transpose(0, 2, 1)
    for a, b, c in combinations(range(prefers.shape[1]), 3):
        full = known[:, a, b] & known[:, b, c] & known[:, a, c]
        # Round one way or the other: the three choices, taken along the circle, are all alike.
        along, against = prefers[:, a, b], ~prefers[:, a, b]
        round_one_way = along & prefers[:, b, c] & prefers[:, c, a]
        round_the_other = against & prefers[:, c, b] & prefers[:, a, c]
        decided += int(full.sum())
        circular += int((full & (round_one_way | round_the_other)).sum())
    return circular, decided


def consistence(prefers: Bool[np.ndarray, "k k"]) -> float:
    r"""Returns Kendall and Babington Smith's coefficient of consistence of one complete set of choices.

    .. math:: \zeta = 1 - \frac{24 d}{k^3 - k} \quad (k \text{ odd}), \qquad
       \zeta = 1 - \frac{24 d}{k^3 - 4 k} \quad (k \text{ even})

    where d is the number of circular triads: 1 for a ranking, 0 for as many circles as there can be.

    Args:
        prefers: Whether the row is preferred to the column, one way for every pair.

    Raises:
        ValueError: If there are fewer than three methods, or a pair is undecided.

    Example:
        >>> consistence(np.triu(np.ones((4, 4), dtype=bool), 1))
        1.0
    """
    k = len(prefers)
    if k < 3 or not ((prefers ^ prefers.T) | np.eye(k, dtype=bool)).all():
        raise ValueError(f"the coefficient of consistence needs three methods, got {k}, and a choice for every pair")
    return 1 - 24 * circular_triads(prefers[None])[0] / (k**3 - (k if k % 2 else 4 * k))
