"""Kendall's rank correlation against SciPy."""

import numpy as np
import pytest
from scipy import stats

from pdloss.statistics import kendall_tau


@pytest.mark.parametrize("seed", range(5))
def test_kendalls_tau_is_scipys(seed: int) -> None:
    stream = np.random.default_rng(seed)
    u, v = stream.integers(0, 5, (2, 7)).astype(float)  # with ties
    assert kendall_tau(u, v) == pytest.approx(stats.kendalltau(u, v).statistic)
