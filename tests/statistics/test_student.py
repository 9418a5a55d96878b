"""Student's t against SciPy."""

import math

import pytest
from scipy import stats

from pdloss.statistics import NORMAL, student_quantile, student_tails


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 8, 23, 24, 299])
@pytest.mark.parametrize("t", [-7.5, -2.0, -0.3, 0.0, 1e-6, 1.0, 3.7, 20.0])
def test_the_tails_agree_with_scipy(t: float, freedom: int) -> None:
    assert student_tails(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("freedom", [1, 2, 3, 23, 299])
@pytest.mark.parametrize("tails", [0.9, 0.05, 0.001])
def test_the_quantile_agrees_with_scipy(tails: float, freedom: int) -> None:
    assert student_quantile(tails, freedom) == pytest.approx(stats.t.isf(tails / 2, freedom), rel=1e-9)


def test_without_a_bound_to_its_freedom_it_is_the_normal_distribution() -> None:
    assert student_quantile(0.05, NORMAL) == pytest.approx(1.959963984540054, rel=1e-14)
    assert student_quantile(0.05, 23) == pytest.approx(2.0686576104190406, rel=1e-9)
    assert student_tails(2.5, NORMAL) == pytest.approx(math.erfc(2.5 / math.sqrt(2)), rel=1e-14)


def test_infinity_has_no_tails() -> None:
    assert student_tails(float("inf"), 5) == pytest.approx(0.0, abs=1e-15)


def test_refuses_no_degrees_of_freedom_and_impossible_shares() -> None:
    with pytest.raises(ValueError, match="got 0"):
        student_tails(1.0, 0)
    with pytest.raises(ValueError, match="got 0"):
        student_quantile(0.05, 0)
    for tails in (0.0, 1.0, -0.1):
        with pytest.raises(ValueError, match=f"got {tails}"):
            student_quantile(tails, 5)
