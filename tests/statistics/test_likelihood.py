"""What the models share: who has no scores, and errors where the answers of raters or images hang together."""

import numpy as np
import pytest
from scipy import stats

from pdloss.statistics.choice_models import bradley_terry, thurstone
from pdloss.statistics.likelihood import deviance
from tests.statistics.test_choice_models import FIVE


def test_a_disconnected_group_is_named() -> None:
    wins = np.zeros((4, 4))
    wins[0, 1] = wins[1, 0] = wins[2, 3] = wins[3, 2] = 5
    with pytest.raises(ValueError, match=r"no answers compare a and b with c and d, .*ask about such pairs"):
        bradley_terry(wins, prior=0.5, names=["a", "b", "c", "d"])


def test_an_undefeated_group_is_named() -> None:
    wins = np.array([[0, 2, 3, 0], [2, 0, 0, 1], [0, 0, 0, 4], [0, 0, 4, 0]], float)
    with pytest.raises(ValueError, match=r"pdl and l1 never lost to none and noise, "):
        thurstone(wins, names=["pdl", "l1", "none", "noise"])


def pairs_of(wins: np.ndarray) -> np.ndarray:
    i, j = np.triu_indices(wins.shape[-1], 1)
    return np.stack([wins[..., i, j], wins[..., j, i]], axis=-2).astype(float)


def test_errors_by_single_answers_are_nearly_those_of_the_model() -> None:
    """Each answer a cluster of its own: the sandwich differs by what the data differ from the model."""
    chances = 1 / (1 + np.exp(-np.subtract.outer([0.5, 0.0, -0.5], [0.5, 0.0, -0.5])))
    wins = np.round(1000 * chances * (1 - np.eye(3)))
    single = np.concatenate(
        [np.repeat(np.eye(9)[place].reshape(1, 3, 3), int(n), axis=0) for place, n in enumerate(wins.ravel())]
    )
    fit = bradley_terry(wins)
    assert np.allclose(fit.clustered(pairs_of(single)), fit.covariance, rtol=0.01, atol=1e-6)


def test_raters_of_one_mind_are_worth_one_answer_each() -> None:
    """Every rater gives the same answer ten times: ten times the variance of single answers."""
    stream = np.random.default_rng(0)
    minds = np.zeros((60, 3, 3))
    for rater in range(60):
        for i, j in ((0, 1), (0, 2), (1, 2)):
            minds[(rater, i, j) if stream.random() < 0.6 else (rater, j, i)] = 1
    once, ten = bradley_terry(minds.sum(axis=0)), bradley_terry(10 * minds.sum(axis=0))
    assert np.allclose(ten.clustered(pairs_of(10 * minds)), once.clustered(pairs_of(minds)))
    assert np.allclose(ten.covariance * 10, once.covariance)


def test_moves_are_what_a_little_more_of_a_cluster_does() -> None:
    wins = np.array(FIVE, float)
    clusters = np.stack([np.array(FIVE) // 2, np.array(FIVE) - np.array(FIVE) // 2]).astype(float)
    moves = bradley_terry(wins).moves(pairs_of(clusters))
    h = 1e-4
    for cluster, move in zip(clusters, moves, strict=True):
        more = bradley_terry(wins + h * cluster).scores - bradley_terry(wins - h * cluster).scores
        assert np.allclose(move, more / (2 * h), atol=1e-5)


def test_one_cluster_has_no_errors() -> None:
    with pytest.raises(ValueError, match="at least two of them, got 1"):
        bradley_terry(np.array(FIVE, float)).clustered(pairs_of(np.array(FIVE)[None]))


def test_the_deviance_is_that_of_the_g_test() -> None:
    counts, chances = np.array([[30.0, 7, 0], [10, 13, 0]]), np.array([[0.7, 0.5, 0.5], [0.3, 0.5, 0.5]])
    expected = sum(
        stats.power_divergence(counts[:, place], counts[:, place].sum() * chances[:, place], lambda_=0).statistic
        for place in (0, 1)  # of the third pair nothing was asked
    )
    assert deviance(counts, chances) == pytest.approx(expected)
