"""SSIM and MS-SSIM in double precision, window by window, straight from the definition; slow and obvious."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def gaussian_window(size: int, sigma: float) -> Array:
    """The two-dimensional window, normalised once, as TensorFlow builds it."""
    at = np.arange(size) - (size - 1) / 2
    window = np.exp(-(at[:, None] ** 2 + at[None, :] ** 2) / (2 * sigma**2))
    return window / window.sum()


def moments(x: Array, y: Array, window: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Means, variances and covariance in every whole window; the deviations are taken before they are squared."""
    patches_x = np.lib.stride_tricks.sliding_window_view(x, window.shape)
    patches_y = np.lib.stride_tricks.sliding_window_view(y, window.shape)
    mean_x = np.einsum("hwij,ij->hw", patches_x, window)
    mean_y = np.einsum("hwij,ij->hw", patches_y, window)
    off_x, off_y = patches_x - mean_x[..., None, None], patches_y - mean_y[..., None, None]
    var_x, var_y, covariance = (
        np.einsum("hwij,hwij,ij->hw", a, b, window) for a, b in ((off_x, off_x), (off_y, off_y), (off_x, off_y))
    )
    return mean_x, mean_y, var_x, var_y, covariance


def fractions(x: Array, y: Array, window: Array, k1: float = 0.01, k2: float = 0.03) -> tuple[Array, Array]:
    """Luminance and contrast-structure of every window of one channel."""
    mean_x, mean_y, var_x, var_y, covariance = moments(x, y, window)
    luminance = (2 * mean_x * mean_y + k1**2) / (mean_x**2 + mean_y**2 + k1**2)
    return luminance, (2 * covariance + k2**2) / (var_x + var_y + k2**2)


def ssim(x: Array, y: Array) -> float:
    """SSIM of two (3, H, W) images."""
    window = gaussian_window(11, 1.5)
    channels = [np.mean(np.prod(fractions(a, b, window), axis=0)) for a, b in zip(x, y, strict=True)]
    return float(np.mean(channels))


def halve(x: Array) -> Array:
    """2x2 means; numpy's symmetric padding repeats the last row and column of an odd side."""
    height, width = x.shape
    x = np.pad(x, ((0, height % 2), (0, width % 2)), mode="symmetric")
    return np.array([[x[i : i + 2, j : j + 2].mean() for j in range(0, x.shape[1], 2)] for i in range(0, len(x), 2)])


def ms_ssim(x: Array, y: Array) -> float:
    """MS-SSIM of two (3, H, W) images by TensorFlow's rule."""
    exponents = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    window = gaussian_window(11, 1.5)
    channels = []
    for a, b in zip(x, y, strict=True):
        value = 1.0
        for scale, exponent in enumerate(exponents):
            if scale > 0:
                a, b = halve(a), halve(b)
            luminance, structure = fractions(a, b, window)
            term = luminance * structure if scale == len(exponents) - 1 else structure
            value *= max(0.0, float(term.mean())) ** exponent
        channels.append(value)
    return float(np.mean(channels))
