"""Who is asked what: counts by hand, and balance whatever the numbers."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from pdloss.study.planning.pairing import Cell, Sides, assigned, cells, separated, spread


@pytest.mark.parametrize("methods", [2, 3, 4, 5, 6, 7])
def test_a_balanced_design_has_every_method_equally_often_on_every_image_and_every_pair_over_all(methods: int) -> None:
    images = 3 * (methods // 2)
    found = cells(methods, images, "balanced")
    for image in range(images):
        here = Counter(m for cell in found if cell.image == image for m in (cell.a, cell.b))
        assert len(here) == methods
        assert len(set(here.values())) == 1
    pairs = Counter((cell.a, cell.b) for cell in found)
    assert len(pairs) == methods * (methods - 1) // 2
    assert set(pairs.values()) == {3}
    assert len(found) == len(set(found))


def test_full_designs_have_every_pair_on_every_image() -> None:
    assert len(set(cells(5, 7, "full"))) == 70
    assert cells(5, 7, "active") == cells(5, 7, "full")
    assert all(cell.a < cell.b for cell in cells(4, 2, "full"))


@pytest.mark.parametrize(
    ("methods", "images", "raters", "each"), [(3, 8, 25, 20), (5, 24, 25, 20), (4, 4, 7, 5), (2, 20, 3, 20)]
)
def test_cells_pairs_and_images_are_assigned_evenly(methods: int, images: int, raters: int, each: int) -> None:
    offered = cells(methods, images, "full")
    assignments = assigned(offered, raters, each, np.random.default_rng(0))
    assert [len(assignment) for assignment in assignments] == [each] * raters
    assert all(len(set(assignment)) == each for assignment in assignments), "nobody is asked the same twice"
    counts = Counter(place for assignment in assignments for place in assignment)
    values = [counts[place] for place in range(len(offered))]
    assert max(values) - min(values) <= 1
    pairs = Counter((offered[place].a, offered[place].b) for assignment in assignments for place in assignment)
    assert max(pairs.values()) - min(pairs.values()) <= max(1, len(offered) // len(pairs) // 8)


def test_every_rater_gets_each_pair_and_each_image_about_equally_often() -> None:
    offered = cells(5, 24, "full")
    for assignment in assigned(offered, 12, 20, np.random.default_rng(1)):
        assert set(Counter((offered[p].a, offered[p].b) for p in assignment).values()) == {2}
        assert max(Counter(offered[p].image for p in assignment).values()) <= 2


def test_the_shape_in_which_numpy_gives_places_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = cells(4, 5, "full")
    usual, unique = assigned(offered, 3, 6, np.random.default_rng(0)), np.unique

    def as_in_2_0_0(values: np.ndarray, **options: Any) -> tuple[np.ndarray, np.ndarray]:
        found, places = unique(values, **options)
        return found, places.reshape(-1, 1)

    monkeypatch.setattr(np, "unique", as_in_2_0_0)
    assert assigned(offered, 3, 6, np.random.default_rng(0)) == usual


def test_dealing_goes_on_from_what_was_asked_before() -> None:
    offered = cells(2, 6, "full")
    asked = np.array([3, 0, 3, 3, 0, 3])
    assert sorted(assigned(offered, 1, 2, np.random.default_rng(0), asked)[0]) == [1, 4]


def test_sides_are_even_for_each_pair_whatever_else_is_counted() -> None:
    sides, rng = Sides(np.random.default_rng(0)), np.random.default_rng(1)
    lead = Counter[int]()
    for _ in range(501):
        pair, image = int(rng.integers(3)), int(rng.integers(4))
        lead[pair] += 1 if sides.first_left(("pair", pair), (pair, image)) else -1
        assert abs(lead[pair]) <= 1
    sides.note(True, "elsewhere")
    assert not sides.first_left("elsewhere")


def test_sides_are_not_foreseeable_where_nothing_is_uneven() -> None:
    firsts = [Sides(np.random.default_rng(seed)).first_left("pair") for seed in range(200)]
    assert 70 < sum(firsts) < 130  # four standard errors around 100


def test_neighbours_differ_in_image_whenever_that_is_possible() -> None:
    for seed in range(50):
        images = [0] * 5 + [1, 2, 3, 4]  # only 0?0?0?0?0 will do
        order = separated(range(9), images, np.random.default_rng(seed))
        assert sorted(order) == list(range(9))
        assert [images[k] == 0 for k in order] == [True, False] * 4 + [True]
    assert sorted(separated("aab", [0, 0, 0], np.random.default_rng(0))) == ["a", "a", "b"]


def test_checks_are_spread_and_never_first() -> None:
    places = [Counter(), Counter()]
    for seed in range(200):
        order = spread(list(range(20)), ["x", "y"], np.random.default_rng(seed))
        assert [thing for thing in order if not isinstance(thing, str)] == list(range(20))
        places[0][order.index("x")] += 1
        places[1][order.index("y")] += 1
    assert min(places[0]) == 1
    assert max(places[0]) < min(places[1])
    assert len(places[0]) > 6, "nobody can count on the place"


def test_the_ring_of_four_in_its_two_distances() -> None:
    assert cells(4, 2, "balanced") == [
        Cell(0, 0, 1), Cell(0, 1, 2), Cell(0, 2, 3), Cell(0, 0, 3), Cell(1, 0, 2), Cell(1, 1, 3)
    ]  # fmt: skip
