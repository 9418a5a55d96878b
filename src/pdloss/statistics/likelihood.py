"""What all models of choice share: their likelihood climbed, their errors, and what keeps them from having scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from pdloss.files.lists import all_of

Chances = Callable[[Float[np.ndarray, " k"]], tuple[Float[np.ndarray, "a p"], Float[np.ndarray, "a p k"]]]
"""Maps a model's parameters to the chance of each answer a to each pair p, and to the gradients of its logarithm."""


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where a likelihood is largest."""

    parameters: Float[np.ndarray, " k"]
    covariance: Float[np.ndarray, "k k"]
    """The inverse of the expected information, which knows nothing of a shift of all scores: neither does this."""
    chances: Float[np.ndarray, "a p"]
    """Of each answer to each pair."""
    pulls: Float[np.ndarray, "a p k"]
    """Where one more of these answers would draw the parameters: the gradient of its log-likelihood."""

    def moves(self, clusters: Float[np.ndarray, "g a p"]) -> Float[np.ndarray, "g k"]:
        """Returns how far the parameters would move, to first order, if each cluster's answers counted twice.

        Args:
            clusters: The answers of each cluster, counted as the fit's own.
        """
        gradients = np.einsum("gap,apk->gk", clusters, self.pulls, optimize=True)
        moved: Float[np.ndarray, "g k"] = (gradients - gradients.mean(axis=0)) @ self.covariance
        return moved


def maximum(counts: Float[np.ndarray, "a p"], model: Chances, start: Float[np.ndarray, " k"]) -> Maximum:
    r"""Returns the most likely parameters by Fisher scoring, with steps halved while they overshoot.

    .. math:: \theta \leftarrow \theta + I^{+} g, \quad g = \sum_{ap} n_{ap} \nabla \log P_{ap}, \quad
       I = \sum_{ap} n_p P_{ap}\, \nabla \log P_{ap} \nabla \log P_{ap}^{\mathsf T}

    Args:
        counts: How often each answer was given to each pair.
        model: The chances and gradients at given parameters.
        start: Where to begin; of scores, their sum never changes.
    """
    here, asked = start, counts.sum(axis=0)
    chances, pulls = model(here)
    value = likelihood(counts, chances)
    for _ in range(200):
        move = _inverse_information(asked, chances, pulls) @ np.einsum("ap,apk->k", counts, pulls)
        if np.abs(move).max() < 1e-11:
            break
        for _ in range(60):
            chances, pulls = model(here + move)
            if (new := likelihood(counts, chances)) >= value - 1e-9 * abs(value):
                break
            move = move / 2
        here, value = here + move, new
    return Maximum(here, _inverse_information(asked, chances, pulls), chances, pulls)


def likelihood(counts: Float[np.ndarray, "a p"], chances: Float[np.ndarray, "a p"]) -> float:
    """Returns the logarithm of the likelihood of the answers, but for a constant."""
    return float(np.where(counts > 0, counts * np.log(np.maximum(chances, 1e-300)), 0.0).sum())


def deviance(counts: Float[np.ndarray, "a p"], chances: Float[np.ndarray, "a p"]) -> float:
    """Returns twice the log-likelihood that a parameter for every pair would add.

    Example:
        >>> deviance(np.array([[30.0], [10.0]]), np.array([[0.75], [0.25]]))
        0.0
    """
    asked = counts.sum(axis=0)
    shares = counts / np.where(asked > 0, asked, 1.0)
    return 2 * (likelihood(counts, shares) - likelihood(counts, chances))


def clustered_covariance(moves: Float[np.ndarray, "g k"]) -> Float[np.ndarray, "k k"]:
    r"""Returns the covariance of the parameters where answers of one cluster, such as a rater's, hang together.

    The sandwich of the clusters' gradients in the inverse information, for G clusters with the moves :math:`m_c`:

    .. math:: \tfrac{G}{G - 1} \sum_c m_c m_c^{\mathsf T}

    Args:
        moves: Of each cluster, as `Maximum.moves` gives them.

    Raises:
        ValueError: If there is one cluster only.

    References:
        | Robust Inference With Multiway Clustering (Cameron, Gelbach and Miller, 2011)
    """
    if (groups := len(moves)) < 2:
        raise ValueError(f"errors that allow for clusters need at least two of them, got {groups}")
    covariance: Float[np.ndarray, "k k"] = groups / (groups - 1) * moves.T @ moves
    return covariance


def refuse_without_scores(reaches: Bool[np.ndarray, "k k"], names: Sequence[str] | None = None) -> None:
    """Refuses methods that no chain of choices compares, or of which some were never beaten by the others.

    Args:
        reaches: Whether the row was ever chosen over the column, or tied with it.
        names: Of the methods, for the message; by default ``method 0`` and so on.

    Raises:
        ValueError: With the two groups of methods, and what to do.

    Example:
        >>> refuse_without_scores(np.array([[False, True], [True, False]]))
    """
    called = names or [f"method {i}" for i in range(len(reaches))]
    met = _closure(reaches | reaches.T)[0]
    if not met.all():
        raise ValueError(
            f"no answers compare {_listed(called, met)} with {_listed(called, ~met)}, not even through others: they "
            "have no scores on one scale; ask about such pairs, or analyse each group by itself"
        )
    reached = _closure(reaches)
    for i in range(len(reached)):
        # Methods that some method reaches without being reached from any beyond them.
        group = reached[i] & reached[:, i]
        if not group.all() and not reached[~group][:, group].any():
            raise ValueError(
                f"{_listed(called, group)} never lost to {_listed(called, ~group)}, so that no finite scores are the "
                "likeliest; collect more answers, leave methods out, or give a prior such as 0.5"
            )


def _closure(reaches: Bool[np.ndarray, "k k"]) -> Bool[np.ndarray, "k k"]:
    """Returns which methods can be reached by any number of steps, themselves by none."""
    reached: Bool[np.ndarray, "k k"] = reaches | np.eye(len(reaches), dtype=bool)
    for via in range(len(reached)):
        reached |= reached[:, via : via + 1] & reached[via]
    return reached


def _listed(names: Sequence[str], chosen: Bool[np.ndarray, " k"]) -> str:
    return all_of([name for name, is_one in zip(names, chosen.tolist(), strict=True) if is_one])


def _inverse_information(
    asked: Float[np.ndarray, " p"], chances: Float[np.ndarray, "a p"], pulls: Float[np.ndarray, "a p k"]
) -> Float[np.ndarray, "k k"]:
    information = np.einsum("ap,apk,apl->kl", asked * chances, pulls, pulls, optimize=True)
    return np.asarray(np.linalg.pinv(information, hermitian=True))
