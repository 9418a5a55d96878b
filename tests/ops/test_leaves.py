"""Leaves fallen on each other, against painting them one by one from the farthest to the nearest."""

import math

import numpy as np
import pytest
import torch

from pdloss.ops.leaves import Leaves, partition


def covers(leaves: Leaves, number: int, shape: str, side: int) -> np.ndarray:
    """Which samples of the square a leaf covers, from its definition."""
    rows, columns = np.mgrid[:side, :side].astype(float)
    down, right = rows - leaves.rows[number], columns - leaves.columns[number]
    radius, angle, slant = leaves.radii[number], leaves.angles[number], leaves.slants[number]
    if shape == "disc":
        return np.hypot(down, right) <= radius
    along = right * math.cos(angle) + down * math.sin(angle)
    across = -right * math.sin(angle) + down * math.cos(angle)
    return (abs(along) <= radius * math.cos(slant)) & (abs(across) <= radius * math.sin(slant))


@pytest.mark.parametrize("shape", ["disc", "rectangle"])
@pytest.mark.parametrize("seed", range(3))
def test_each_sample_shows_the_nearest_leaf_over_it(shape: str, seed: int) -> None:
    side = 24
    seen, leaves = partition(side, 1.5, 12.0, 3.0, shape, torch.Generator().manual_seed(seed))
    painted = np.full((side, side), -1)
    for number in reversed(range(len(leaves.radii))):
        painted[covers(leaves, number, shape, side)] = number
    assert np.array_equal(seen, painted)
    assert set(np.unique(seen)) == set(range(len(leaves.radii)))  # nothing is open, and every leaf is seen
    assert ((leaves.radii >= 1.5) & (leaves.radii <= 12.0)).all()
