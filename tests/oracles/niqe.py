"""NIQE by NumPy and SciPy alone, block by block, from the paper, with the choices of MATLAB's release."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate
from scipy.special import gamma

Array = NDArray[np.float64]

SHAPES = np.arange(200, 10001) / 1000
SIDE = 96


def moment_ratios() -> Array:
    """E|x|² / E[x²] of a symmetric generalised Gaussian, for each shape."""
    ratios: Array = gamma(2 / SHAPES) ** 2 / (gamma(1 / SHAPES) * gamma(3 / SHAPES))
    return ratios


def window() -> Array:
    """The 7x7 Gaussian of standard deviation 7/6."""
    at = np.arange(-3, 4)
    weights = np.exp(-(at[:, None] ** 2 + at[None, :] ** 2) / (2 * (7 / 6) ** 2))
    return weights / weights.sum()


def gray(pixels: NDArray[np.uint8]) -> Array:
    """MATLAB's rgb2gray of (H, W, 3) bytes: the first row of the inverse of its YIQ matrix, halves up."""
    to_rgb = np.array([[1.0, 0.956, 0.621], [1.0, -0.272, -0.647], [1.0, -1.106, 1.703]])
    return np.floor(pixels @ np.linalg.inv(to_rgb)[0] + 0.5)


def studio_luma(pixels: NDArray[np.uint8]) -> Array:
    """The luma of MATLAB's rgb2ycbcr of (H, W, 3) bytes."""
    return np.floor(16 + pixels @ np.array([65.481, 128.553, 24.966]) / 255 + 0.5)


def halved(image: Array) -> Array:
    """MATLAB's bicubic halving, widened to eight taps: the cubic at ±1/4, 3/4, 5/4 and 7/4."""
    cubic = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
    for axis in (0, 1):
        padded = np.pad(image, [(3, 3) if axis == side else (0, 0) for side in (0, 1)], mode="symmetric")
        shifted = [np.take(padded, range(tap, tap + image.shape[axis], 2), axis) for tap in range(8)]
        image = np.asarray(sum(weight * values for weight, values in zip(cubic, shifted, strict=True)))
    return image


def asymmetric(values: Array, ratios: Array | None = None) -> tuple[float, float, float]:
    """Shape, left and right scale; without values of one sign, the first shape and NaN."""
    ratios = moment_ratios() if ratios is None else ratios
    below, above = values[values < 0], values[values > 0]
    left = np.sqrt((below**2).mean()) if below.size else np.nan
    right = np.sqrt((above**2).mean()) if above.size else np.nan
    k = left / right
    wanted = np.abs(values).mean() ** 2 / (values**2).mean() if values.any() else np.nan
    wanted = wanted * (k**3 + 1) * (k + 1) / (k**2 + 1) ** 2
    shape = SHAPES[np.argmin((ratios - wanted) ** 2)]  # of NaNs, the first
    width = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return float(shape), float(left * width), float(right * width)


def features(block: Array, ratios: Array | None = None) -> list[float]:
    """The 18 features of a block of coefficients."""
    shape, left, right = asymmetric(block, ratios)
    result = [shape, (left + right) / 2]
    for shift in ((0, 1), (1, 0), (1, 1), (1, -1)):
        shape, left, right = asymmetric(block * np.roll(block, shift, axis=(0, 1)), ratios)
        result += [shape, (right - left) * float(gamma(2 / shape) / gamma(1 / shape)), left, right]
    return result


def all_features(image: Array, ratios: Array | None = None) -> tuple[Array, Array]:
    """The (n, 36) features of a gray image's blocks, and their sharpness."""
    rows, columns = image.shape[0] // SIDE, image.shape[1] // SIDE
    image = image[: rows * SIDE, : columns * SIDE].astype(np.float64)
    scales, sharpness = [], np.empty(0)
    for side in (SIDE, SIDE // 2):
        mean = correlate(image, window(), mode="nearest")
        deviation = np.sqrt(np.abs(correlate(image**2, window(), mode="nearest") - mean**2))
        off = np.where(np.abs(image - mean) < 1e-9, 0.0, image - mean)  # our choice: flat parts give exactly zero
        coefficients = off / (deviation + 1)
        places = [
            (slice(side * row, side * row + side), slice(side * column, side * column + side))
            for column in range(columns)
            for row in range(rows)
        ]
        scales.append([features(coefficients[place], ratios) for place in places])
        if side == SIDE:
            sharpness = np.array([deviation[place].mean() for place in places])
            image = halved(image)
    return np.concatenate(scales, axis=1), sharpness


def niqe(image: Array, mean: Array, covariance: Array, ratios: Array | None = None) -> float:
    """The distance of a gray image from a model; `ratios` keeps the table that the release makes anew each time."""
    rows, _ = all_features(image, ratios)
    whole = rows[~np.isnan(rows).any(axis=1)]
    off = mean - np.nanmean(rows, axis=0)
    middle = (covariance + np.cov(whole, rowvar=False)) / 2
    return float(np.sqrt(off @ np.linalg.pinv(middle) @ off))


def fit(images: list[Array], threshold: float = 0.75) -> tuple[Array, Array]:
    """The model of gray images: of each, the blocks sharper than `threshold` times its sharpest."""
    kept = []
    for image in images:
        rows, sharpness = all_features(image)
        kept += [row for row, value in zip(rows, sharpness, strict=True) if value > threshold * sharpness.max()]
    return np.mean(kept, axis=0), np.cov(np.array(kept), rowvar=False)
