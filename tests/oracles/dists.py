"""DISTS in double precision by NumPy alone: VGG16 tap by tap, pooling window by window, channel by channel."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BLOCKS = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
"""Places of the convolutions in torchvision's `features`, block by block."""


def convolve(x: Array, kernel: Array, bias: Array) -> Array:
    """One 3x3 convolution of a (C, H, W) map with a border of zeros."""
    _, height, width = x.shape
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    out = np.zeros((len(kernel), height * width))
    for i in range(3):
        for j in range(3):
            out += kernel[:, :, i, j] @ x[:, i : i + height, j : j + width].reshape(len(x), -1)
    return out.reshape(-1, height, width) + bias[:, None, None]


def pool(x: Array) -> Array:
    """The root mean square under a Hann window around every second position."""
    hann = np.hanning(5)[1:-1]
    window = np.outer(hann, hann) / hann.sum() ** 2
    _, height, width = x.shape
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    out = np.empty((len(x), (height + 1) // 2, (width + 1) // 2))
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            patch = x[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
            out[:, i, j] = np.sqrt((window * patch**2).sum(axis=(1, 2)) + 1e-12)
    return out


def feature_maps(image: Array, weights: Mapping[str, Array]) -> list[Array]:
    """The image, and the map at the end of each block, before its pooling."""
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    x = (image - mean[:, None, None]) / std[:, None, None]
    maps = [image]
    for number, block in enumerate(BLOCKS):
        if number > 0:
            x = pool(x)
        for index in block:
            x = np.maximum(convolve(x, weights[f"features.{index}.weight"], weights[f"features.{index}.bias"]), 0)
        maps.append(x)
    return maps


def dists(restored: Sequence[Array], target: Sequence[Array], alpha: Array, beta: Array) -> float:
    """The distance of the (C, H, W) maps of one image; one alpha and beta for each channel of each layer in turn."""
    similarity, place = 0.0, 0
    for f, g in zip(restored, target, strict=True):
        for u, v in zip(f, g, strict=True):
            (var_u, covariance), (_, var_v) = np.cov(u.ravel(), v.ravel(), bias=True)
            means = (2 * u.mean() * v.mean() + 1e-6) / (u.mean() ** 2 + v.mean() ** 2 + 1e-6)
            structure = (2 * covariance + 1e-6) / (var_u + var_v + 1e-6)
            similarity += alpha[place] * means + beta[place] * structure
            place += 1
    return float(1 - similarity / (alpha.sum() + beta.sum()))
