"""Resamples, intervals and p-values: closed forms, SciPy's bootstrap, and how often the interval holds the truth."""

import numpy as np
import pytest
from scipy import stats

from pdloss.statistics import bootstrap_p_value, percentile_interval, resample_shares, resampled_means


def test_every_resample_draws_n_images() -> None:
    shares = resample_shares(7, 500, seed=3)
    counts = shares * 7
    assert shares.shape == (500, 7)
    assert np.array_equal(counts, np.rint(counts))
    assert (counts.sum(axis=1) == 7).all()
    # A count is binomial: variance n (1/n) (1 - 1/n) = 6/7, its standard error here about 0.02.
    assert counts.var() == pytest.approx(6 / 7, abs=0.1)


def test_the_seed_decides_the_resamples() -> None:
    assert np.array_equal(resample_shares(5, 20, seed=1), resample_shares(5, 20, seed=1))
    assert not np.array_equal(resample_shares(5, 20, seed=1), resample_shares(5, 20, seed=2))


def test_the_resamples_of_a_seed_stay_what_they_are() -> None:
    """The seed is part of the protocol: these counts were recorded with numpy 2.4."""
    recorded = [[0, 1, 2, 1], [3, 1, 0, 0], [1, 0, 1, 2]]
    assert (resample_shares(4, 3, seed=0) * 4).astype(int).tolist() == recorded


def test_the_mean_of_a_resample_is_the_mean_of_the_images_drawn() -> None:
    values = np.array([[1.0, 2.0, 4.0], [0.0, 0.0, 3.0]])
    shares = np.array([[2, 1, 0], [0, 0, 3]]) / 3
    assert np.allclose(resampled_means(values, shares), [[4 / 3, 4.0], [0.0, 3.0]])


def test_a_constant_has_exactly_itself_as_every_mean() -> None:
    assert (resampled_means(np.full(7, 0.1), resample_shares(7, 200)) == 0.1).all()


def test_the_expanded_interval_of_normal_replicates_is_the_t_interval() -> None:
    """Of a mean the replicates are normal with s sqrt((n - 1) / n) / sqrt(n): expanding gives t s / sqrt(n) again."""
    n = 12
    spread = np.sqrt((n - 1) / n) / np.sqrt(n)
    replicates = stats.norm.ppf((np.arange(200_001) + 0.5) / 200_001) * spread
    assert percentile_interval(replicates, n)[1] == pytest.approx(stats.t.ppf(0.975, n - 1) / np.sqrt(n), rel=1e-3)


def test_the_interval_at_the_plain_percentiles_is_scipys() -> None:
    """At many images the expansion vanishes; SciPy draws its own resamples, so the ends agree to their scatter."""
    values = np.random.default_rng(5).gamma(2.0, size=400)
    ours = percentile_interval(resampled_means(values, resample_shares(400)), 400)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=9999, rng=1).confidence_interval
    assert np.allclose(ours, theirs, atol=0.05 * (theirs.high - theirs.low))


def test_a_wider_level_makes_a_longer_interval() -> None:
    replicates = resampled_means(np.arange(24.0), resample_shares(24))
    lengths = [np.ptp(percentile_interval(replicates, 24, level)) for level in (0.5, 0.9, 0.99)]
    assert lengths == sorted(lengths)
    assert lengths[0] < 0.5 * lengths[2]


@pytest.mark.parametrize("n", [12, 24, 100])
@pytest.mark.parametrize("skewed", [False, True])
def test_the_interval_of_a_difference_holds_the_truth_in_95_of_100_data_sets(n: int, skewed: bool) -> None:
    """500 data sets: what images are hard is common to both runs; 95 % +- 2 %, skewed differences too."""
    stream = np.random.default_rng(20)
    hard = stream.normal(0, 4, (500, n))
    gap = 0.3 + (stream.gamma(4.0, 0.25, (500, n)) - 1.0 if skewed else stream.normal(0, 0.5, (500, n)))
    differences = (hard + gap) - hard
    bounds = percentile_interval(resampled_means(differences, resample_shares(n, 2000)), n)
    covered = np.mean((bounds[:, 0] <= 0.3) & (bounds[:, 1] >= 0.3))
    assert covered == pytest.approx(0.95, abs=0.02)


def test_the_p_value_is_below_five_percent_just_when_the_interval_leaves_out_zero() -> None:
    stream = np.random.default_rng(0)
    shares = resample_shares(15, 2000)
    agreed = []
    for shift in np.linspace(0, 1.2, 60):
        replicates = resampled_means(stream.normal(shift, 1, 15), shares)
        low, high = percentile_interval(replicates, 15)
        agreed.append((bootstrap_p_value(replicates, 15) < 0.05) == (low > 0 or high < 0))
    assert np.mean(agreed) >= 58 / 60  # at the very edge, the one more replicate of the p-value counts


def test_the_p_value_of_normal_differences_is_close_to_the_t_test() -> None:
    for seed in range(5):
        values = np.random.default_rng(seed).normal(0.35, 1, 40)
        ours = bootstrap_p_value(resampled_means(values, resample_shares(40)), 40)
        theirs = stats.ttest_1samp(values, 0).pvalue
        assert np.log(ours) == pytest.approx(np.log(theirs), abs=0.35)


def test_beyond_the_resamples_the_p_value_goes_on_as_the_t_test() -> None:
    values = np.random.default_rng(1).normal(2.0, 1, 30)
    replicates = resampled_means(values, resample_shares(30))
    assert replicates.min() > 0
    ours, theirs = bootstrap_p_value(replicates, 30), stats.ttest_1samp(values, 0).pvalue
    assert theirs < 1e-8
    assert np.log10(ours) == pytest.approx(np.log10(max(theirs, 2.0**-29)), abs=0.2)


def test_the_p_value_knows_no_side() -> None:
    replicates = resampled_means(np.random.default_rng(2).normal(0.5, 1, 20), resample_shares(20, 1000))
    assert bootstrap_p_value(replicates, 20) == bootstrap_p_value(-replicates, 20) < 1


def test_five_images_never_reach_five_percent_and_six_may() -> None:
    for n, least in ((2, 0.5), (5, 1 / 16), (6, 1 / 32)):
        constant = resampled_means(np.full(n, 0.1), resample_shares(n, 100))
        assert bootstrap_p_value(constant, n) == pytest.approx(least)


def test_identical_runs_have_no_difference_to_explain() -> None:
    replicates = resampled_means(np.zeros(24), resample_shares(24, 100))
    assert bootstrap_p_value(replicates, 24) == 1.0
    assert percentile_interval(replicates, 24).tolist() == [0.0, 0.0]


def test_one_image_has_neither_interval_nor_p_value() -> None:
    for function in (percentile_interval, bootstrap_p_value):
        with pytest.raises(ValueError, match="at least two images, got 1"):
            function(np.zeros(10), 1)


def test_refuses_to_resample_nothing() -> None:
    with pytest.raises(ValueError, match="got 0 and 10"):
        resample_shares(0, 10)
    with pytest.raises(ValueError, match="got 3 and 0"):
        resample_shares(3, 0)
