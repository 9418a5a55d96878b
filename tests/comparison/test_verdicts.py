"""When a difference counts: in closed form, and how often chance alone makes one count."""

import numpy as np
import pytest
from scipy import stats

from pdloss.comparison.verdicts import corrected_interval, corrected_p, least_images, rule, too_few, verdict
from pdloss.statistics import resample_shares, resampled_means, signed_ranks

BETTER = (-0.3, -0.1)


def test_the_direction_of_the_metric_decides_for_whom_it_counts() -> None:
    assert verdict(-0.2, BETTER, "lower", 24, 1) == verdict(-0.2, BETTER, "zero", 24, 1) == "better"
    assert verdict(-0.2, BETTER, "higher", 24, 1) == "worse"


def test_an_interval_over_zero_or_none_does_not_count() -> None:
    assert verdict(-0.2, (-0.4, 0.0), "lower", 24, 1) == "unclear"
    assert verdict(-0.2, (None, None), "lower", 24, 1) == "unclear"


@pytest.mark.parametrize(("comparisons", "needed"), [(1, 6), (2, 7), (10, 9), (45, 11)])
def test_the_more_is_compared_the_more_images_it_takes(comparisons: int, needed: int) -> None:
    assert least_images(comparisons) == needed
    assert verdict(-0.2, BETTER, "lower", needed - 1, comparisons) == "unclear"
    assert verdict(-0.2, BETTER, "lower", needed, comparisons) == "better"
    assert too_few(needed, comparisons) == []
    assert f"it takes at least {needed}" in too_few(needed - 1, comparisons)[0]


def test_the_signed_ranks_must_agree() -> None:
    most_up = signed_ranks(np.array([*np.full(18, 0.1), *np.full(6, -1.0)]) + np.arange(24) * 1e-6)
    sure = signed_ranks(-np.arange(1.0, 25.0))
    assert verdict(-0.2, BETTER, "lower", 24, 1, sure) == "better"
    assert verdict(-0.2, BETTER, "lower", 24, 1, most_up) == "unclear"
    assert verdict(0.0, (0.0, 0.0), "lower", 24, 1, signed_ranks(np.zeros(24))) == "identical"


def test_the_corrected_interval_of_a_mean_is_close_to_students_at_bonferronis_level() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 40)
    low, high = corrected_interval(resampled_means(values, resample_shares(40)), 40, 20)
    student = stats.ttest_1samp(values, 0).confidence_interval(1 - 0.05 / 20)
    assert (low, high) == pytest.approx((student.low, student.high), abs=0.08 * (student.high - student.low))
    assert corrected_interval(np.zeros(5), 1, 3) == (None, None)
    assert corrected_p(0.004, 20) == pytest.approx(0.08)


def test_with_very_few_images_the_interval_is_students_and_not_the_range_of_the_replicates() -> None:
    values = np.array([1.0, 1.4, 2.1])
    low, high = corrected_interval(resampled_means(values, resample_shares(3)), 3, 1)
    student = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (low, high) == pytest.approx((student.low, student.high), abs=0.03)  # the range is 1.0 to 2.1


def test_chance_makes_any_of_ten_differences_count_in_at_most_five_of_a_hundred_data_sets() -> None:
    """150 data sets of ten differences that are none: a standard error of 1.8 %, three of which are let through."""
    stream, shares = np.random.default_rng(3), resample_shares(16, 1000)
    wrong = 0
    for _ in range(150):
        gaps = stream.standard_t(5, (10, 16))
        found = []
        for gap in gaps:
            bounds = corrected_interval(resampled_means(gap, shares), 16, 10)
            found.append(verdict(float(gap.mean()), bounds, "lower", 16, 10, signed_ranks(gap)))
        wrong += any(one != "unclear" for one in found)
    assert wrong / 150 <= 0.05 + 3 * 0.018


def test_the_rule_is_said_with_its_numbers() -> None:
    said = rule(10, 500, 7, ranked=True)
    for part in ("500 resamples", "seed 7", "10 comparisons", "at least 9 images", "signed ranks"):
        assert part in said
    assert "signed ranks" not in rule(10, 500, 7, ranked=False)
