"""Do raters agree with each other? Krippendorff's alpha, and the sums that it is made of."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Disagreement(NamedTuple):
    """The sums that Krippendorff's alpha is made of; those of several sets of units add up."""

    answers: Float[np.ndarray, "*n"]
    """To units that two raters or more answered."""
    unlike: Float[np.ndarray, "*n"]
    """Pairs of unlike answers to the same unit, each unit's divided by one less than its answers."""
    totals: Float[np.ndarray, "*n c"]
    """Answers of each kind."""

    @property
    def alpha(self) -> Float[np.ndarray, "*n"]:
        """Krippendorff's alpha; nan where nothing could disagree."""
        with np.errstate(invalid="ignore", divide="ignore"):
            expected = (self.answers**2 - (self.totals**2).sum(axis=-1)) / (self.answers - 1)
            return np.asarray(1 - self.unlike / np.where(expected > 0, expected, np.nan))


def disagreement(answers: Float[np.ndarray, "*n units c"]) -> Disagreement:
    """Returns the sums of Krippendorff's alpha over the units.

    Args:
        answers: How many raters gave each answer to each unit.
    """
    paired = np.where(answers.sum(axis=-1, keepdims=True) >= 2, answers, 0.0)
    asked = paired.sum(axis=-1)
    unlike = (asked**2 - (paired**2).sum(axis=-1)) / np.maximum(asked - 1, 1)
    return Disagreement(asked.sum(axis=-1), unlike.sum(axis=-1), paired.sum(axis=-2))


def krippendorff_alpha(answers: Float[np.ndarray, "units c"]) -> float:
    r"""Returns Krippendorff's alpha for answers without an order: 1 if all agree, 0 if they agree as chance does.

    .. math:: \alpha = 1 - \frac{D_o}{D_e}, \qquad
       D_o = \frac{1}{n} \sum_u \sum_{c \ne k} \frac{n_{uc}\, n_{uk}}{m_u - 1}, \qquad
       D_e = \sum_{c \ne k} \frac{n_c\, n_k}{n (n - 1)}

    over the units u that :math:`m_u \ge 2` raters answered; n counts their answers. A rater may miss any unit.

    Args:
        answers: How many raters gave each answer to each unit.

    Returns:
        At most 1; nan where no unit has two answers, or all answers are the same and nothing could disagree.

    Example:
        >>> krippendorff_alpha(np.array([[2.0, 0.0], [0.0, 2.0]]))
        1.0

    References:
        | Computing Krippendorff's Alpha-Reliability (Krippendorff, 2011)
        | https://repository.upenn.edu/asc_papers/43
    """
    return float(disagreement(answers).alpha)


def either_way(answers: Float[np.ndarray, "*n units c"]) -> Float[np.ndarray, "*n units2 c"]:
    """Returns the answers to pairs, the first method and the second in the first two columns, and the same mirrored.

    Which method of a pair is called the first means nothing; alpha's chance agreement would depend on it.

    Example:
        >>> either_way(np.array([[3.0, 1.0, 0.0]])).tolist()
        [[3.0, 1.0, 0.0], [1.0, 3.0, 0.0]]
    """
    mirrored = np.concatenate([answers[..., 1::-1], answers[..., 2:]], axis=-1)
    return np.concatenate([answers, mirrored], axis=-2)
