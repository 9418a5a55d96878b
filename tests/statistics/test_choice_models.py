"""Scores from choices: the paper's tables, estimates of choix, closed forms, and how often the errors hold."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from pdloss.statistics import bradley_terry, davidson, share_error, thurstone

# Shares of choosing the row over the column, 500 answers a pair: the paper's tables III and V.
TABLE_III = [
    [0.0, 0.43, 0.31, 0.29, 0.23],
    [0.57, 0.0, 0.40, 0.38, 0.26],
    [0.69, 0.60, 0.0, 0.47, 0.39],
    [0.71, 0.62, 0.53, 0.0, 0.43],
    [0.77, 0.74, 0.61, 0.57, 0.0],
]
TABLE_V = [
    [0.0, 0.43, 0.31, 0.30, 0.28, 0.24],
    [0.57, 0.0, 0.41, 0.42, 0.37, 0.34],
    [0.69, 0.59, 0.0, 0.47, 0.41, 0.38],
    [0.70, 0.58, 0.53, 0.0, 0.42, 0.39],
    [0.72, 0.63, 0.59, 0.58, 0.0, 0.50],
    [0.76, 0.66, 0.62, 0.61, 0.50, 0.0],
]

FIVE = [[0, 3, 7, 13, 13], [2, 0, 15, 4, 5], [14, 17, 0, 7, 3], [9, 17, 2, 0, 17], [20, 7, 3, 21, 0]]

# What choix 0.4.1 makes of these: opt_pairwise and ilsr_pairwise agree to 1e-10, tolerance 1e-10.
CHOIX = [
    ([[0, 13, 5], [21, 0, 19], [7, 17, 0]], [-0.276031, 0.196695, 0.079336]),
    (FIVE, [-0.090277, -0.384645, 0.234481, 0.009754, 0.230687]),
]


@pytest.mark.parametrize(
    ("table", "scores", "errors", "deviance", "freedom"),
    [
        (TABLE_III, [-0.637, -0.328, 0.127, 0.245, 0.593], [0.039, 0.037, 0.037, 0.037, 0.039], 3.5, 6),
        (
            TABLE_V,
            [-0.669, -0.269, 0.030, 0.085, 0.365, 0.458],
            [0.036, 0.034, 0.034, 0.034, 0.035, 0.035],
            9.9,
            10,
        ),
    ],
)
def test_the_papers_tables_give_their_known_scores(
    table: list, scores: list, errors: list, deviance: float, freedom: int
) -> None:
    fit = bradley_terry(500 * np.array(table))
    assert np.allclose(fit.scores, scores, atol=0.002)
    assert np.allclose(fit.errors, errors, atol=0.002)
    assert fit.deviance == pytest.approx(deviance, abs=0.1)
    assert fit.freedom == freedom


def test_the_worst_error_of_a_preference_is_the_papers() -> None:
    assert share_error(0.5, 500) == pytest.approx(0.0224, abs=5e-5)


@pytest.mark.parametrize(("wins", "scores"), CHOIX)
def test_agrees_with_choix(wins: list, scores: list) -> None:
    assert np.allclose(bradley_terry(np.array(wins, float)).scores, scores, atol=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_choix_on_random_data(seed: int) -> None:
    choix = pytest.importorskip("choix", reason="needs choix, which the package itself does without")
    stream = np.random.default_rng(seed)
    k = int(stream.integers(3, 9))
    wins = stream.integers(0, 12, (k, k)) * (stream.random((k, k)) < 0.7)
    wins[np.arange(k), (np.arange(k) + 1) % k] += 1  # a ring of choices: everybody is beaten by somebody
    np.fill_diagonal(wins, 0)
    data = [(i, j) for i in range(k) for j in range(k) for _ in range(wins[i, j])]
    expected = choix.ilsr_pairwise(k, data, max_iter=10_000, tol=1e-10)
    assert np.allclose(bradley_terry(wins.astype(float)).scores, expected - expected.mean(), atol=1e-4)


def test_a_prior_is_so_many_wins_on_either_side_of_each_compared_pair() -> None:
    wins = np.array([[0, 30, 0], [10, 0, 20], [0, 20, 0]], float)
    added = wins + np.array([[0, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0]])
    assert np.allclose(bradley_terry(wins, prior=0.5).scores, bradley_terry(added).scores, atol=1e-12)
    assert np.ptp(bradley_terry(wins, prior=5.0).scores) < np.ptp(bradley_terry(wins).scores)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_the_oldest_algorithm_on_random_counts(seed: int) -> None:
    """Zermelo's iteration: a strength is its wins over the sum of answers by both strengths."""
    wins = np.random.default_rng(seed).integers(1, 30, (6, 6)).astype(float)
    np.fill_diagonal(wins, 0)
    strengths = np.ones(6)
    for _ in range(3000):
        for i in range(6):
            others = [j for j in range(6) if j != i]
            strengths[i] = wins[i].sum() / sum(
                (wins[i, j] + wins[j, i]) / (strengths[i] + strengths[j]) for j in others
            )
    expected = np.log(strengths)
    assert np.allclose(bradley_terry(wins).scores, expected - expected.mean(), atol=1e-8)


def test_two_methods_have_a_closed_form() -> None:
    fit = bradley_terry(np.array([[0.0, 60.0], [20.0, 0.0]]))
    assert fit.scores[0] - fit.scores[1] == pytest.approx(math.log(3))
    # The scores are half the difference apart from zero, on either side.
    assert fit.errors == pytest.approx(math.sqrt(1 / 60 + 1 / 20) / 2)
    assert (fit.deviance, fit.freedom) == (pytest.approx(0, abs=1e-9), 0)


def test_more_answers_shrink_the_errors_as_the_root() -> None:
    wins = np.array(FIVE, float)
    one, nine = bradley_terry(wins), bradley_terry(9 * wins)
    assert np.allclose(one.scores, nine.scores)
    assert np.allclose(one.errors, 3 * nine.errors)
    assert nine.deviance == pytest.approx(9 * one.deviance)


def test_pairs_need_not_all_be_compared() -> None:
    """A chain a-b-c: each link is the closed form of its own pair."""
    wins = np.array([[0, 30, 0], [10, 0, 20], [0, 20, 0]], float)
    fit = bradley_terry(wins)
    assert np.diff(fit.scores) == pytest.approx([-math.log(3), 0], abs=1e-9)
    assert fit.freedom == 0


def test_the_errors_hold_the_truth_in_95_of_100_studies() -> None:
    truth = np.array([-0.6, -0.1, 0.1, 0.6])
    chances = 1 / (1 + np.exp(-(truth[:, None] - truth[None])))
    stream, inside = np.random.default_rng(0), []
    for _ in range(200):
        upper = np.triu(stream.binomial(80, chances), 1)
        fit = bradley_terry((upper + np.tril((80 - upper).T, -1)).astype(float))
        inside.append(np.abs(fit.scores - truth) < 1.96 * fit.errors)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)


def test_thurstone_is_the_probit_of_the_share_for_two() -> None:
    fit = thurstone(np.array([[0.0, 310.0], [190.0, 0.0]]))
    assert fit.scores[0] - fit.scores[1] == pytest.approx(stats.norm.ppf(0.62))


def test_thurstone_agrees_with_a_general_optimiser() -> None:
    wins = np.array(FIVE, float)

    def loss(free: np.ndarray) -> float:
        scores = np.append(free, -free.sum())
        return -(wins * stats.norm.logcdf(scores[:, None] - scores[None])).sum()

    free = optimize.minimize(loss, np.zeros(4), tol=1e-12).x
    assert np.allclose(thurstone(wins).scores, np.append(free, -free.sum()), atol=1e-5)


def test_davidson_agrees_with_a_general_optimiser() -> None:
    wins = np.array(FIVE, float)
    ties = np.array([[0, 4, 1, 6, 2], [4, 0, 3, 0, 5], [1, 3, 0, 2, 2], [6, 0, 2, 0, 7], [2, 5, 2, 7, 0]], float)

    def loss(free: np.ndarray) -> float:
        scores, nu = np.append(free[:-1], -free[:-1].sum()), math.exp(free[-1])
        strengths = np.exp(scores)
        roots = nu * np.sqrt(np.outer(strengths, strengths))
        total = strengths[:, None] + strengths[None] + roots
        return -(wins * np.log(strengths[:, None] / total) + ties / 2 * np.log(roots / total)).sum()

    found = optimize.minimize(loss, np.zeros(5), tol=1e-12)
    fit = davidson(wins, ties)
    assert np.allclose(fit.scores, np.append(found.x[:4], -found.x[:4].sum()), atol=1e-5)
    assert fit.tie == pytest.approx(math.exp(found.x[4]), rel=1e-4)
    assert fit.freedom == 20 - 5
    h, unit = 1e-3, np.eye(5)
    curvature = [
        [
            sum(a * b * loss(found.x + h * (a * unit[i] + b * unit[j])) for a in (-1, 1) for b in (-1, 1)) / (4 * h * h)
            for i in range(5)
        ]
        for j in range(5)
    ]
    assert np.allclose(fit.errors[:4], np.sqrt(np.diag(np.linalg.inv(curvature)))[:4], rtol=1e-3)


def test_few_ties_leave_bradley_terrys_scores() -> None:
    wins = 1000 * np.array(FIVE, float)
    ties = np.ones((5, 5)) - np.eye(5)
    assert np.allclose(davidson(wins, ties).scores, bradley_terry(wins).scores, atol=2e-3)


@pytest.mark.parametrize("model", [bradley_terry, thurstone])
def test_an_undefeated_method_is_refused_and_a_prior_takes_it(model) -> None:
    wins = np.array([[0, 10, 10], [0, 0, 5], [0, 5, 0]], float)
    with pytest.raises(ValueError, match=r"method 0 never lost to method 1 and method 2, .*prior"):
        model(wins)
    fit = model(wins, prior=0.5)
    assert np.isfinite(fit.scores).all()
    assert fit.scores[0] == fit.scores.max()


def test_methods_that_were_never_compared_are_refused() -> None:
    wins = np.array([[0, 5, 0, 0], [5, 0, 0, 0], [0, 0, 0, 5], [0, 0, 5, 0]], float)
    with pytest.raises(ValueError, match="no answers compare method 0 and method 1 with method 2 and method 3"):
        bradley_terry(wins)


def test_refuses_impossible_counts() -> None:
    with pytest.raises(ValueError, match="not negative"):
        bradley_terry(np.array([[0.0, -1.0], [2.0, 0.0]]))
    wins, ties = np.array([[0.0, 1.0], [2.0, 0.0]]), np.array([[0.0, 1.0], [2.0, 0.0]])
    with pytest.raises(ValueError, match="symmetric"):
        davidson(wins, ties)
    with pytest.raises(ValueError, match="use bradley_terry"):
        davidson(wins, np.zeros((2, 2)))


def test_a_tie_joins_what_no_win_does() -> None:
    wins = np.array([[0, 5, 0], [5, 0, 0], [0, 0, 0]], float)
    ties = np.zeros((3, 3))
    ties[1, 2] = ties[2, 1] = 4
    fit = davidson(wins, ties)
    assert np.isfinite(fit.scores).all()
    assert fit.scores[1] == pytest.approx(fit.scores[2])


def test_davidson_takes_a_prior() -> None:
    wins, ties = np.array([[0, 9], [0, 0]], float), np.array([[0, 3], [3, 0]], float)
    fit = davidson(wins, ties, prior=0.5)
    assert fit.scores[0] - fit.scores[1] == pytest.approx(math.log(9.5 / 0.5))
