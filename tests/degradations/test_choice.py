"""Strengths drawn from ranges: their distribution, their place in the stream, and the text of what was drawn."""

import math

import pytest
import torch

from pdloss.degradations import JPEG, GaussianNoise, Range
from pdloss.degradations.choice import number, plain

COUNT = 4000


def draws(strength, generator):
    return torch.tensor([number(strength, generator) for _ in range(COUNT)], dtype=torch.float64)


def assert_uniform(values, low, high):
    """Mean and variance of a uniform variable, within five standard errors; and its bounds."""
    assert low <= values.min() and values.max() <= high
    width = high - low
    assert abs(values.mean() - (low + high) / 2) < 5 * width / math.sqrt(12 * COUNT)
    # The fourth central moment is width^4 / 80, the squared variance width^4 / 144.
    assert abs(values.var() - width**2 / 12) < 5 * width**2 * math.sqrt((1 / 80 - 1 / 144) / COUNT)


def test_a_range_is_uniform_between_its_bounds(generator):
    assert_uniform(draws(Range(-0.5, 2.5), generator), -0.5, 2.5)


def test_the_logarithm_of_a_log_range_is_uniform(generator):
    assert_uniform(draws(Range(0.01, 10.0, log=True), generator).log(), math.log(0.01), math.log(10))


def test_whole_bounds_give_whole_numbers_both_included(generator):
    values = draws(Range(3, 6), generator)
    counts = [(values == k).sum().item() for k in (3, 4, 5, 6)]
    assert sum(counts) == COUNT
    assert all(abs(count - COUNT / 4) < 5 * math.sqrt(COUNT * 3 / 16) for count in counts)
    assert isinstance(number(Range(3, 6), generator), int)


def test_whole_log_ranges_give_each_number_the_log_of_the_interval_above_it(generator):
    values = draws(Range(1, 7, log=True), generator)
    for k in range(1, 8):
        share = math.log((k + 1) / k) / math.log(8)
        assert abs((values == k).sum().item() - COUNT * share) < 5 * math.sqrt(COUNT * share * (1 - share))


def test_a_number_is_itself_and_takes_nothing_from_the_stream(generator):
    before = generator.get_state()
    assert number(0.25, generator) == 0.25
    assert GaussianNoise(sigma=0.1).drawn(generator) == GaussianNoise(sigma=0.1)
    assert torch.equal(generator.get_state(), before)


def test_drawing_replaces_ranges_by_numbers_and_leaves_the_rest(generator):
    drawn = GaussianNoise(sigma=Range(0.1, 0.2), clip=False).drawn(generator)
    assert 0.1 <= drawn.sigma <= 0.2 and not drawn.clip
    assert drawn.drawn(generator) is drawn
    chosen = JPEG(quality=Range(10, 95)).drawn(generator)
    assert isinstance(chosen.quality, int)


def test_a_range_that_was_not_drawn_has_no_value(generator):
    with pytest.raises(ValueError, match=r"the range 0..0.5 has no value yet: call drawn\(generator\) first"):
        plain(Range(0.0, 0.5))
    with pytest.raises(ValueError, match="has no value yet"):
        GaussianNoise(sigma=Range(0.0, 0.5)).degraded(torch.rand(3, 4, 4), generator)
