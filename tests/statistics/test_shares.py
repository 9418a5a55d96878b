"""Shares with their interval and test: by counting, and against SciPy."""

import math

import pytest
from scipy import stats

from pdloss.statistics import sign_test, wilson_interval


@pytest.mark.parametrize(("wins", "answers"), [(0, 1), (3, 7), (61, 100), (500, 1000), (1999, 2000)])
def test_wilsons_interval_ends_where_the_share_is_z_errors_away(wins: int, answers: int) -> None:
    for end in wilson_interval(wins / answers, answers):
        z = 1.959963984540054  # the 97.5 % quantile of the normal distribution, from tables
        if 0 < end < 1:
            assert abs(wins / answers - end) / math.sqrt(end * (1 - end) / answers) == pytest.approx(z, rel=1e-9)


@pytest.mark.parametrize("answers", [1, 2, 7, 40])
def test_the_sign_test_counts_the_ways_at_least_as_far_from_even(answers: int) -> None:
    for wins in range(answers + 1):
        far = sum(math.comb(answers, k) for k in range(answers + 1) if abs(2 * k - answers) >= abs(2 * wins - answers))
        assert sign_test(wins, answers - wins) == pytest.approx(far / 2**answers, rel=1e-12)
    assert sign_test(0, 0) == 1.0


@pytest.mark.parametrize(("wins", "losses"), [(0, 1), (7, 0), (61, 39), (500, 500), (1900, 2100)])
def test_the_sign_test_is_scipys(wins: int, losses: int) -> None:
    assert sign_test(wins, losses) == pytest.approx(stats.binomtest(wins, wins + losses).pvalue, rel=1e-9)
