"""Answers counted, by hand."""

import numpy as np
import pytest

from pdloss.errors import UserError
from pdloss.study.analysis.tally import tally
from tests.study.made_up import choices

COUNTED = tally(choices("x 1 a>b\nx 2 b>a\ny 1 a<b\ny 1 c=a\ny 2 b>c\nx 1 b<c"))


def test_sides_do_not_matter() -> None:
    assert COUNTED.methods == ("a", "b", "c")
    assert COUNTED.pairs == [(0, 1), (0, 2), (1, 2)]
    assert COUNTED.wins().tolist() == [[0, 1, 0], [2, 0, 1], [0, 1, 0]]
    assert COUNTED.ties().tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]


def test_raters_and_images_add_up_to_all() -> None:
    assert (COUNTED.raters, COUNTED.images) == (("x", "y"), ("1", "2"))
    for groups in (COUNTED.by_rater, COUNTED.by_image, COUNTED.by_both):
        assert np.array_equal(groups.sum(axis=0), COUNTED.counts)
    assert COUNTED.wins(COUNTED.by_rater)[0].tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0]]
    assert len(COUNTED.by_both) == 4


def test_the_order_of_the_methods_can_be_given() -> None:
    again = tally(choices("x 1 a>b"), ["b", "c", "a"])
    assert again.wins().tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(UserError, match="no rater compared two different methods"):
        tally([], ["a", "b"])
    with pytest.raises(UserError, match="there are answers about c, but the methods are a, b"):
        tally(choices("x 1 a>b\nx 1 a>c"), ["a", "b"])
