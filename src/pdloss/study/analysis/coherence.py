"""Do people agree, with themselves and with each other? Circular triads and Krippendorff's alpha."""

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from pdloss.records import Record
from pdloss.statistics import percentile_interval, resample_shares
from pdloss.study.analysis.tally import Tally


class Triads(Record, frozen=True, kw_only=True):
    """Triples of methods of which all three pairs were decided, and how many of them go round in a circle."""

    circular: int
    decided: int


class Coherence(Record, frozen=True, kw_only=True):
    """How far people agree with themselves and with each other."""

    single: Triads
    """Of single raters on single images; a quarter is circular where choices are random."""
    raters: Triads
    """Of the majorities of single raters over images."""
    all: Triads
    """Of the majorities of all answers."""
    consistence: float | None
    """Kendall and Babington Smith's coefficient of the majorities of all answers; none unless every pair has one."""
    alpha: float | None
    """Krippendorff's, over pairs on images; none where no pair on an image was answered twice."""
    alpha_low: float | None
    """Of its 95 % interval, by the bootstrap over images; none under two images."""
    alpha_high: float | None


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


def coherence(counted: Tally, resamples: int, seed: int) -> Coherence:
    """Returns how far the answers hang together.

    Alpha's units are the pairs on every image, and its values are which of the two was chosen, or a tie; every unit is
    taken both ways round, since which method comes first means nothing.

    Args:
        counted: The answers.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """
    majority = _preferred(counted.wins())
    complete = len(majority) >= 3 and bool((majority | majority.T | np.eye(len(majority), dtype=bool)).all())
    of_images = disagreement(either_way(counted.by_image.transpose(0, 2, 1)))
    alpha = float(Disagreement(*(part.sum(axis=0) for part in of_images)).alpha)
    low, high = _alpha_interval(of_images, resamples, seed)
    return Coherence(
        single=_triads(counted.wins(counted.by_both)),
        raters=_triads(counted.wins(counted.by_rater)),
        all=_triads(counted.wins()[None]),
        consistence=consistence(majority) if complete else None,
        alpha=None if math.isnan(alpha) else alpha,
        alpha_low=low,
        alpha_high=high,
    )


def _preferred(wins: Float[np.ndarray, "*g k k"]) -> Bool[np.ndarray, "*g k k"]:
    return np.asarray(wins > np.swapaxes(wins, -1, -2))


def _triads(wins: Float[np.ndarray, "g k k"]) -> Triads:
    circular, decided = circular_triads(_preferred(wins))
    return Triads(circular=circular, decided=decided)


def _alpha_interval(parts: Disagreement, resamples: int, seed: int) -> tuple[float, float] | tuple[None, None]:
    """Returns alpha's interval over images: its sums are those of the images, however often each is drawn."""
    n = len(parts.answers)
    drawn = n * resample_shares(n, resamples, seed)
    alphas = Disagreement(*(drawn @ part for part in parts)).alpha
    alphas = alphas[np.isfinite(alphas)]
    if n < 2 or len(alphas) < resamples / 2:
        return None, None
    low, high = percentile_interval(alphas, n).tolist()
    return low, min(1.0, high)
