"""The contextual losses as their formulas say: loops over pairs of positions in NumPy, and the whole table in torch."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Maps = NDArray[np.float64]


def _positions(features: Maps) -> list[tuple[float, float]]:
    height, width = features.shape[1:]
    return [(r / height, c / width) for r in range(height) for c in range(width)]


def _points(features: Maps) -> list[Maps]:
    return [features[:, r, c] for r in range(features.shape[1]) for c in range(features.shape[2])]


def _cosine_distance(x: Maps, y: Maps) -> float:
    lengths = math.sqrt(float(x @ x)) * math.sqrt(float(y @ y))
    return (1 - float(x @ y) / lengths) / 2 if lengths else 0.5


def _table(restored: Maps, target: Maps, distance: str, mean: Maps) -> list[list[float]]:
    xs, ys = _points(restored), _points(target)
    if distance == "l2":
        return [[float((x - y) @ (x - y)) for y in ys] for x in xs]
    return [[_cosine_distance(x - mean, y - mean) for y in ys] for x in xs]


def _similarities(table: list[list[float]], bandwidth: float, epsilon: float) -> list[list[float]]:
    rows = []
    for distances in table:
        relative = [d / (min(distances) + epsilon) for d in distances]
        # The formula's exponent is (1 - relative)/h; shifted by the row's least, which cancels, it cannot underflow.
        weights = [math.exp((min(relative) - r) / bandwidth) for r in relative]
        rows.append([w / sum(weights) for w in weights])
    return rows


def contextual_loss(
    restored: Maps, target: Maps, distance: str, bandwidth: float, epsilon: float = 1e-5, mean: Maps | None = None
) -> float:
    """Of one image (C, H, W), around `mean` (C) or the mean of the target's positions."""
    mean = target.mean(axis=(1, 2)) if mean is None else mean
    similar = _similarities(_table(restored, target, distance, mean), bandwidth, epsilon)
    return -math.log(sum(max(column) for column in zip(*similar, strict=True)) / len(similar[0]))


def cobi_loss(restored: Maps, target: Maps, spatial_weight: float) -> float:
    """Of one image (C, H, W), the paper's form."""
    table = _table(restored, target, "dot", target.mean(axis=(1, 2)))
    costs = [
        min(d + spatial_weight * math.dist(p, q) for d, q in zip(row, _positions(target), strict=True))
        for row, p in zip(table, _positions(restored), strict=True)
    ]
    return sum(costs) / len(costs)


def cobi_code_loss(
    restored: Maps, target: Maps, spatial_weight: float, bandwidth: float, scale: float, epsilon: float = 1e-3
) -> float:
    """Of one image (C, H, W), the code's form."""
    table = _table(restored, target, "dot", target.mean(axis=(1, 2)))
    apart = [[(scale * math.dist(p, q)) ** 2 for q in _positions(target)] for p in _positions(restored)]
    alike, near = _similarities(table, bandwidth, epsilon), _similarities(apart, bandwidth, epsilon)
    mixed = [
        [(1 - spatial_weight) * a + spatial_weight * n for a, n in zip(*rows, strict=True)]
        for rows in zip(alike, near, strict=True)
    ]
    return -math.log(sum(max(column) for column in zip(*mixed, strict=True)) / len(mixed[0]))


def contextual_loss_at_once(
    restored: Tensor, target: Tensor, distance: str = "dot", bandwidth: float = 0.5, epsilon: float = 1e-5
) -> Tensor:
    """Of a batch (B, C, H, W), with the whole table of pairs and torch's own gradient."""
    x, y = restored.flatten(2), target.flatten(2)
    mean = y.mean(2, keepdim=True)
    x, y = x - mean, y - mean
    if distance == "dot":
        cosine = torch.einsum("bci,bcj->bij", x / x.norm(dim=1, keepdim=True), y / y.norm(dim=1, keepdim=True))
        table = (1 - cosine) / 2
    else:
        table = x.square().sum(1)[:, :, None] + y.square().sum(1)[:, None] - 2 * torch.einsum("bci,bcj->bij", x, y)
    relative = table / (table.min(2, keepdim=True).values + epsilon)
    weights = torch.exp((relative.min(2, keepdim=True).values.detach() - relative) / bandwidth)
    similar = weights / weights.sum(2, keepdim=True)
    return -similar.max(1).values.mean(1).log()
