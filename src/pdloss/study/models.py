"""From counted choices to scores: Bradley-Terry, Thurstone, and Davidson where ties are allowed; numpy alone."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Bool, Float

_NORMAL = NormalDist()

_Link = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Maps differences of scores to the chance of winning, and to its derivative."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Maximum-likelihood scores of k methods."""

    scores: Float[np.ndarray, " k"]
    """They sum to zero."""
    covariance: Float[np.ndarray, "k k"]
    """From the expected information; its rows sum to zero, as the scores do."""
    deviance: float
    """Twice the log-likelihood missing to a model that has a parameter for every pair; about chi-squared."""
    freedom: int
    """Its degrees of freedom: none left means that nothing is tested."""
    tie: float = 0.0
    """How easily two equal methods tie: Davidson's parameter, 1 for a third of all answers."""

    @property
    def errors(self) -> Float[np.ndarray, " k"]:
        """The standard errors of the scores."""
        return np.sqrt(np.diag(self.covariance))

    def difference_error(self, i: int, j: int) -> float:
        """Returns the standard error of the difference of two scores; they are not independent."""
        c = self.covariance
        return math.sqrt(max(0.0, float(c[i, i] + c[j, j] - 2 * c[i, j])))


def bradley_terry(wins: Float[np.ndarray, "k k"], prior: float = 0.0) -> Fit:
    r"""Returns the scores under which the chance of choosing i over j is the logistic function of their difference.

    .. math:: P(i \succ j) = \frac{1}{1 + e^{-(\theta_i - \theta_j)}}, \qquad \sum_i \theta_i = 0

    Answers count as independent: those of one rater, or on one image, are not quite, and the true errors are larger.

    Args:
        wins: How often the row was chosen over the column; the diagonal is left out.
        prior: Wins added on both sides of every pair that was compared, such as 0.5; keeps the scores of an undefeated
            method finite and shrinks all differences. None by default.

    Raises:
        ValueError: If a count is negative, or the methods fall into two groups of which one never won against the
            other: no finite scores are then the likeliest.

    Example:
        >>> fit = bradley_terry(np.array([[0.0, 30.0], [10.0, 0.0]]))
        >>> float(fit.scores[0] - fit.scores[1]) - math.log(3) < 1e-9, fit.freedom
        (True, 0)

    References:
        | Rank Analysis of Incomplete Block Designs (Bradley and Terry, 1952)
    """
    return _fitted(_counts(wins, prior), _logistic)


def thurstone(wins: Float[np.ndarray, "k k"], prior: float = 0.0) -> Fit:
    r"""Returns the scores under which the chance of choosing i over j is the normal distribution of their difference.

    .. math:: P(i \succ j) = \Phi(s_i - s_j), \qquad \sum_i s_i = 0

    Thurstone's case V with the standard deviation of a difference as the unit; for just-objectionable differences,
    of which one means 75 %, divide by 0.6745.

    Args:
        wins: As in `bradley_terry`.
        prior: As in `bradley_terry`.

    Raises:
        ValueError: As `bradley_terry`.

    Example:
        >>> fit = thurstone(np.array([[0.0, 75.0], [25.0, 0.0]]))
        >>> round(float(fit.scores[0] - fit.scores[1]), 4)
        0.6745

    References:
        | A Law of Comparative Judgment (Thurstone, 1927)
    """
    return _fitted(_counts(wins, prior), _normal)


def davidson(wins: Float[np.ndarray, "k k"], ties: Float[np.ndarray, "k k"]) -> Fit:
    r"""Returns Bradley-Terry scores where raters may answer that they see no difference.

    .. math:: P(i \succ j) \propto e^{\theta_i}, \quad P(j \succ i) \propto e^{\theta_j}, \quad
       P(\text{tie}) \propto \nu\, e^{(\theta_i + \theta_j) / 2}

    Args:
        wins: How often the row was chosen over the column.
        ties: How often neither was, for each pair; symmetric.

    Raises:
        ValueError: If the ties are not symmetric, none or all answers are ties, a count is negative, or the methods
            fall into two groups of which one neither won against the other nor tied with it.

    Example:
        >>> fit = davidson(np.array([[0.0, 20.0], [20.0, 0.0]]), np.array([[0.0, 40.0], [40.0, 0.0]]))
        >>> fit.scores.tolist(), round(fit.tie, 6)
        ([0.0, 0.0], 2.0)

    References:
        | On Extending the Bradley-Terry Model to Accommodate Ties in Paired Comparison Experiments (Davidson, 1970)
    """
    won, tied = _counts(wins, 0.0), np.triu(ties, 1)
    if not np.array_equal(ties, ties.T) or (ties < 0).any():
        raise ValueError("ties are counted once for each pair: the matrix must be symmetric and not negative")
    if not tied.any() or not won.any():
        raise ValueError("with no tie at all use bradley_terry; with nothing but ties there is nothing to score")
    _refuse_apart(won + ties > 0)
    i, j = np.triu_indices(len(won), 1)
    counts = np.stack([won[i, j], won[j, i], tied[i, j]])
    design = np.zeros((len(i), 2, len(won) + 1))  # of each pair: half the difference of scores, the log of ν
    design[np.arange(len(i)), 0, i], design[np.arange(len(i)), 0, j], design[:, 1, -1] = 0.5, -0.5, 1.0
    statistics = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]])  # what a win, a loss and a tie say

    def chances(parameters: np.ndarray) -> np.ndarray:
        logits = np.einsum("psk,k,sa->ap", design, parameters, statistics)
        powers = np.exp(logits - logits.max(axis=0))
        return np.asarray(powers / powers.sum(axis=0))

    def step(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p, n = chances(parameters), counts.sum(axis=0)
        gradient = np.einsum("psk,sa,ap->k", design, statistics, counts - n * p)
        mean = statistics @ p
        spread = np.einsum("sa,ta,ap->pst", statistics, statistics, p) - np.einsum("sp,tp->pst", mean, mean)
        return gradient, np.einsum("p,psk,pst,ptl->kl", n, design, spread, design)

    parameters, covariance = _climbed(
        np.zeros(len(won) + 1), step, lambda parameters: float(_xlog(counts, chances(parameters)).sum())
    )
    k, compared = len(won), counts.sum(axis=0) > 0
    deviance = _deviance(counts[:, compared], chances(parameters)[:, compared])
    freedom = 2 * int(compared.sum()) - k
    return Fit(parameters[:k], covariance[:k, :k], deviance, freedom, math.exp(parameters[k]))


def preference_error(share: float, answers: int) -> float:
    """Returns the standard error of a share of independent answers.

    Example:
        >>> round(preference_error(0.5, 500), 4)  # the worst case of the paper's tables
        0.0224
    """
    return math.sqrt(share * (1 - share) / answers)


def _counts(wins: Float[np.ndarray, "k k"], prior: float) -> Float[np.ndarray, "k k"]:
    if (wins < 0).any() or not np.isfinite(wins).all() or prior < 0:
        raise ValueError("counts of choices, and what a prior adds to them, are finite and not negative")
    counts = wins.astype(float)
    counts[(wins + wins.T) > 0] += prior
    np.fill_diagonal(counts, 0.0)
    return counts


def _refuse_apart(reaches: Bool[np.ndarray, "k k"]) -> None:
    """Refuses methods of which some never won, even by way of others, against the rest."""
    reached = reaches | np.eye(len(reaches), dtype=bool)
    for via in range(len(reached)):
        reached |= reached[:, via : via + 1] & reached[via]
    if not reached.all():
        i, j = np.argwhere(~reached)[0].tolist()
        raise ValueError(
            f"method {i} never won against method {j}, nor through others: no finite scores are the likeliest; "
            "collect more answers, leave a method out, or give a prior such as 0.5"
        )


def _fitted(counts: Float[np.ndarray, "k k"], link: _Link) -> Fit:
    _refuse_apart(counts > 0)
    k = len(counts)
    i, j = np.triu_indices(k, 1)
    won, n = counts[i, j], counts[i, j] + counts[j, i]
    design = np.zeros((len(i), k))
    design[np.arange(len(i)), i], design[np.arange(len(i)), j] = 1.0, -1.0

    def step(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p, slope = link(design @ scores)
        weight = slope / np.maximum(p * (1 - p), 1e-300)
        return design.T @ ((won - n * p) * weight), design.T @ (design * (n * slope * weight)[:, None])

    def likelihood(scores: np.ndarray) -> float:
        p = link(design @ scores)[0]
        return float((_xlog(won, p) + _xlog(n - won, 1 - p)).sum())

    scores, covariance = _climbed(np.zeros(k), step, likelihood)
    p = link(design @ scores)[0]
    deviance = _deviance(np.stack([won, n - won])[:, n > 0], np.stack([p, 1 - p])[:, n > 0])
    return Fit(scores, covariance, deviance, int((n > 0).sum()) - (k - 1))


def _climbed(
    start: np.ndarray,
    step: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    likelihood: Callable[[np.ndarray], float],
) -> tuple[np.ndarray, np.ndarray]:
    """Returns where the likelihood is largest, by Fisher scoring, and the inverse of the information there.

    The information knows nothing of a shift of all scores; its pseudo-inverse leaves their sum at zero.
    """
    here, value = start, likelihood(start)
    for _ in range(200):
        gradient, information = step(here)
        move = np.linalg.pinv(information, hermitian=True) @ gradient
        if np.abs(move).max() < 1e-11:
            break
        there = here + move
        while likelihood(there) < value - 1e-9 * abs(value) and np.abs(there - here).max() > 1e-12:
            there = (here + there) / 2
        here, value = there, likelihood(there)
    return here, np.linalg.pinv(step(here)[1], hermitian=True)


def _deviance(counts: Float[np.ndarray, "a p"], chances: Float[np.ndarray, "a p"]) -> float:
    shares = counts / counts.sum(axis=0)
    return 2 * float((_xlog(counts, np.where(counts > 0, shares, 1.0)) - _xlog(counts, chances)).sum())


def _xlog(counts: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Returns counts times the logarithm, zero where nothing was counted."""
    return np.asarray(np.where(counts > 0, counts * np.log(np.maximum(chances, 1e-300)), 0.0))


def _logistic(difference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p = 1 / (1 + np.exp(-np.clip(difference, -500, 500)))
    return p, p * (1 - p)


def _normal(difference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p = np.array([_NORMAL.cdf(d) for d in difference.tolist()])
    return p, np.array([_NORMAL.pdf(d) for d in difference.tolist()])
