"""How far two samples lie apart: KL and JS of their histograms, which compare bin by bin, beside W1 of the values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

FLOOR, HIGHER_FLOOR = 1e-6, 1e-3
"""What is added to the share of every bin before KL, which an empty one would make infinite; and more of it."""
BINS = 64
NEAR = 0.1

Counts = Int[np.ndarray, " bins"]


@dataclass(frozen=True)
class Distances:
    """Of one pair of samples."""

    place: int
    """By how far a toy is shifted, or the number of a channel."""
    kl: float
    kl_higher: float
    """With the higher floor."""
    js: float
    w1: float
    spread: float = 1.0
    """Standard deviation of the target's values."""

    @property
    def relative(self) -> float:
        """W1 in units of the target's standard deviation."""
        return self.w1 / self.spread


def kl(counts: Counts, target: Counts, floor: float) -> float:
    """Returns the Kullback-Leibler divergence in nats, after `floor` is added to the share of every bin of both."""
    p, q = (c / c.sum() + floor for c in (counts, target))
    return float(entropy(p, q))  # which makes both sum to one


def js(counts: Counts, target: Counts) -> float:
    """Returns the Jensen-Shannon divergence in nats: without a floor, and at most ln 2."""
    return float(jensenshannon(counts, target) ** 2)


def histograms(
    restored: Float[np.ndarray, " n"], target: Float[np.ndarray, " n"]
) -> tuple[Counts, Counts, Float[np.ndarray, " edges"]]:
    """Returns the counts of both samples, in bins over their common range, and the bins' edges."""
    samples = restored.astype(np.float64), target.astype(np.float64)
    edges = np.linspace(min(s.min() for s in samples), max(s.max() for s in samples), BINS + 1)
    return np.histogram(samples[0], edges)[0], np.histogram(samples[1], edges)[0], edges


def similar_kl(rows: Sequence[Distances]) -> list[Distances]:
    """Returns, among those whose KL is within 10 % of the median, that of least, middle and largest W1/spread.

    Divided by the spread, so that none is chosen for its scale alone.
    """
    median = float(np.median([row.kl for row in rows]))
    near = sorted((row for row in rows if abs(row.kl - median) <= NEAR * median), key=lambda row: row.relative)
    near = near or [min(rows, key=lambda row: abs(row.kl - median))]
    return [near[0], near[len(near) // 2], near[-1]]
