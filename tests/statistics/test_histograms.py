"""Distances of histograms: from the textbook, and the rule by which channels are chosen."""

import math

import numpy as np
import pytest

from pdloss.statistics.histograms import BINS, Distances, histograms, js, kl, similar_kl


def test_kl_and_js_of_two_bins_are_those_of_the_textbook():
    half, quarter = np.array([2, 2]), np.array([1, 3])
    expected = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert kl(half, quarter, floor=0.0) == pytest.approx(expected)
    to_middle = [sum(p * math.log(p / m) for p, m in zip(ps, (0.375, 0.625), strict=True))
                 for ps in ((0.5, 0.5), (0.25, 0.75))]  # fmt: skip
    assert js(half, quarter) == pytest.approx(sum(to_middle) / 2)


def test_channels_of_like_kl_are_chosen_by_how_far_their_values_lie():
    told = {1: (1.0, 5.0), 2: (1.05, 1.0), 3: (9.0, 90.0), 4: (0.95, 3.0), 5: (0.1, 0.2)}
    rows = [Distances(place, far, far, 0.0, 2 * relative, 2.0) for place, (far, relative) in told.items()]
    assert [row.place for row in similar_kl(rows)] == [2, 4, 1]


def test_where_none_is_near_the_median_the_nearest_is_taken_three_times():
    rows = [Distances(place, value, value, 0.0, 1.0) for place, value in ((1, 1.0), (2, 3.0))]
    assert [row.place for row in similar_kl(rows)] == [1, 1, 1]


def test_both_samples_are_counted_whole_in_the_same_bins():
    restored, target = np.array([0.0, 0.5, 3.0]), np.array([1.0, 4.0, 4.0])
    counts, of_target, edges = histograms(restored, target)
    assert (edges[0], edges[-1], len(edges)) == (0.0, 4.0, BINS + 1)
    assert (counts.sum(), of_target.sum(), of_target[-1]) == (3, 3, 2)
    assert counts[np.searchsorted(edges, 0.5, side="right") - 1] == 1
