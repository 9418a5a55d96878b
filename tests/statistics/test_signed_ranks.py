"""Wilcoxon's test against SciPy, and against all signs written out."""

import itertools

import numpy as np
import pytest
from scipy import stats

from pdloss.statistics import signed_ranks
from pdloss.statistics.signed_ranks import mid_ranks


@pytest.mark.parametrize("n", [1, 2, 5, 6, 11, 24, 50])
def test_agrees_with_scipys_exact_test(n: int) -> None:
    differences = np.random.default_rng(n).normal(0.4, 1, n)
    ours, theirs = signed_ranks(differences), stats.wilcoxon(differences, alternative="two-sided", method="exact")
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert min(ours.statistic, n * (n + 1) / 2 - ours.statistic) == theirs.statistic
    assert ours.used == n


def test_ties_are_exact_over_all_signs() -> None:
    differences = np.array([1.0, 1.0, -1.0, 2.0, 2.0, 3.0, -0.5, 4.0, 4.0])
    ranks = stats.rankdata(np.abs(differences))
    observed = ranks[differences > 0].sum()
    sums = np.array([ranks[list(signs)].sum() for signs in itertools.product([False, True], repeat=9)])
    expected = min(1.0, 2 * min(np.mean(sums <= observed), np.mean(sums >= observed)))
    ours = signed_ranks(differences)
    assert ours.statistic == observed
    assert ours.p_value == pytest.approx(expected)


def test_zeros_are_left_out() -> None:
    assert signed_ranks(np.array([0.0, 1.0, -2.0, 3.0, 0.0])) == signed_ranks(np.array([1.0, -2.0, 3.0]))


def test_identical_runs_give_one() -> None:
    assert signed_ranks(np.zeros(10)) == (0.0, 1.0, 0)


def test_no_five_images_reach_five_percent_and_six_can() -> None:
    assert signed_ranks(np.arange(1.0, 6.0)).p_value == pytest.approx(2 / 32)
    assert signed_ranks(np.arange(1.0, 7.0)).p_value == pytest.approx(2 / 64)


def test_the_other_sign_gives_the_same_p_value() -> None:
    differences = np.random.default_rng(0).normal(0.5, 1, 20).round(1)
    assert signed_ranks(differences).p_value == pytest.approx(signed_ranks(-differences).p_value)


def test_the_normal_approximation_is_scipys_and_close_to_the_exact_one() -> None:
    differences = np.random.default_rng(0).normal(0.13, 1, 250).round(2)
    approximate = signed_ranks(differences, exact_up_to=100)
    theirs = stats.wilcoxon(differences, method="asymptotic", correction=False)
    assert approximate.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert approximate.p_value == pytest.approx(signed_ranks(differences).p_value, rel=0.01)
    assert signed_ranks(differences).p_value != approximate.p_value


def test_errs_in_no_more_than_five_percent_where_nothing_differs() -> None:
    stream = np.random.default_rng(0)
    rejected = np.mean([signed_ranks(stream.normal(size=12)).p_value < 0.05 for _ in range(1000)])
    assert 0.03 < rejected < 0.05 + 2 * 0.007


def test_ranks_are_scipys() -> None:
    values = np.array([3.0, 1.0, 3.0, 2.0, 3.0, 1.0])
    assert np.array_equal(mid_ranks(values), stats.rankdata(values))


def test_refuses_what_is_not_finite() -> None:
    with pytest.raises(ValueError, match="finite"):
        signed_ranks(np.array([1.0, np.nan]))
