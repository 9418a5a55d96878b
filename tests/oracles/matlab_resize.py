"""MATLAB's ``imresize`` by NumPy alone: one output pixel at a time, in double precision, counted from 1 as there."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cubic(x: float) -> float:
    """The cubic convolution kernel with a = -1/2, as a piecewise polynomial in falling powers."""
    x = abs(x)
    if x <= 1:
        return 3 / 2 * x**3 - 5 / 2 * x**2 + 1
    return -1 / 2 * x**3 + 5 / 2 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def lanczos3(x: float) -> float:
    """sin(pi x) sin(pi x / 3) / (pi² x² / 3) within 3."""
    if x == 0:
        return 1.0
    return math.sin(math.pi * x) * math.sin(math.pi * x / 3) / (math.pi**2 * x**2 / 3) if abs(x) < 3 else 0.0


def triangle(x: float) -> float:
    """The tent."""
    return 1 - abs(x) if abs(x) <= 1 else 0.0


def box(x: float) -> float:
    """One from -1/2, included, to 1/2, excluded."""
    return 1.0 if -0.5 <= x < 0.5 else 0.0


KERNELS = {"bicubic": (cubic, 4), "lanczos3": (lanczos3, 6), "bilinear": (triangle, 2), "area": (box, 1)}


def mirrored(place: int, length: int) -> int:
    """The pixel, counted from 1, that stands at a place beyond the border; edges are repeated: … 2 1 | 1 2 … n | n …"""
    while not 1 <= place <= length:
        place = 1 - place if place < 1 else 2 * length + 1 - place
    return place


def resize_line(line: Array, length: int, scale: float, kernel: str, antialias: bool) -> Array:
    """One row or column resized to `length` pixels."""
    function, width = KERNELS[kernel]
    widening = 1 / scale if scale < 1 and antialias else 1
    result = np.zeros(length)
    for i in range(1, length + 1):
        u = i / scale + 0.5 * (1 - 1 / scale)
        total = weights = 0.0
        for place in range(math.floor(u - width * widening / 2) - 1, math.ceil(u + width * widening / 2) + 2):
            weight = function((u - place) / widening) / widening
            total += weight * line[mirrored(place, len(line)) - 1]
            weights += weight
        result[i - 1] = total / weights
    return result


def to_levels(values: Array) -> Array:
    """Values as MATLAB stores them in uint8: saturated, and rounded with halves going up."""
    return np.floor(np.clip(values, 0, 255) + 0.5)


def imresize(
    image: Array,
    size: tuple[int, int],
    scale: tuple[float, float],
    kernel: str = "bicubic",
    antialias: bool = True,
    between: bool = False,
) -> Array:
    """One (H, W) image resized to `size`, the axis of the smaller scale first; `between` rounds after that one."""
    order = [0, 1] if scale[0] <= scale[1] else [1, 0]
    for axis in order:
        image = np.apply_along_axis(resize_line, axis, image, size[axis], scale[axis], kernel, antialias)
        image = to_levels(image) if between and axis == order[0] else image
    return image
