"""Krippendorff's alpha: the published example, chance, and what must not matter."""

import numpy as np
import pytest

from pdloss.statistics import either_way, krippendorff_alpha

# Four observers, twelve units, five categories, 0 for none: the example of Krippendorff (2011), whose nominal alpha
# is 0.743.
OBSERVED = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
    [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
]


def test_alpha_of_the_published_example() -> None:
    counted = np.stack([(np.array(OBSERVED) == category).sum(axis=0) for category in range(1, 6)], axis=1)
    assert krippendorff_alpha(counted.astype(float)) == pytest.approx(0.743, abs=5e-4)


def test_alpha_of_chance_is_nought() -> None:
    first = np.random.default_rng(0).binomial(10, 0.5, 2000)
    answers = np.stack([first, 10 - first], axis=1).astype(float)
    assert krippendorff_alpha(either_way(answers)) == pytest.approx(0, abs=0.02)


def test_alpha_does_not_care_which_method_is_called_the_first() -> None:
    stream = np.random.default_rng(1)
    answers = stream.integers(0, 6, (30, 3)).astype(float)
    swapped = answers.copy()
    swapped[::2, :2] = answers[::2, 1::-1]
    one, other = (krippendorff_alpha(either_way(a)) for a in (answers, swapped))
    assert one == pytest.approx(other, abs=1e-12)
    assert krippendorff_alpha(answers) != pytest.approx(krippendorff_alpha(swapped), abs=1e-6)


def test_alpha_is_undefined_where_nothing_can_disagree() -> None:
    assert np.isnan(krippendorff_alpha(np.array([[1.0, 0.0], [0.0, 1.0]])))
    assert np.isnan(krippendorff_alpha(np.array([[3.0, 0.0], [2.0, 0.0]])))
