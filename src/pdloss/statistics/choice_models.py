"""From counted choices to scores: Bradley-Terry, Thurstone, and Davidson where ties are allowed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr

from pdloss.statistics.likelihood import (
    Chances,
    Maximum,
    clustered_covariance,
    deviance,
    maximum,
    refuse_without_scores,
)

_Distribution = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Maps differences of scores, and below them the same turned round, to the chance of winning and to its slope."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Maximum-likelihood scores of k methods."""

    scores: Float[np.ndarray, " k"]
    """They sum to zero."""
    covariance: Float[np.ndarray, "k k"]
    """From the expected information, answers being independent; its rows sum to zero, as the scores do."""
    deviance: float
    """Twice the log-likelihood missing to a model that has a parameter for every pair; about chi-squared."""
    freedom: int
    """Its degrees of freedom: none left means that nothing is tested."""
    found: Maximum
    """All parameters, and what each answer says of them."""
    tie: float = 0.0
    """How easily two equal methods tie: Davidson's parameter, 1 for a third of all answers."""

    @property
    def errors(self) -> Float[np.ndarray, " k"]:
        """The standard errors of the scores."""
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))

    def clustered(self, answers: Float[np.ndarray, "g a p"]) -> Float[np.ndarray, "k k"]:
        """Returns the covariance of the scores where the answers of one cluster, such as a rater's, hang together.

        Args:
            answers: For each cluster, how often the first method was chosen, how often the second, and of a fit with
                ties how often neither; of each pair, in the order of ``np.triu_indices(k, 1)``.

        Raises:
            ValueError: If there is one cluster only.
        """
        return clustered_covariance(self.moves(answers))

    def moves(self, answers: Float[np.ndarray, "g a p"]) -> Float[np.ndarray, "g k"]:
        """Returns how far the scores would move, to first order, if each cluster's answers counted twice.

        Args:
            answers: As in `clustered`.
        """
        return self.found.moves(answers)[:, : len(self.scores)]


def bradley_terry(wins: Float[np.ndarray, "k k"], prior: float = 0.0, names: Sequence[str] | None = None) -> Fit:
    r"""Returns the scores under which the chance of choosing i over j is the logistic function of their difference.

    .. math:: P(i \succ j) = \frac{1}{1 + e^{-(\theta_i - \theta_j)}}, \qquad \sum_i \theta_i = 0

    Answers count as independent: those of one rater, or on one image, are not quite, and the true errors are larger
    (`Fit.clustered`).

    Args:
        wins: How often the row was chosen over the column; the diagonal is left out.
        prior: Wins added on both sides of every pair that was compared, such as 0.5; keeps the scores of an undefeated
            method finite and shrinks all differences. None by default.
        names: Of the methods, for messages.

    Raises:
        ValueError: If a count is negative, no chain of answers compares some methods with the rest, or some never lost
            to the rest: no finite scores are then the likeliest.

    Example:
        >>> fit = bradley_terry(np.array([[0.0, 30.0], [10.0, 0.0]]))
        >>> round(float(fit.scores[0] - fit.scores[1]), 9) == round(math.log(3), 9), fit.freedom
        (True, 0)

    References:
        | Rank Analysis of Incomplete Block Designs (Bradley and Terry, 1952)
    """
    return _two_answers(_counts(wins, prior), _logistic, names)


def thurstone(wins: Float[np.ndarray, "k k"], prior: float = 0.0, names: Sequence[str] | None = None) -> Fit:
    r"""Returns the scores under which the chance of choosing i over j is the normal distribution of their difference.

    .. math:: P(i \succ j) = \Phi(s_i - s_j), \qquad \sum_i s_i = 0

    Thurstone's case V with the standard deviation of a difference as the unit; for just-objectionable differences,
    of which one means 75 %, divide by 0.6745.

    Args:
        wins: As in `bradley_terry`.
        prior: As in `bradley_terry`.
        names: As in `bradley_terry`.

    Raises:
        ValueError: As `bradley_terry`.

    Example:
        >>> fit = thurstone(np.array([[0.0, 75.0], [25.0, 0.0]]))
        >>> round(float(fit.scores[0] - fit.scores[1]), 4)
        0.6745

    References:
        | A Law of Comparative Judgment (Thurstone, 1927)
    """
    return _two_answers(_counts(wins, prior), _normal, names)


def davidson(
    wins: Float[np.ndarray, "k k"],
    ties: Float[np.ndarray, "k k"],
    prior: float = 0.0,
    names: Sequence[str] | None = None,
) -> Fit:
    r"""Returns Bradley-Terry scores where raters may answer that they see no difference.

    .. math:: P(i \succ j) \propto e^{\theta_i}, \quad P(j \succ i) \propto e^{\theta_j}, \quad
       P(\text{tie}) \propto \nu\, e^{(\theta_i + \theta_j) / 2}

    Args:
        wins: How often the row was chosen over the column.
        ties: How often neither was, for each pair; symmetric.
        prior: As in `bradley_terry`; none is added to the ties.
        names: As in `bradley_terry`.

    Raises:
        ValueError: If the ties are not symmetric, none or all answers are ties, a count is negative, no chain of
            answers compares some methods with the rest, or some neither lost to nor tied with the rest.

    Example:
        >>> fit = davidson(np.array([[0.0, 20.0], [20.0, 0.0]]), np.array([[0.0, 40.0], [40.0, 0.0]]))
        >>> fit.scores.tolist(), round(fit.tie, 6)
        ([0.0, 0.0], 2.0)

    References:
        | On Extending the Bradley-Terry Model to Accommodate Ties in Paired Comparison Experiments (Davidson, 1970)
    """
    if not np.array_equal(ties, ties.T) or (ties < 0).any():
        raise ValueError("ties are counted once for each pair: the matrix must be symmetric and not negative")
    won, k = _counts(wins, prior), len(wins)
    i, j = np.triu_indices(k, 1)
    counts = np.stack([won[i, j], won[j, i], ties[i, j].astype(float)])
    if not counts[2].any() or not won.any():
        raise ValueError("with no tie at all use bradley_terry; with nothing but ties there is nothing to score")
    refuse_without_scores((won > 0) | (ties > 0), names)
    # What a win, a loss and a tie draw at: half the difference of the scores, and the logarithm of ν.
    difference, tied = np.array([0.5, -0.5, 0.0]), np.array([0.0, 0.0, 1.0])
    design = np.concatenate([_differences(k), np.zeros((len(i), 1))], axis=1)
    gradients = difference[:, None, None] * design + tied[:, None, None] * np.eye(k + 1)[-1]

    def chances(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits = gradients @ parameters
        powers = np.exp(logits - logits.max(axis=0))
        p = powers / powers.sum(axis=0)
        return p, gradients - np.einsum("ap,apk->pk", p, gradients)

    return _fit(counts, chances, k, parameters=k + 1)


def _counts(wins: Float[np.ndarray, "k k"], prior: float) -> Float[np.ndarray, "k k"]:
    if (wins < 0).any() or not np.isfinite(wins).all() or prior < 0:
        raise ValueError("counts of choices, and what a prior adds to them, are finite and not negative")
    counts = wins.astype(float)
    counts[(wins + wins.T) > 0] += prior
    np.fill_diagonal(counts, 0.0)
    return counts


def _two_answers(won: Float[np.ndarray, "k k"], distribution: _Distribution, names: Sequence[str] | None) -> Fit:
    """Returns the fit of a model in which a score's difference goes through a distribution symmetric about zero."""
    refuse_without_scores(won > 0, names)
    i, j = np.triu_indices(len(won), 1)
    design = _differences(len(won))

    def chances(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        both = design @ scores
        p, slopes = distribution(np.stack([both, -both]))
        steepness = slopes / np.maximum(p, 1e-300)
        return p, np.stack([steepness[0][:, None] * design, -steepness[1][:, None] * design])

    return _fit(np.stack([won[i, j], won[j, i]]), chances, len(won), parameters=len(won))


def _fit(counts: Float[np.ndarray, "a p"], chances: Chances, k: int, parameters: int) -> Fit:
    found = maximum(counts, chances, np.zeros(parameters))
    free = (len(counts) - 1) * int((counts.sum(axis=0) > 0).sum()) - (parameters - 1)
    scores, covariance = found.parameters[:k], found.covariance[:k, :k]
    tie = math.exp(found.parameters[k]) if parameters > k else 0.0
    return Fit(scores - scores.mean(), covariance, deviance(counts, found.chances), free, found, tie)


def _differences(k: int) -> Float[np.ndarray, "p k"]:
    """Returns the matrix that takes scores to the difference of each pair."""
    i, j = np.triu_indices(k, 1)
    return np.asarray(np.eye(k)[i] - np.eye(k)[j])


def _logistic(difference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p = 1 / (1 + np.exp(-np.clip(difference, -500, 500)))
    return p, p * p[::-1]


def _normal(difference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return ndtr(difference), np.exp(-(difference**2) / 2) / math.sqrt(2 * math.pi)
