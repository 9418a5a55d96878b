"""Which images are chosen."""

from pdloss.report.windows import chosen


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
