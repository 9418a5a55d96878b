"""Tails against SciPy, which the package itself does without."""

import pytest
from scipy import stats

from pdloss.study.analysis.tails import binomial_p_value, chi_squared_tail


@pytest.mark.parametrize("answers", [1, 7, 20, 500, 5000])
def test_the_binomial_agrees_with_scipy(answers: int) -> None:
    for chosen in sorted({0, 1, answers // 3, answers // 2, answers - 1, answers}):
        assert binomial_p_value(chosen, answers) == pytest.approx(stats.binomtest(chosen, answers).pvalue, rel=1e-9)


def test_nothing_asked_says_nothing() -> None:
    assert binomial_p_value(0, 0) == 1.0
    with pytest.raises(ValueError, match="4 choices out of 3"):
        binomial_p_value(4, 3)


@pytest.mark.parametrize("freedom", [1, 2, 3, 6, 10, 45, 300])
def test_chi_squared_agrees_with_scipy(freedom: int) -> None:
    for value in (0.0, 1e-3, 0.7, 3.5, 9.9, 60.0, 1500.0):
        assert chi_squared_tail(value, freedom) == pytest.approx(stats.chi2.sf(value, freedom), rel=1e-9, abs=1e-300)


def test_refuses_what_no_chi_squared_is() -> None:
    with pytest.raises(ValueError, match="got -1.0 and 3"):
        chi_squared_tail(-1.0, 3)
    with pytest.raises(ValueError, match="degree of freedom"):
        chi_squared_tail(1.0, 0)
