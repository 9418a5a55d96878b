"""Leaves fallen on each other: which one is seen where, drawn exactly.

Radii follow a power law. All lengths are in samples; what the leaves look like is `pdloss.datasets.deadleaves`.
"""

import math
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray

from pdloss.ops.options import check_option

Shape = Literal["disc", "rectangle"]

_Numbers = NDArray[np.float64]
_Whole = NDArray[np.int64]


class Leaves(NamedTuple):
    """Leaves in the order in which they hide each other, the nearest first; one number each, lengths in samples."""

    rows: _Numbers
    columns: _Numbers
    radii: _Numbers
    angles: _Numbers
    slants: _Numbers
    """Angle between a rectangle's diagonal and its longer axis."""


def partition(
    side: int, smallest: float, largest: float, exponent: float, shape: Shape, generator: torch.Generator
) -> tuple[Int[np.ndarray, "s s"], Leaves]:
    """Returns which leaf is seen at each sample of a square, and the leaves that are seen.

    Leaves are laid from the nearest to the farthest, each over what is still open, until nothing is: exactly the law
    of leaves that have been falling for ever, which painting over a background reaches only in the limit.

    Args:
        side: Samples along each side.
        smallest: Least radius, in samples.
        largest: Greatest radius, in samples.
        exponent: Radii have a density proportional to their power of minus this.
        shape: What a leaf looks like.
        generator: Source of all randomness.

    Returns:
        Numbers into the leaves, (side, side), and the leaves, nearest first.

    Raises:
        ValueError: If the shape is unknown.

    References:
        Perfect Simulation in Stochastic Geometry (Kendall and Thönnes, 1999)
    """
    check_option(Shape, shape=shape)
    weights = _power_weights(side, smallest, largest, exponent)
    # As many at a time as would, were they discs, cover each sample once on average.
    count = math.ceil(weights.sum() / (math.pi / 4 * weights[2]))
    labels = np.empty(side * side, dtype=np.int64)
    still_open: _Whole = np.arange(side * side)
    seen: list[Leaves] = []
    known = 0
    while still_open.size:
        leaves = falling_leaves(count, side, smallest, largest, exponent, generator)
        first = _first_over(still_open, leaves, side, shape)
        hit = first >= 0
        visible = np.zeros(count, dtype=bool)
        visible[first[hit]] = True
        labels[still_open[hit]] = known + (visible.cumsum() - 1)[first[hit]]
        still_open = still_open[~hit]
        known += int(visible.sum())
        seen.append(_take(leaves, visible))
    return labels.reshape(side, side), Leaves(*(np.concatenate(values) for values in zip(*seen, strict=True)))


def falling_leaves(
    count: int, side: int, smallest: float, largest: float, exponent: float, generator: torch.Generator
) -> Leaves:
    r"""Returns the next leaves that fall on a square of samples, or near it.

    Over the plane, radii have the density :math:`r^{-\alpha}` and centres are uniform. A leaf reaches the square from
    up to its radius away, so here :math:`r` has the density :math:`r^{-\alpha} (s + 2r)^2`, a mixture of three powers,
    and the centre is uniform in the square of side :math:`s + 2r`.

    Args:
        count: How many.
        side: Samples along each side, :math:`s`; the first lies at 0, half a step from the border.
        smallest: Least radius, in samples.
        largest: Greatest radius, in samples.
        exponent: :math:`\alpha`.
        generator: Source of all randomness.
    """
    weights = _power_weights(side, smallest, largest, exponent)
    which, size, row, column, turn, slant = uniform(6, count, generator)
    power = np.searchsorted(weights.cumsum()[:2], which * weights.sum(), side="right")
    radii = np.choose(power, [_power_quantiles(size, smallest, largest, exponent - k) for k in range(3)])
    rows, columns = (share * (side + 2 * radii) - radii - 0.5 for share in (row, column))
    # Never an angle of exactly 0, whose sine `_chords` could not divide by.
    return Leaves(rows, columns, radii, 2 * math.pi * (1 - turn), math.pi / 8 * (1 + 2 * slant))


def uniform(rows: int, count: int, generator: torch.Generator) -> _Numbers:
    """Returns `rows` times `count` numbers, uniform in [0, 1)."""
    return torch.rand(rows, count, generator=generator, dtype=torch.float64).numpy()


def _first_over(places: _Whole, leaves: Leaves, side: int, shape: Shape) -> _Whole:
    """Returns the number of the first leaf over each of the ascending places, -1 where there is none."""
    owners, rows = _counted(*_bounds(leaves.rows - leaves.radii, leaves.rows + leaves.radii, side))
    left, right = _bounds(*_chords(shape, _take(leaves, owners), rows), side)
    opened = np.zeros(side * side + 1, dtype=np.int64)
    opened[places + 1] = 1
    before = opened.cumsum()  # how many open places lie before each: faster than searching for them
    chords, covered = _counted(before[rows * side + left], before[rows * side + right])
    first = np.full(len(places), -1)
    first[covered[::-1]] = owners[chords[::-1]]  # of several values for one place, the last stays: the nearest leaf
    return first


def _chords(shape: Shape, leaves: Leaves, rows: _Whole) -> tuple[_Numbers, _Numbers]:
    """Returns where each leaf begins and ends along a row; it ends before it begins where the row misses it."""
    down = rows - leaves.rows
    if shape == "disc":
        half = np.sqrt(np.maximum(leaves.radii**2 - down**2, 0))
        return leaves.columns - half, leaves.columns + half
    sine, cosine = np.sin(leaves.angles), np.cos(leaves.angles)
    # What lies between both pairs of parallels: |x cos + y sin| <= r cos(slant), |-x sin + y cos| <= r sin(slant).
    middles = np.stack([-down * sine / cosine, down * cosine / sine])
    halves = leaves.radii * np.stack([np.cos(leaves.slants) / abs(cosine), np.sin(leaves.slants) / abs(sine)])
    return leaves.columns + (middles - halves).max(0), leaves.columns + (middles + halves).min(0)


def _bounds(low: _Numbers, high: _Numbers, side: int) -> tuple[_Whole, _Whole]:
    """Returns the first whole number from `low` on, and the one behind the last up to `high`, kept to the square."""
    starts = np.clip(np.ceil(low), 0, side).astype(np.int64)
    return starts, np.maximum(starts, np.clip(np.floor(high) + 1, 0, side).astype(np.int64))


def _counted(starts: _Whole, ends: _Whole) -> tuple[_Whole, _Whole]:
    """Returns every whole number from a start to before its end, interval after interval, after the interval's own."""
    counts = ends - starts
    intervals = np.repeat(np.arange(len(counts)), counts)
    return intervals, np.arange(len(intervals)) + np.repeat(ends - counts.cumsum(), counts)


def _power_weights(side: int, low: float, high: float, exponent: float) -> _Numbers:
    """Returns the integrals of the terms of r^-exponent (side + 2r)^2, up to one factor."""
    factors = np.array([side**2, 4 * side, 4], dtype=np.float64)
    return factors * [_power_integral(low, high, exponent - k) for k in range(3)]


def _power_integral(low: float, high: float, exponent: float) -> float:
    """Returns the integral of r^-exponent, divided by log(high / low), which may be zero."""
    stretch = (1 - exponent) * math.log(high / low)
    return math.pow(low, 1 - exponent) * (math.expm1(stretch) / stretch if abs(stretch) > 1e-9 else 1)


def _power_quantiles(shares: _Numbers, low: float, high: float, exponent: float) -> _Numbers:
    """Returns the quantiles of the density proportional to r^-exponent between two bounds."""
    stretch = (1 - exponent) * math.log(high / low)
    if abs(stretch) <= 1e-9:
        return low * (high / low) ** shares
    return low * np.exp(np.log1p(shares * math.expm1(stretch)) / (1 - exponent))


def _take(leaves: Leaves, which: NDArray[Any]) -> Leaves:
    return Leaves(*(values[which] for values in leaves))
