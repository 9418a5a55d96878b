"""Which window is found, and which images are chosen."""

import itertools

import numpy as np
import pytest

from pdloss.report.pictures import Window
from pdloss.report.windows import chosen, largest_window, mean_difference


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_difference_is_the_mean_over_all_pairs(count: int) -> None:
    pictures = list(np.random.default_rng(count).integers(0, 256, (count, 7, 9, 3), dtype=np.uint8))
    pairs = [np.abs(a.astype(float) - b).mean(axis=-1) for a, b in itertools.combinations(pictures, 2)]
    np.testing.assert_allclose(mean_difference(pictures), np.mean(pairs, axis=0), rtol=1e-12)


def test_the_largest_window_is_that_of_a_search_through_all() -> None:
    values = np.random.default_rng(0).random((23, 31))
    means = {(i, j): values[i : i + 6, j : j + 6].mean() for i in range(18) for j in range(26)}
    best = max(means, key=means.__getitem__)
    window, mean = largest_window(values, 6)
    assert window == Window(*best, 6, 6)
    assert mean == pytest.approx(means[best])


def test_a_window_keeps_to_multiples_and_shrinks_to_the_picture() -> None:
    values = np.zeros((30, 50))
    values[17:24, 33:40] = 1.0
    window, _ = largest_window(values, 8, multiple=4)
    assert window == Window(16, 32, 8, 8)
    assert largest_window(values, 1000, multiple=4)[0].width == 28


def test_every_image_is_shown_once_for_the_first_rule_that_names_it() -> None:
    apart = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    gains = [0.0, 0.5, 0.1, -0.2, 0.3, 0.2, 0.9]
    assert chosen(apart, gains) == [
        (6, "largest disagreement"),  # and the best case
        (5, "disagreement no. 2"),
        (4, "disagreement no. 3"),
        (3, "median disagreement"),  # and the worst case
    ]
    assert chosen(apart, [0.9, 0.5, 0.1, 0.2, 0.3, 0.2, 0.0])[-2:] == [(3, "median disagreement"), (0, "best case")]


def test_one_image_and_none_have_their_choice() -> None:
    assert chosen([3.0], [0.1]) == [(0, "largest disagreement")]
    assert chosen([3.0], None) == [(0, "largest disagreement")]
    assert chosen([], None) == []
