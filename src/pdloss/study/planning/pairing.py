"""Who is asked what: pairs of methods on images, assigned evenly to raters, with sides and order balanced."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Int

from pdloss.study.records import Plan

Thing = TypeVar("Thing")


class Cell(NamedTuple):
    """A pair of methods on an image, all by their place."""

    image: int
    a: int
    b: int


def cells(methods: int, images: int, kind: Plan) -> list[Cell]:
    """Returns what can be asked.

    A full and an active design have every pair on every image. A balanced one (cyclic, incomplete) compares on each
    image only methods that stand a fixed distance apart in a ring, and the distance goes on from image to image: on
    every image all methods occur equally often, and over the images all pairs do.

    Example:
        >>> [(cell.a, cell.b) for cell in cells(5, 1, "balanced")]
        [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)]
    """
    if kind != "balanced":
        return [Cell(i, a, b) for i in range(images) for a in range(methods) for b in range(a + 1, methods)]
    found = []
    for image in range(images):
        distance = 1 + image % (methods // 2)
        ring = [(a, (a + distance) % methods) for a in range(methods)]
        found += [Cell(image, *pair) for pair in dict.fromkeys((min(pair), max(pair)) for pair in ring)]
    return found


def assigned(
    offered: Sequence[Cell],
    raters: int,
    each: int,
    rng: np.random.Generator,
    asked: Int[np.ndarray, " n"] | None = None,
) -> list[list[int]]:
    """Returns for each rater the places of `each` different cells.

    Every cell is asked as often as any other, give or take one; of those asked least, a rater gets the
    pairs and images that they had least themselves, then those that all raters had least.

    Args:
        offered: What can be asked; at least `each`.
        raters: How many assignments.
        each: Cells in a assignment.
        rng: Decides between equals.
        asked: How often each cell was asked before.
    """
    images = np.array([cell.image for cell in offered])
    _, places = np.unique(np.array([(cell.a, cell.b) for cell in offered]), axis=0, return_inverse=True)
    pairs = places.reshape(-1)  # NumPy 2.0 gives it a second axis
    counts = np.zeros(len(offered), dtype=int) if asked is None else asked.copy()
    pair_counts = np.bincount(pairs, weights=counts)
    image_counts = np.bincount(images, weights=counts)
    assignments = []
    for _ in range(raters):
        mine: list[int] = []
        my_pairs, my_images = np.zeros_like(pair_counts), np.zeros_like(image_counts)
        taken = np.zeros(len(offered), dtype=bool)
        for _ in range(each):
            keys = (pair_counts[pairs], image_counts[images], my_images[images], my_pairs[pairs], counts, taken)
            place = int(np.lexsort((rng.random(len(offered)), *keys))[0])  # the last key counts most
            mine.append(place)
            taken[place] = True
            counts[place] += 1
            for tally, of in ((pair_counts, pairs), (image_counts, images), (my_pairs, pairs), (my_images, images)):
                tally[of[place]] += 1
        assignments.append(mine)
    return assignments


class Sides:
    """Puts one of two on the left, so that each pair is asked both ways equally often, and each cell nearly so.

    Args:
        rng: Decides between equals.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._lead: Counter[Hashable] = Counter()

    def first_left(self, *ledgers: Hashable) -> bool:
        """Returns whether the first shall be on the left; the first of the ledgers that is uneven decides.

        Args:
            ledgers: What is to be balanced, the most important first.
        """
        left = next((self._lead[key] < 0 for key in ledgers if self._lead[key]), bool(self._rng.random() < 0.5))
        self.note(left, *ledgers)
        return left

    def note(self, first_left: bool, *ledgers: Hashable) -> None:
        """Counts a side that was given elsewhere."""
        self._lead.update(dict.fromkeys(ledgers, 1 if first_left else -1))


def separated(things: Sequence[Thing], images: Sequence[Hashable], rng: np.random.Generator) -> list[Thing]:
    """Returns the things in random order, no two neighbours of one image while others are left."""
    left = Counter(images)
    waiting = [int(place) for place in rng.permutation(len(things))]
    order: list[Thing] = []
    last: Hashable = object()
    while waiting:
        others = [place for place in waiting if images[place] != last] or waiting
        # What is left most often comes first where it would otherwise meet itself at the end.
        most = max(left[images[place]] for place in others)
        crowded = 2 * most > len(waiting)
        place = next(p for p in others if not crowded or left[images[p]] == most)
        waiting.remove(place)
        last = images[place]
        left[last] -= 1
        order.append(things[place])
    return order


def spread(order: Sequence[Thing], checks: Sequence[Thing], rng: np.random.Generator) -> list[Thing]:
    """Returns the order with the checks among it: one at a random place of each of as many equal stretches.

    None is the very first, where it would teach what to look for.
    """
    result = list(order)
    edges = np.linspace(min(1, len(order)), len(order), len(checks) + 1)
    for k in reversed(range(len(checks))):  # from the back, so that the places before stay what they are
        low = int(edges[k])
        result.insert(int(rng.integers(low, max(low, int(edges[k + 1]) - 1) + 1)), checks[k])
    return result
