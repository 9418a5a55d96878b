"""Frontiers and areas: by hand, by counting random points, and by brute force."""

import numpy as np
import pytest

from pdloss.statistics import hypervolume, lower_is_better, undominated

UP_DOWN = ["higher", "lower"]


def test_the_area_of_a_staircase_by_hand() -> None:
    """From (27, 0.30): steps to (30, 0.28), (29, 0.22), (28, 0.20) win 3*0.02 + 2*0.06 + 1*0.02 = 0.20."""
    points = np.array([[29.0, 0.22], [28.0, 0.20], [30.0, 0.28]])
    assert hypervolume(points, (27.0, 0.30), UP_DOWN) == pytest.approx(0.20)


def test_one_point_wins_its_rectangle_in_every_direction() -> None:
    for better, corner in (
        (["higher", "higher"], (0.0, 0.0)),
        (["lower", "lower"], (4.0, 10.0)),
        (["higher", "lower"], (0.0, 10.0)),
        (["lower", "higher"], (4.0, 0.0)),
        (["zero", "higher"], (-4.0, 0.0)),
    ):
        width = 2.0  # of 2 from 0, from 4, and of its distance to zero from 4
        height = 5.0
        assert hypervolume(np.array([[2.0, 5.0]]), corner, better) == pytest.approx(width * height)


def test_beaten_equal_and_useless_points_add_nothing() -> None:
    points = np.array([[29.0, 0.22], [28.0, 0.20]])
    more = np.vstack([points, points, [[28.5, 0.25]], [[26.0, 0.1]], [[31.0, 0.30]]])
    assert hypervolume(more, (27.0, 0.30), UP_DOWN) == pytest.approx(hypervolume(points, (27.0, 0.30), UP_DOWN))


def test_no_points_win_nothing() -> None:
    assert hypervolume(np.empty((0, 2)), (0.0, 0.0), UP_DOWN) == 0.0


def test_agrees_with_counting_random_points() -> None:
    stream = np.random.default_rng(0)
    points = stream.random((30, 2))
    darts = stream.random((40_000, 2))
    hit = (points[:, None] >= darts[None]).all(axis=-1).any(axis=0).mean()
    assert hypervolume(points, (0.0, 0.0), ["higher", "higher"]) == pytest.approx(hit, abs=4 * 0.5 / 200)


def test_a_larger_unit_multiplies_the_area() -> None:
    points = np.random.default_rng(1).random((10, 2))
    plain = hypervolume(points, (0.0, 1.0), UP_DOWN)
    assert hypervolume(points * [3.0, 5.0], (0.0, 5.0), UP_DOWN) == pytest.approx(15 * plain)


def test_the_undominated_are_those_that_no_other_beats() -> None:
    points = np.random.default_rng(2).integers(0, 6, (40, 2)).astype(float)

    def beaten(p: np.ndarray) -> bool:
        return any(q[0] >= p[0] and q[1] <= p[1] and (q != p).any() for q in points)

    assert undominated(points, UP_DOWN).tolist() == [not beaten(p) for p in points]


def test_equal_points_stay_together() -> None:
    assert undominated(np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 2.0]]), UP_DOWN).tolist() == [True, True, False]


def test_near_zero_is_best_on_either_side() -> None:
    assert undominated(np.array([[-0.3], [0.2], [0.4]]), ["zero"]).tolist() == [False, True, False]
    assert undominated(np.array([[-0.2], [0.2]]), ["zero"]).tolist() == [True, True]


def test_three_scores_keep_what_is_best_in_one() -> None:
    points = np.eye(3)
    assert undominated(points, ["higher"] * 3).all()
    assert undominated(np.vstack([points, [[1.0, 1.0, 0.0]]]), ["higher"] * 3).tolist() == [False, False, True, True]


def test_refuses_other_directions() -> None:
    with pytest.raises(ValueError, match="as many directions"):
        lower_is_better(np.zeros((1, 2)), ["higher"])
    with pytest.raises(ValueError, match="'best'"):
        lower_is_better(np.zeros((1, 1)), ["best"])
