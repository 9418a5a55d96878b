"""Where pictures are furthest apart, against slow searches."""

import itertools

import numpy as np
import pytest

from pdloss.picture_files.disagreement import Square, disagreement, largest_square


@pytest.mark.parametrize("count", [2, 3, 5])
def test_disagreement_is_the_sum_over_all_pairs_and_channels(count: int) -> None:
    pictures = list(np.random.default_rng(count).integers(0, 256, (count, 7, 9, 3), dtype=np.uint8))
    pairs = [np.abs(a.astype(int) - b).sum(axis=-1) for a, b in itertools.combinations(pictures, 2)]
    assert np.array_equal(disagreement(pictures), np.sum(pairs, axis=0))


def test_the_largest_square_is_that_of_a_search_through_all() -> None:
    values = np.random.default_rng(0).random((23, 31))
    means = {(i, j): values[i : i + 6, j : j + 6].mean() for i in range(18) for j in range(26)}
    best = max(means, key=means.__getitem__)
    found = largest_square(values, 6)
    assert found[:3] == (*best, 6)
    assert found.mean == pytest.approx(means[best])


def test_a_square_keeps_to_multiples_and_shrinks_to_the_picture() -> None:
    values = np.zeros((30, 50))
    values[17:24, 33:40] = 1.0
    assert largest_square(values, 8, multiple=4)[:3] == (16, 32, 8)
    assert largest_square(values, 1000, multiple=4).side == 28


def test_of_equal_squares_the_first_in_reading_order_is_taken() -> None:
    values = np.full((40, 40), 7)
    values[3, 30] = values[20, 5] = 9
    assert largest_square(values, 1) == Square(3, 30, 1, 9.0)
