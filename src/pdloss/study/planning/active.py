"""Which pairs tell most: an approximate posterior of the scores, and what the next answer is expected to add."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from pdloss.study.planning.pairing import Sides
from pdloss.study.planning.schedules import arranged
from pdloss.study.records import Question, StudyDesign

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(21)
_SHARES = _WEIGHTS / _WEIGHTS.sum()


class Posterior(NamedTuple):
    """A normal approximation of what is known about the scores."""

    mean: Float[np.ndarray, " k"]
    covariance: Float[np.ndarray, "k k"]


def posterior(wins: Float[np.ndarray, "k k"], spread: float = 1.5) -> Posterior:
    r"""Returns the most likely Bradley-Terry scores under a normal prior, and the inverse of the curvature there.

    .. math:: \theta \sim N(0, \text{spread}^2), \qquad P(i \succ j) = \frac{1}{1 + e^{-(\theta_i - \theta_j)}}

    Args:
        wins: How often the row was chosen over the column.
        spread: Standard deviation of a score before any answer; 1.5 makes 90:10 an unsurprising preference.

    Example:
        >>> posterior(np.zeros((2, 2))).covariance.tolist()
        [[2.25, 0.0], [0.0, 2.25]]
    """
    k = len(wins)
    scores, prior = np.zeros(k), np.eye(k) / spread**2
    answers = wins + wins.T
    curvature = prior
    for _ in range(50):  # concave and smooth: Newton's steps settle in a handful
        chance = _chance(scores)
        weight = answers * chance * (1 - chance)
        curvature = prior + np.diag(weight.sum(axis=1)) - weight
        step = np.linalg.solve(curvature, (wins - answers * chance).sum(axis=1) - prior @ scores)
        scores = scores + step / max(1.0, float(np.abs(step).max()))  # never further than one unit at a time
        if np.abs(step).max() < 1e-9:
            break
    return Posterior(scores, np.linalg.inv(curvature))


def information(known: Posterior) -> Float[np.ndarray, "k k"]:
    r"""Returns how much one answer to each pair is expected to tell about the scores, in nats.

    .. math:: I = H\big(E[p]\big) - E\big[H(p)\big], \qquad p = \frac{1}{1 + e^{-d}}, \quad d \sim N(m, v)

    with the mean and variance of the difference of the two scores.

    References:
        | Bayesian Active Learning for Classification and Preference Learning (Houlsby et al., 2011), eq. (2)
    """
    variance = np.diag(known.covariance)
    spread = np.sqrt(np.maximum(variance[:, None] + variance - 2 * known.covariance, 0.0))
    chances = _logistic((known.mean[:, None] - known.mean)[..., None] + spread[..., None] * _NODES)
    return np.asarray(_entropy(chances @ _SHARES) - _entropy(chances) @ _SHARES)


def chosen_pairs(
    wins: Float[np.ndarray, "k k"], count: int, rng: np.random.Generator, room: Int[np.ndarray, "k k"] | None = None
) -> list[tuple[int, int]]:
    """Returns the pairs to ask next, all at once: each is chosen as if the ones before had been answered.

    Args:
        wins: How often the row was chosen over the column.
        count: How many are wanted.
        rng: Decides between equals.
        room: How often each pair can be asked, above the diagonal; by default any number of times.
    """
    known = posterior(wins)
    upper = np.triu_indices(len(wins), 1)
    left = np.full(len(upper[0]), count) if room is None else room[upper]
    found = []
    for _ in range(count):
        gains = np.where(left > 0, information(known)[upper], -np.inf)
        place = int(np.lexsort((rng.random(len(gains)), -gains.round(12)))[0])
        a, b = int(upper[0][place]), int(upper[1][place])
        left[place] -= 1
        found.append((a, b))
        # What an answer teaches on average; rank one, after Sherman and Morrison.
        p = float(_chance(known.mean)[a, b])
        towards = known.covariance[:, a] - known.covariance[:, b]
        gain = p * (1 - p)
        spread = towards[a] - towards[b]
        known = Posterior(known.mean, known.covariance - gain * np.outer(towards, towards) / (1 + gain * spread))
    return found


def next_questions(
    design: StudyDesign,
    checks: Sequence[str],
    wins: Float[np.ndarray, "k k"],
    asked: Mapping[str, int],
    rng: np.random.Generator,
) -> list[str]:
    """Returns the questions of the rater who begins now, by id and in order.

    Args:
        design: An active one.
        checks: Their catch trials and identical pairs.
        wins: The answers so far, methods in the design's order.
        asked: How often each question was put to a rater before.
        rng: Decides everything random.
    """
    place = {name: k for k, name in enumerate(design.methods)}
    offered: dict[tuple[int, int], dict[str, dict[bool, Question]]] = {}
    for question in design.questions:
        if question.kind == "pair":
            a, b = place[question.left], place[question.right]
            offered.setdefault((min(a, b), max(a, b)), {}).setdefault(question.image, {})[a < b] = question
    sides, used, real = _sides(design, asked, rng), Counter[str](), list[Question]()
    room = np.zeros((len(place), len(place)), dtype=int)
    for pair, images in offered.items():
        room[pair] = len(images)
    for pair in chosen_pairs(wins, design.questions_per_rater, rng, room):
        taken = {question.image for question in real if {place[question.left], place[question.right]} == set(pair)}
        free = [image for image in offered[pair] if image not in taken]
        real.append(_put(offered[pair], free, pair, used, asked, sides, rng))
        used[real[-1].image] += 1
    by_id = {question.id: question for question in design.questions}
    mirrored = {question.repeats: question for question in design.questions if question.repeats}
    checking = [by_id[name] for name in checks]
    return [q.id for q in arranged(real, checking, design.repeats_per_rater, lambda q: mirrored[q.id], rng)]


def _put(
    images: Mapping[str, Mapping[bool, Question]],
    free: Sequence[str],
    pair: tuple[int, int],
    used: Mapping[str, int],
    asked: Mapping[str, int],
    sides: Sides,
    rng: np.random.Generator,
) -> Question:
    """Returns the pair on the image that the rater, then everybody, saw least, on the sides seen less."""
    before = {image: sum(asked.get(question.id, 0) for question in images[image].values()) for image in free}
    image = min(free, key=lambda name: (used.get(name, 0), before[name], rng.random()))
    return images[image][sides.first_left(pair, (*pair, image))]


def _sides(design: StudyDesign, asked: Mapping[str, int], rng: np.random.Generator) -> Sides:
    place, sides = {name: k for k, name in enumerate(design.methods)}, Sides(rng)
    for question in design.questions:
        if question.kind == "pair":
            a, b = place[question.left], place[question.right]
            for _ in range(asked.get(question.id, 0)):
                pair = (min(a, b), max(a, b))
                sides.note(a < b, pair, (*pair, question.image))
    return sides


def _chance(scores: Float[np.ndarray, " k"]) -> Float[np.ndarray, "k k"]:
    """Returns the chance of choosing the row over the column."""
    return _logistic(scores[:, None] - scores)


def _logistic(difference: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(difference, -500, 500))))


def _entropy(p: np.ndarray) -> np.ndarray:
    q = np.clip(p, 1e-15, 1 - 1e-15)
    return np.asarray(-q * np.log(q) - (1 - q) * np.log1p(-q))
