"""LPIPS 0.1 with AlexNet in double precision, by NumPy and SciPy alone, as published: the epsilon outside the root."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.signal import correlate

Array = NDArray[np.float64]


def convolve(x: Array, kernel: Array, bias: Array, stride: int, padding: int) -> Array:
    """One convolution of a (C, H, W) map, one output channel at a time."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    maps = [
        correlate(x, k, mode="valid", method="direct")[0, ::stride, ::stride] + b
        for k, b in zip(kernel, bias, strict=True)
    ]
    return np.stack(maps)


def pool(x: Array) -> Array:
    """The maximum of every 3x3 window at every second place."""
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))[:, ::2, ::2].max(axis=(3, 4))


def feature_maps(image: Array, weights: Mapping[str, Array]) -> list[Array]:
    """The five maps after the ReLUs of a (3, H, W) image in [0, 1]."""
    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    x = ((2 * image - 1) - shift[:, None, None]) / scale[:, None, None]
    maps = []
    for index, stride, padding in ((0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1)):
        if index in (3, 6):
            x = pool(x)
        x = convolve(x, weights[f"features.{index}.weight"], weights[f"features.{index}.bias"], stride, padding)
        x = np.maximum(x, 0)
        maps.append(x)
    return maps


def lpips(restored: Array, target: Array, weights: Mapping[str, Array], heads: Mapping[str, Array]) -> float:
    """The distance of two (3, H, W) images in [0, 1]."""
    total = 0.0
    for layer, (f, g) in enumerate(zip(feature_maps(restored, weights), feature_maps(target, weights), strict=True)):
        f, g = (m / (np.sqrt((m**2).sum(axis=0)) + 1e-10) for m in (f, g))
        head = heads[f"lin{layer}.weight"].reshape(-1, 1, 1)
        total += float((head * (f - g) ** 2).sum(axis=0).mean())
    return total
