"""Circular triads and consistence: by hand and by counting."""

from itertools import combinations, permutations

import numpy as np
import pytest

from pdloss.statistics import circular_triads, consistence


def tournament(stream: np.random.Generator, k: int) -> np.ndarray:
    upper = np.triu(stream.random((k, k)) < 0.5, 1)
    return upper | np.tril(~upper.T, -1)


@pytest.mark.parametrize("k", [3, 4, 5, 6, 7])
def test_circles_are_as_many_as_the_scores_say(k: int) -> None:
    """Kendall's other formula: all triples less those in which one method wins twice."""
    for seed in range(5):
        prefers = tournament(np.random.default_rng(seed), k)
        won = prefers.sum(axis=1)
        expected = k * (k - 1) * (k - 2) // 6 - int((won * (won - 1) // 2).sum())
        assert circular_triads(prefers[None]) == (expected, len(list(combinations(range(k), 3))))


def test_undecided_triples_are_left_out() -> None:
    prefers = np.zeros((1, 4, 4), bool)
    prefers[0, [0, 1, 2], [1, 2, 0]] = True
    prefers[0, 0, 3] = True
    assert circular_triads(prefers) == (1, 1)


def test_chance_makes_a_quarter_of_the_triples_circular() -> None:
    stream = np.random.default_rng(0)
    circular, decided = circular_triads(np.stack([tournament(stream, 4) for _ in range(1000)]))
    assert decided == 4000
    assert circular / decided == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 4000) ** 0.5)


@pytest.mark.parametrize(("k", "circles"), [(3, 1), (4, 2), (5, 5)])
def test_as_many_circles_as_can_be_are_no_consistence(k: int, circles: int) -> None:
    found = []
    pairs = list(combinations(range(k), 2))
    for code in range(2 ** len(pairs)):
        prefers = np.zeros((k, k), bool)
        for bit, (i, j) in enumerate(pairs):
            prefers[(i, j) if code >> bit & 1 else (j, i)] = True
        found.append((circular_triads(prefers[None])[0], consistence(prefers)))
    assert max(found)[0] == circles
    assert min(value for _, value in found) == pytest.approx(0)
    assert sum(value == 1 for _, value in found) == len(list(permutations(range(k))))


def test_consistence_needs_every_pair() -> None:
    with pytest.raises(ValueError, match="a choice for every pair"):
        consistence(np.zeros((3, 3), bool))
