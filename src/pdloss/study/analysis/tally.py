"""Answers counted: for each pair of methods, how often either was chosen; over all, and by rater and image."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from pdloss.errors import UserError
from pdloss.study.records import Answer


@dataclass(frozen=True, eq=False)
class Tally:
    """Comparisons of two methods as numbers; pairs stand in the order of ``np.triu_indices``."""

    methods: tuple[str, ...]
    raters: tuple[str, ...]
    images: tuple[str, ...]
    rater: Int[np.ndarray, " n"]
    image: Int[np.ndarray, " n"]
    pair: Int[np.ndarray, " n"]
    answer: Int[np.ndarray, " n"]
    """0 for the first method of the pair, 1 for the second, 2 for neither."""

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """The two methods of each pair, by their place."""
        first, second = np.triu_indices(len(self.methods), 1)
        return list(zip(first.tolist(), second.tolist(), strict=True))

    @cached_property
    def counts(self) -> Float[np.ndarray, "3 p"]:
        """How often the first of each pair was chosen, how often the second, and how often neither."""
        return np.asarray(self._grouped(np.zeros_like(self.rater), 1)[0])

    @cached_property
    def by_rater(self) -> Float[np.ndarray, "g 3 p"]:
        """The counts of each rater."""
        return self._grouped(self.rater, len(self.raters))

    @cached_property
    def by_image(self) -> Float[np.ndarray, "g 3 p"]:
        """The counts on each image."""
        return self._grouped(self.image, len(self.images))

    @cached_property
    def by_both(self) -> Float[np.ndarray, "g 3 p"]:
        """The counts of each rater on each image, where there are any."""
        _, places = np.unique(self.rater * len(self.images) + self.image, return_inverse=True)
        return self._grouped(places, int(places.max(initial=-1)) + 1)

    def wins(self, counts: Float[np.ndarray, "*g 3 p"] | None = None) -> Float[np.ndarray, "*g k k"]:
        """Returns how often the row was chosen over the column."""
        return self._square(self.counts if counts is None else counts, 0, 1)

    def ties(self, counts: Float[np.ndarray, "*g 3 p"] | None = None) -> Float[np.ndarray, "*g k k"]:
        """Returns how often neither of row and column was chosen; symmetric."""
        return self._square(self.counts if counts is None else counts, 2, 2)

    def _square(self, counts: Float[np.ndarray, "*g 3 p"], above: int, below: int) -> Float[np.ndarray, "*g k k"]:
        k = len(self.methods)
        first, second = np.triu_indices(k, 1)
        square = np.zeros((*counts.shape[:-2], k, k))
        square[..., first, second], square[..., second, first] = counts[..., above, :], counts[..., below, :]
        return square

    def _grouped(self, group: Int[np.ndarray, " n"], groups: int) -> Float[np.ndarray, "g 3 p"]:
        shape = (groups, 3, len(self.pairs))
        cells = np.ravel_multi_index((group, self.answer, self.pair), shape)
        return np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape).astype(float)


def tally(answers: Sequence[Answer], methods: Sequence[str] | None = None) -> Tally:
    """Returns the answers counted.

    Args:
        answers: Comparisons of two methods.
        methods: In the order of the tables; by default as they first appear.

    Raises:
        UserError: If there are no answers, or one is about a method that is not among the given ones.
    """
    seen = dict.fromkeys(method for answer in answers for method in (answer.left, answer.right))
    known = tuple(methods or seen)
    if not answers:
        raise UserError("there is nothing to analyse: no rater compared two different methods")
    if strange := [method for method in seen if method not in known]:
        raise UserError(f"there are answers about {', '.join(strange)}, but the methods are {', '.join(known)}")
    raters, images = (tuple(dict.fromkeys(getattr(a, name) for a in answers)) for name in ("rater", "image"))
    place, rater, image = ({name: i for i, name in enumerate(names)} for names in (known, raters, images))
    pair_at = np.zeros((len(known), len(known)), dtype=int)
    pair_at[np.triu_indices(len(known), 1)] = np.arange(len(known) * (len(known) - 1) // 2)
    left, right = (np.array([place[getattr(a, side)] for a in answers]) for side in ("left", "right"))
    side = np.array([("left", "right", "tie").index(a.choice) for a in answers])
    return Tally(
        methods=known,
        raters=raters,
        images=images,
        rater=np.array([rater[a.rater] for a in answers]),
        image=np.array([image[a.image] for a in answers]),
        pair=pair_at[np.minimum(left, right), np.maximum(left, right)],
        # On the left stands the first method of the pair, or else the second.
        answer=np.where(side == 2, 2, np.where(left < right, side, 1 - side)),
    )
