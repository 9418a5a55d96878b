"""What every rater is asked, in order: comparisons, and among them catch trials, repeats and identical pairs."""

import secrets
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from pdloss.study.planning.pairing import Cell, Sides, assigned, separated, spread
from pdloss.study.records import DEGRADED, TARGET, Question, Side


class Checks(NamedTuple):
    """How many questions with a known answer each rater gets, besides the comparisons."""

    catch: int = 2
    """The target against the same strongly degraded."""
    repeats: int = 2
    """Comparisons asked once more with the sides swapped."""
    identical: int = 1
    """The same picture on both sides."""


def random_name() -> str:
    """Returns a name that says nothing and that nobody can foresee; not drawn from the seed, which others may know."""
    return secrets.token_hex(12)


class QuestionPool:
    """The questions of a study, each written down once.

    Args:
        methods: Names of the methods.
        images: Ids of the images.
    """

    def __init__(self, methods: Sequence[str], images: Sequence[str]) -> None:
        self._methods, self._images = methods, images
        self.methods, self.images = len(methods), len(images)
        self._found: dict[tuple[str, ...], Question] = {}

    @property
    def questions(self) -> list[Question]:
        """All that were asked for, sorted by their names, so that their order says nothing either."""
        return sorted(self._found.values(), key=lambda question: question.id)

    def pair(self, cell: Cell, first_left: bool) -> Question:
        """Returns the comparison of a cell's methods."""
        left, right = (cell.a, cell.b) if first_left else (cell.b, cell.a)
        return self._question("pair", self._images[cell.image], self._methods[left], self._methods[right])

    def mirrored(self, question: Question) -> Question:
        """Returns the same comparison with the sides swapped, as a repeat of it."""
        return self._question("repeat", question.image, question.right, question.left, repeats=question.id)

    def catch(self, image: int, expected: Side) -> Question:
        """Returns a question with an obvious answer."""
        sides = (TARGET, DEGRADED) if expected == "left" else (DEGRADED, TARGET)
        return self._question("catch", self._images[image], *sides, expected=expected)

    def identical(self, image: int, method: int) -> Question:
        """Returns a question whose answer shows nothing but a liking for a side."""
        return self._question("identical", self._images[image], self._methods[method], self._methods[method])

    def _question(
        self, kind: str, image: str, left: str, right: str, expected: Side | None = None, repeats: str | None = None
    ) -> Question:
        key = (kind, image, left, right, repeats or "")
        if key not in self._found:
            self._found[key] = Question(
                id=random_name(),
                kind=kind,  # type: ignore[arg-type]  # one of four words, written above
                image=image,
                left=left,
                right=right,
                expected=expected,
                repeats=repeats,
            )
        return self._found[key]


def schedules(
    pool: QuestionPool, offered: Sequence[Cell], raters: int, each: int, checks: Checks, rng: np.random.Generator
) -> list[list[str]]:
    """Returns the ids of every planned rater's questions, in order.

    Args:
        pool: Where the questions are written down.
        offered: What can be asked, at least `each`.
        raters: How many are planned.
        each: Comparisons for each of them.
        checks: What comes on top.
        rng: Decides everything random.
    """
    sides, check_sides = Sides(rng), Sides(rng)
    plans = []
    for rater, assignment in enumerate(assigned(offered, raters, each, rng)):
        real = [pool.pair(cell, _first_left(sides, cell, rater)) for cell in (offered[place] for place in assignment)]
        seen = {offered[place].image for place in assignment}
        checking = check_questions(pool, checks, seen, check_sides, rng)
        plans.append([question.id for question in arranged(real, checking, checks.repeats, pool.mirrored, rng)])
    return plans


def check_questions(
    pool: QuestionPool, checks: Checks, seen: set[int], sides: Sides, rng: np.random.Generator
) -> list[Question]:
    """Returns catch trials and identical pairs of one rater.

    A catch trial shows the target: where there are others, it is of an image that the rater does not judge.
    """
    places = rng.permutation(pool.images).tolist()
    unseen = [place for place in places if place not in seen] + [place for place in places if place in seen]
    caught = [
        pool.catch(unseen[k % len(unseen)], "left" if sides.first_left("catch") else "right")
        for k in range(checks.catch)
    ]
    methods = rng.integers(pool.methods, size=checks.identical).tolist()
    same = [pool.identical(unseen[-1 - k % len(unseen)], method) for k, method in enumerate(methods)]
    return list(dict.fromkeys([*caught, *same]))


def arranged(
    real: Sequence[Question],
    checking: Sequence[Question],
    repeats: int,
    mirrored: Callable[[Question], Question],
    rng: np.random.Generator,
) -> list[Question]:
    """Returns one rater's questions in order; repeats of the first third come in the second half.

    Args:
        real: Comparisons, each once.
        checking: Catch trials and identical pairs.
        repeats: How many comparisons are asked again; at most a third of them.
        mirrored: Returns a question's repeat.
        rng: Decides everything random.
    """
    order = separated(real, [question.image for question in real], rng)
    again = [mirrored(order[int(k)]) for k in rng.permutation(max(1, len(order) // 3))[:repeats]]
    half = (len(order) + 1) // 2
    order = order[:half] + spread(order[half:], again, rng)
    return spread(order, [checking[int(k)] for k in rng.permutation(len(checking))], rng)


def _first_left(sides: Sides, cell: Cell, rater: int) -> bool:
    return sides.first_left(("pair", cell.a, cell.b), cell, ("rater", rater))
