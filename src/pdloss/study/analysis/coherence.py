"""Do people agree, with themselves and with each other? Circular triads and Krippendorff's alpha."""

import math

import numpy as np
from jaxtyping import Bool, Float

from pdloss.records import Record
from pdloss.statistics import (
    Disagreement,
    circular_triads,
    consistence,
    disagreement,
    either_way,
    percentile_interval,
    resample_shares,
)
from pdloss.study.analysis.tally import Tally


class Triads(Record, frozen=True, kw_only=True):
    """Triples of methods of which all three pairs were decided, and how many of them go round in a circle."""

    circular: int
    decided: int


class Coherence(Record, frozen=True, kw_only=True):
    """How far people agree with themselves and with each other."""

    single: Triads
    """Of single raters on single images; a quarter is circular where choices are random."""
    raters: Triads
    """Of the majorities of single raters over images."""
    all: Triads
    """Of the majorities of all answers."""
    consistence: float | None
    """Kendall and Babington Smith's coefficient of the majorities of all answers; none unless every pair has one."""
    alpha: float | None
    """Krippendorff's, over pairs on images; none where no pair on an image was answered twice."""
    alpha_low: float | None
    """Of its 95 % interval, by the bootstrap over images; none under two images."""
    alpha_high: float | None


def coherence(counted: Tally, resamples: int, seed: int) -> Coherence:
    """Returns how far the answers hang together.

    Alpha's units are the pairs on every image, and its values are which of the two was chosen, or a tie; every unit is
    taken both ways round, since which method comes first means nothing.

    Args:
        counted: The answers.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """
    majority = _preferred(counted.wins())
    complete = len(majority) >= 3 and bool((majority | majority.T | np.eye(len(majority), dtype=bool)).all())
    of_images = disagreement(either_way(counted.by_image.transpose(0, 2, 1)))
    alpha = float(Disagreement(*(part.sum(axis=0) for part in of_images)).alpha)
    low, high = _alpha_interval(of_images, resamples, seed)
    return Coherence(
        single=_triads(counted.wins(counted.by_both)),
        raters=_triads(counted.wins(counted.by_rater)),
        all=_triads(counted.wins()[None]),
        consistence=consistence(majority) if complete else None,
        alpha=None if math.isnan(alpha) else alpha,
        alpha_low=low,
        alpha_high=high,
    )


def _preferred(wins: Float[np.ndarray, "*g k k"]) -> Bool[np.ndarray, "*g k k"]:
    return np.asarray(wins > np.swapaxes(wins, -1, -2))


def _triads(wins: Float[np.ndarray, "g k k"]) -> Triads:
    circular, decided = circular_triads(_preferred(wins))
    return Triads(circular=circular, decided=decided)


def _alpha_interval(parts: Disagreement, resamples: int, seed: int) -> tuple[float, float] | tuple[None, None]:
    """Returns alpha's interval over images: its sums are those of the images, however often each is drawn."""
    n = len(parts.answers)
    drawn = n * resample_shares(n, resamples, seed)
    alphas = Disagreement(*(drawn @ part for part in parts)).alpha
    alphas = alphas[np.isfinite(alphas)]
    if n < 2 or len(alphas) < resamples / 2:
        return None, None
    low, high = percentile_interval(alphas, n).tolist()
    return low, min(1.0, high)
