"""Wasserstein Distortion in double precision, by NumPy alone: every window and weight written out."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def low_pass(x: Array, stride: int) -> Array:
    """The (1, 2, 1) x (1, 2, 1) / 16 windows of an (H, W) map; zeros beyond its border, as many as SAME asks for."""
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    sides = [math.ceil(side / stride) for side in x.shape]
    missing = [max((out - 1) * stride + 3 - side, 0) for out, side in zip(sides, x.shape, strict=True)]
    padded = np.pad(x, [(total // 2, total - total // 2) for total in missing])
    result = np.zeros(sides)
    for i in range(sides[0]):
        for j in range(sides[1]):
            result[i, j] = (padded[i * stride : i * stride + 3, j * stride : j * stride + 3] * kernel).sum()
    return result


def resized(x: Array, sides: tuple[int, int]) -> Array:
    """An (H, W) map at another size: a triangle as wide as the downscale around each new centre, summing to one."""
    for axis, out in enumerate(sides):
        scale = x.shape[axis] / out
        centres = (np.arange(out) + 0.5) * scale - 0.5
        away = np.abs(centres[:, None] - np.arange(x.shape[axis])) / max(scale, 1)
        weights = np.maximum(1 - away, 0)
        weights /= weights.sum(axis=1, keepdims=True)
        x = np.moveaxis(np.tensordot(weights, x, axes=(1, axis)), 0, axis)
    return x


def of_maps(restored: Array, target: Array, log2_sigma: Array, levels: int = 5) -> float:
    """The distortion of two (C, H, W) maps with an (H, W) map of widths."""
    total = 0.0
    for f, g in zip(restored, target, strict=True):
        sigma = log2_sigma
        total += (np.maximum(1 - np.abs(sigma), 0) * (f - g) ** 2).mean()
        moments = [f, f**2, g, g**2]
        for level in range(1, levels + 1):
            moments = [low_pass(m, 1) for m in moments]
            mean_f, square_f, mean_g, square_g = moments
            spread_f, spread_g = np.sqrt(np.maximum([square_f - mean_f**2, square_g - mean_g**2], 0))
            weight = np.maximum(1 - np.abs(sigma - level), 0)
            total += (weight * ((mean_f - mean_g) ** 2 + (spread_f - spread_g) ** 2)).mean()
            moments = [m[::2, ::2] for m in moments]
            sigma = low_pass(sigma, 2)
    return total / len(restored)


def sigma_of_layer(log2_sigma: Array, sides: tuple[int, int]) -> Array:
    """The widths for a feature map of other sides than the image's."""
    ratio = (math.log2(log2_sigma.shape[0] / sides[0]) + math.log2(log2_sigma.shape[1] / sides[1])) / 2
    return np.maximum(resized(log2_sigma, sides) - ratio, 0)
