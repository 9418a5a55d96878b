"""Names beside lines and points: none covers another."""

import numpy as np
import pytest

from pdloss.charts.labels import beside_points, spread


@pytest.mark.parametrize("seed", range(5))
def test_places_keep_their_distance_and_their_order(seed: int) -> None:
    wanted = np.random.default_rng(seed).uniform(0, 100, 8).tolist()
    places = spread(wanted, 10.0, 0.0, 100.0)
    order = np.argsort(wanted)
    assert (np.diff(np.array(places)[order]) >= 10.0 - 1e-9).all()
    assert min(places) >= -1e-9
    assert max(places) <= 100.0 + 1e-9


def test_places_far_apart_stay_where_they_are() -> None:
    assert spread([80.0, 10.0, 40.0], 10.0, 0.0, 100.0) == [80.0, 10.0, 40.0]


def test_equal_places_move_apart_evenly() -> None:
    assert spread([50.0, 50.0, 50.0], 10.0, 0.0, 100.0) == [40.0, 50.0, 60.0]


def test_names_of_close_points_do_not_cover_each_other() -> None:
    from matplotlib.figure import Figure

    axes = Figure(figsize=(5, 4)).add_subplot()
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 10)
    points = [(5.0, 5.0), (5.1, 5.0), (5.0, 5.1), (9.8, 9.8)]
    beside_points(axes, points, [(i, f"name {i}", "black", 9.0) for i in range(4)], [])
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[i + 1 :])
    assert boxes[3].x1 < axes.get_window_extent().x1  # at the edge, to the left of its point
