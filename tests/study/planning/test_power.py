"""How many answers and raters show a preference."""

import pytest
from scipy import stats

from pdloss.study.planning.power import answers_needed, power_table


@pytest.mark.parametrize("share", [0.55, 0.6, 0.7])
def test_the_answers_needed_have_the_power_promised(share: float) -> None:
    n = answers_needed(share)
    # Exact: the smallest two-sided rejection region of the binomial test, against the true preference.
    beyond = stats.binom.ppf(0.975, n, 0.5)
    power = stats.binom.sf(beyond, n, share) + stats.binom.cdf(n - beyond - 1, n, share)
    assert power == pytest.approx(0.8, abs=0.04)  # whole answers make steps of about this size


def test_the_power_table_counts_raters_for_one_pair_and_for_all() -> None:
    row = next(need for need in power_table(pairs=10, questions=20) if need.share == 0.6)
    assert (row.answers, row.raters) == (194, 97)
    assert row.raters_of_all == -(-answers_needed(0.6, level=0.005) * 10 // 20) > row.raters
